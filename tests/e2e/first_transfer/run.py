"""A zone comes by AXFR from Knot, NSD, BIND, YADIFA and PowerDNS, and is answered for just as they do."""
from lab import Lab
from lab.dnsio import compare
from lab.zones import RICH, RICH_OLD, questions, zone

KINDS = {"knot": RICH, "nsd": RICH, "named": RICH, "yadifa": RICH_OLD, "pdns": RICH}


def run(lab: Lab) -> None:
    peers = {}
    for kind, extra in KINDS.items():
        apex = f"{kind}.test."
        peers[apex] = getattr(lab, kind)({apex: zone(apex, 7, extra=extra)})
    secd = lab.secd({apex: [p] for apex, p in peers.items()}, workers=2)
    for apex, primary in peers.items():
        secd.wait_serial(apex, 7, 5)
        compare(secd, primary, questions(apex))
        compare(secd, primary, questions(apex), edns=False)
        assert secd.logged("xfr installed", zone=apex, serial=7) == 1
