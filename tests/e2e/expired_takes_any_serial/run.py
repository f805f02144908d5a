"""An expired zone comes back even with a serial that is older than the one it had."""
from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    short = {"refresh": 1, "retry": 1, "expire": 2}
    primary = lab.scripted_primary({"example.": zone(serial=100, **short)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 100, 5)
    primary.stop()
    secd.wait_rcode("example.", "SOA", "SERVFAIL", 8)
    primary.set_zone("example.", zone(serial=7, **short))
    primary.start()
    secd.wait_serial("example.", 7, 8)
