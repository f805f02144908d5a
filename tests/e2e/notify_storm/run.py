"""Hundreds of NOTIFYs during a check cost one check more, and the last change is served."""
from lab import Lab
from lab.scripted import Send, Wait
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    # A primary that takes its time; it answers with what it has when it does.
    primary.on("SOA", lambda r: [Wait(0.4), Send(r.soa())])
    polls = primary.count("SOA")
    for _ in range(200):
        assert primary.notify(secd, "example.", 1).rcode() == 0
    primary.set_zone("example.", zone(serial=2))
    assert primary.notify(secd, "example.", 2).rcode() == 0
    secd.wait_serial("example.", 2, 3 * secd.slow)
    assert primary.count("SOA") - polls <= 5, "each NOTIFY made a check of its own"
    assert primary.count("AXFR") == 2
