"""Serials are compared on the circle: 1 follows 4294967295, and half way round is not newer."""
from lab import Lab
from lab.zones import zone

LAST = (1 << 32) - 1


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=LAST)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", LAST, 5)
    primary.set_zone("example.", zone(serial=1))
    primary.notify(secd, "example.", 1)
    secd.wait_serial("example.", 1, 5)
    # Back over the edge, and exactly half the circle (undefined: RFC 1982 3.2): neither is newer.
    for serial, event in ((LAST, "poll older"), (1 + (1 << 31), "poll undefined")):
        primary.set_zone("example.", zone(serial=serial))
        primary.notify(secd, "example.", serial)
        secd.wait_log(event, 5, zone="example.", serial=serial)
    assert primary.count("AXFR") == 2
    assert secd.serial("example.") == 1
    # Just short of it is.
    primary.set_zone("example.", zone(serial=(1 << 31)))
    primary.notify(secd, "example.")
    secd.wait_serial("example.", 1 << 31, 5)
