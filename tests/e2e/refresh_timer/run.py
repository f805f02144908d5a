"""Without any NOTIFY a change is found when the SOA's REFRESH has passed."""
from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(serial=1, refresh=1, retry=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    secd.wait_log("poll current", 4, zone="example.", count=2)
    primary.update("example.", zone(serial=2, refresh=1, retry=1))
    secd.wait_serial("example.", 2, 4 * secd.slow)
    assert not secd.logged("notify accepted")
