"""A query signed by dig or kdig, with each algorithm, gets an answer that they verify; each error its code."""
import base64
import time

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.tsig

from lab import Lab, dnsio
from lab.dig import dig, has, has_not, kdig
from lab.zones import zone

ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
OCTETS = b"a secret of secd's tests, no secret"
SECRET = base64.b64encode(OCTETS).decode()
OTHER = base64.b64encode(b"another one").decode()
BIG = "".join(f'big TXT "{i:060d}"\n' for i in range(16))  # 1,200 octets


def sections() -> str:
    return "".join(f"[key key-{a}]\nalgorithm = {a}\nsecret = {SECRET}\n" for a in ALGORITHMS)


def signed(secd, *, name="key-hmac-sha256", secret=OCTETS, skew=0, qname="example.", qtype="SOA",
           tcp=False) -> dns.message.Message:
    """Signed by dnspython with a clock that is wrong by skew, and verified by the same clock."""
    q = dnsio.make(qname, qtype)
    keyring = {dns.name.from_text(name): dns.tsig.Key(name, secret, "hmac-sha256")}
    q.use_tsig(keyring, dns.name.from_text(name), fudge=300)
    real = time.time
    try:
        time.time = lambda: real() + skew
        wire = q.to_wire()
        send = dnsio.tcp_raw if tcp else dnsio.udp_raw
        return dns.message.from_wire(send(secd.addr, secd.port, wire), keyring=keyring,
                                     request_mac=q.mac)
    finally:
        time.time = real


def refused(secd, error, **opts) -> None:
    for tcp in (False, True):
        try:
            got = signed(secd, tcp=tcp, **opts)
        except error:
            continue
        raise AssertionError(f"no {error.__name__}: {got}")


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(extra=BIG)})
    secd = lab.secd({"example.": [primary]}, ini_extra=sections())
    secd.wait_serial("example.", 1, 5)
    for tool in (dig, kdig):
        for algorithm in ALGORITHMS:
            for how in ("+notcp", "+tcp"):
                key = f"{algorithm}:key-{algorithm}:{SECRET}"
                out = tool(secd, "-y", key, how, "example.", "SOA")
                has(out, "status: NOERROR", "TSIG PSEUDOSECTION", f"key-{algorithm}.")
                has_not(out, "WARNING", "could not be validated", "failed", "verify")
                out = tool(secd, "-y", key, how, "nx.example.", "A")
                has(out, "status: NXDOMAIN", "TSIG PSEUDOSECTION")
                has_not(out, "WARNING", "could not be validated", "failed", "verify")
        # What the errors are called by others.
        for key, error in ((f"hmac-sha256:other:{SECRET}", "BADKEY"),
                           (f"hmac-sha512:key-hmac-sha256:{SECRET}", "BADKEY"),
                           (f"hmac-sha256:key-hmac-sha256:{OTHER}", "BADSIG")):
            out = tool(secd, "-y", key, "example.", "SOA")
            has(out, error, "WARNING")  # the answer is not signed, as it can't be
            has_not(out, "hostmaster")

    # A clock that is wrong is told by an answer that the client can verify, with our time in it.
    assert signed(secd, skew=290).rcode() == dns.rcode.NOERROR
    assert signed(secd, skew=-290).rcode() == dns.rcode.NOERROR
    refused(secd, dns.tsig.PeerBadTime, skew=400)
    refused(secd, dns.tsig.PeerBadTime, skew=-4000)
    refused(secd, dns.tsig.PeerBadKey, name="other")
    refused(secd, dns.tsig.PeerBadSignature, secret=b"another one")

    # What has no room beside its TSIG comes by TCP: dig asks again by itself.
    assert not secd.query("big.example.", "TXT").flags & dns.flags.TC
    r = signed(secd, qname="big.example.", qtype="TXT")
    assert r.flags & dns.flags.TC and r.rcode() == 0 and not r.answer, r
    out = dig(secd, "-y", f"hmac-sha256:key-hmac-sha256:{SECRET}", "big.example.", "TXT")
    has(out, "ANSWER: 16,", "TSIG PSEUDOSECTION")
    has_not(out, "WARNING", "could not be validated")
    assert SECRET not in secd.log.path.read_text(), "a secret is told to nobody"
