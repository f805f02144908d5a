"""A primary that answers without AA is lame: its serial is worth nothing."""
from lab import Lab
from lab.scripted import Send
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    primary.set_zone("example.", zone(serial=2))
    primary.on("SOA", lambda r: [Send(r.soa(flags=0))])
    primary.notify(secd, "example.", 2)
    line = secd.wait_log("poll failed", 5, zone="example.")
    assert line.keys.get("why"), line.text
    assert primary.count("AXFR") == 1
    assert secd.serial("example.") == 1
    primary.on("SOA", None)
    primary.notify(secd, "example.", 2)
    secd.wait_serial("example.", 2, 5)
