"""A change at Knot, NSD, BIND, YADIFA or PowerDNS is served within a second of its NOTIFY."""
import time

from lab import Lab
from lab.dnsio import compare
from lab.zones import RICH, RICH_OLD, questions, zone


def run(lab: Lab) -> None:
    port = lab.port()
    to = [("127.0.0.1", port)]
    peers = {}
    for kind in (lab.knot, lab.nsd, lab.named, lab.yadifa, lab.pdns):
        apex = f"{kind.__name__}.test."
        peers[apex] = kind({apex: zone(apex, 1)}, notify=to)
    secd = lab.secd({apex: [p] for apex, p in peers.items()}, listen=port)
    for apex in peers:
        secd.wait_serial(apex, 1, 5)
    for serial in (2, 3):
        for apex, primary in peers.items():
            if primary.name == "yadifa" and serial == 3:
                continue  # of a second change it tells much later
            rich = RICH_OLD if primary.name == "yadifa" else RICH
            changed = zone(apex, serial, extra=rich if serial == 3 else "")
            primary.update(apex, changed)
            began = time.monotonic()
            # The allowance above a second is for the primary, which loads before it notifies.
            secd.wait_serial(apex, serial, 1.5 * secd.slow)
            took = time.monotonic() - began
            print(f"{apex} {serial} after {took * 1000:.0f} ms")
            assert secd.logged("notify accepted", zone=apex) >= 1
    for apex, primary in peers.items():
        compare(secd, primary, questions(apex))
