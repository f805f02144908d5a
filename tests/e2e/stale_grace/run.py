"""What a lagging primary confirms renews EXPIRE once while another is known to have more, and the log says so."""
from lab import Lab
from lab.scripted import CLOSE
from lab.zones import zone

SANITIZED = False


def run(lab: Lab) -> None:
    text = zone(serial=1, refresh=1, retry=1, expire=5)
    lagging = lab.scripted_primary({"example.": text})
    ahead = lab.scripted_primary({"example.": text})
    secd = lab.secd({"example.": [lagging, ahead]})
    secd.wait_serial("example.", 1, 5)
    ahead.on("AXFR", [CLOSE])
    ahead.on("IXFR", [CLOSE])
    ahead.set_zone("example.", zone(serial=2, refresh=1, retry=1, expire=5))
    secd.wait_log("zone stale", 10, zone="example.")
    secd.wait_log("zone expired", 20, zone="example.")
    assert secd.logged("zone expired", zone="example.") == 1
    ahead.on("AXFR", None)
    secd.wait_serial("example.", 2, 10)
