"""A zone comes by AXFR from Knot, NSD and BIND, and is answered for just as they do."""
from lab import Lab
from lab.dnsio import compare
from lab.zones import RICH, questions, zone


def run(lab: Lab) -> None:
    zones = {f"{kind}.test.": zone(f"{kind}.test.", 7, extra=RICH)
             for kind in ("knot", "nsd", "named")}
    peers = {"knot.test.": lab.knot({"knot.test.": zones["knot.test."]}),
             "nsd.test.": lab.nsd({"nsd.test.": zones["nsd.test."]}),
             "named.test.": lab.named({"named.test.": zones["named.test."]})}
    secd = lab.secd({apex: [p] for apex, p in peers.items()}, workers=2)
    for apex, primary in peers.items():
        secd.wait_serial(apex, 7, 5)
        compare(secd, primary, questions(apex))
        compare(secd, primary, questions(apex), edns=False)
        assert secd.logged("xfr installed", zone=apex, serial=7) == 1
