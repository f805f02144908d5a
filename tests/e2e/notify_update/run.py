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
            told = secd.logged("notify accepted", zone=apex)
            primary.update(apex, changed)
            # How long a primary takes to load before it notifies is its own affair.
            secd.wait_log("notify accepted", 15, count=told + 1, zone=apex)
            began = time.monotonic()
            secd.wait_serial(apex, serial, 1.0 * secd.slow)
            took = time.monotonic() - began
            print(f"{apex} {serial} after {took * 1000:.0f} ms")
    for apex, primary in peers.items():
        compare(secd, primary, questions(apex))
