"""In class CHAOS only the version and the identity are told, and only as far as they are set."""
import dns.rdatatype

from lab import Lab
from lab.zones import zone


def text(r) -> str | None:
    found = [rrset for rrset in r.answer if rrset.rdtype == dns.rdatatype.TXT]
    return b"".join(found[0][0].strings).decode() if found else None


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone()})
    told = lab.secd({"example.": [primary]},
                    server_opts={"version": "a version of ours", "identity": "ns7"})
    mute = lab.secd({"example.": [primary]})
    for name, want in (("version.bind.", "a version of ours"),
                       ("VERSION.server.", "a version of ours"),
                       ("id.server.", "ns7"), ("hostname.bind.", "ns7")):
        for tcp in (False, True):
            assert text(told.query(name, "TXT", rdclass="CH", tcp=tcp)) == want
        r = mute.query(name, "TXT", rdclass="CH")
        assert r.rcode() == 5 and not r.answer, r
    for secd in (told, mute):
        for name in ("authors.bind.", "example.", "."):
            assert secd.rcode(name, "TXT", rdclass="CH") == "REFUSED"
        assert secd.rcode("example.", "SOA", rdclass="HS") == "REFUSED"
