"""A primary with a key notifies by that key alone: signed by knotd, nsd, named, yadifad or pdns_server it counts, unsigned not."""
import base64
import re

import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.tsig

from lab import Lab, dnsio
from lab.scripted import notify_wire
from lab.zones import zone

SECRET = base64.b64encode(b"a secret of secd's tests, no secret").decode()


def notify(secd, apex: str, name: str, secret: str, *, source: str = "127.0.0.1"):
    """A NOTIFY signed by dnspython; its answer, verified."""
    q = dns.message.from_wire(notify_wire(apex, 9))
    key = dns.tsig.Key(name, secret, "hmac-sha256")
    q.use_tsig({key.name: key}, key.name)
    return dns.message.from_wire(dnsio.udp_raw(secd.addr, secd.port, q.to_wire(), source=source),
                                 keyring={key.name: key}, request_mac=q.mac)


def run(lab: Lab) -> None:
    port = lab.port()
    kinds = {"knot": "hmac-sha512", "nsd": "hmac-sha256", "named": "hmac-sha384", "yadifa": "hmac-sha256",
             "pdns": "hmac-sha1"}
    zones, sections, keys = {}, "", {}
    for kind, algorithm in kinds.items():
        apex = f"{kind}.example."
        primary = getattr(lab, kind)({apex: zone(apex, serial=1)},
                                     notify=[("127.0.0.1", port)],
                                     key=(f"{kind}-key", algorithm, SECRET))
        zones[apex] = [primary]
        sections += f"[key {kind}-key]\nalgorithm = {algorithm}\nsecret = {SECRET}\n"
        keys[apex] = f"{kind}-key"
    scripted = lab.scripted_primary({"plain.example.": zone("plain.example.", serial=1)},
                                    key=("plain-key", "hmac-sha256", SECRET))
    zones["plain.example."] = [scripted]
    keys["plain.example."] = "plain-key"
    sections += f"[key plain-key]\nalgorithm = hmac-sha256\nsecret = {SECRET}\n"
    for n, (apex, (primary,)) in enumerate(zones.items(), 1):
        sections += f"[primary {primary.name}{n}]\nkey = {keys[apex]}\n"
    secd = lab.secd(zones, listen=port, ini_extra=sections)
    for apex in zones:
        secd.wait_serial(apex, 1, 5)

    # From the address of the primary, but not signed: the zone is not asked for.
    polls = scripted.count("SOA")
    for tcp in (False, True):
        r = scripted.notify(secd, "plain.example.", 9, tcp=tcp)
        assert r.rcode() == dns.rcode.REFUSED and r.opcode() == dns.opcode.NOTIFY, r
    secd.wait_log("notify refused", 2, zone="plain.example.",
                  why="not signed with the key of its primary")
    # By another key of ours, by its own with another secret, by one that we don't know.
    r = notify(secd, "knot.example.", "plain-key", SECRET, source="127.0.0.2")
    assert r.rcode() == dns.rcode.REFUSED and r.had_tsig, r
    for name, secret, error, why, source in (
            ("plain-key", "AAAA", dns.tsig.PeerBadSignature, "its MAC is wrong", "127.0.0.3"),
            ("other-key", SECRET, dns.tsig.PeerBadKey, "not configured", "127.0.0.4")):
        try:
            notify(secd, "plain.example.", name, secret, source=source)
        except error:
            secd.wait_log("notify refused", 2, zone="plain.example.",
                          from_=re.compile(f"^{re.escape(source)}@"), why=re.compile(why))
            continue
        raise AssertionError(f"no {error.__name__}")
    assert scripted.count("SOA") == polls, "none of them made us ask"
    # By its own it may come from anywhere.
    scripted.set_zone("plain.example.", zone("plain.example.", serial=2))
    r = notify(secd, "plain.example.", "plain-key", SECRET, source="127.0.0.9")
    assert r.rcode() == 0 and r.had_tsig and r.opcode() == dns.opcode.NOTIFY, r
    secd.wait_serial("plain.example.", 2, 3)

    # Real primaries, which send it when they are changed.
    for kind in kinds:
        apex = f"{kind}.example."
        zones[apex][0].update(apex, zone(apex, serial=2))
        secd.wait_serial(apex, 2, 5)
        assert secd.logged("notify accepted", zone=apex) >= 1
    assert SECRET not in secd.log.path.read_text()
