"""When a primary goes back to an older serial, what is held is kept, and the log says so."""
from lab import Lab
from lab.zones import version_addr, zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=10)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 10, 5)
    primary.set_zone("example.", zone(serial=5))
    primary.notify(secd, "example.", 5)
    secd.wait_log("poll older", 5, zone="example.")
    assert primary.count("AXFR") == 1
    assert secd.query("www.example.").answer[0][0].address == version_addr(10)
    primary.set_zone("example.", zone(serial=11))
    primary.notify(secd, "example.", 11)
    secd.wait_serial("example.", 11, 5)
