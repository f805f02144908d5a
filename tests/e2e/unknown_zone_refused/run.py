"""What is not ours is REFUSED, without AA and without a word on where else to look."""
import dns.flags

from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.knot({"our.example.": zone("our.example.")})
    secd = lab.secd({"our.example.": [primary]})
    secd.wait_serial("our.example.", 1, 5)
    for name in (".", "example.", "other.example.", "xour.example.", "our.example.com.", "com."):
        for rdtype in ("A", "SOA", "NS", "ANY"):
            for tcp in (False, True):
                r = secd.query(name, rdtype, tcp=tcp)
                assert r.rcode() == 5, f"{name} {rdtype}: {r}"
                assert not r.flags & (dns.flags.AA | dns.flags.RA), r
                assert not (r.answer or r.authority or r.additional), r
    for rdtype in ("AXFR", "IXFR"):
        assert secd.rcode("our.example.", rdtype, tcp=True) in ("REFUSED", "NOTIMP", "NOTAUTH")
