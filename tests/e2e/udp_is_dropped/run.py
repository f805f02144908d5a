"""A primary that answers by TCP alone is followed by TCP alone, after one try by UDP."""
from lab import Lab
from lab.scripted import CLOSE, IGNORE
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    primary.on("SOA udp", [IGNORE])
    # While the connection of a transfer stands, questions go that way: let none stand.
    primary.on("AXFR", lambda r: [*r.axfr(), CLOSE])
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    primary.set_zone("example.", zone(serial=2))
    primary.notify(secd, "example.", 2)
    secd.wait_serial("example.", 2, 15)
    asked = primary.count("SOA udp")
    assert 1 <= asked <= 3, asked
    primary.set_zone("example.", zone(serial=3))
    primary.notify(secd, "example.", 3)
    secd.wait_serial("example.", 3, 3 * secd.slow)
    assert primary.count("SOA udp") == asked, "it is known by now"
