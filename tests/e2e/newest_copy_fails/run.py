"""Where the newest version can't be had, the next one is served, and the newest asked for after RETRY, not REFRESH."""
from lab import Lab
from lab.scripted import CLOSE
from lab.zones import zone


def text(serial: int) -> str:
    return zone(serial=serial, refresh=3600, retry=2, expire=86400)


def run(lab: Lab) -> None:
    first, second = (lab.scripted_primary({"example.": text(1)}) for _ in range(2))
    secd = lab.secd({"example.": [first, second]})
    secd.wait_serial("example.", 1, 5)
    secd.wait_log("zone current", 5, zone="example.")
    for kind in ("AXFR", "IXFR"):
        second.on(kind, [CLOSE])
    first.set_zone("example.", text(2))
    second.set_zone("example.", text(3))
    secd.ctl_json("refresh", "example.")
    secd.wait_serial("example.", 2, 10)
    assert secd.ctl_json("zone", "example.")["state"] == "behind"
    for kind in ("AXFR", "IXFR"):
        second.on(kind, None)
    secd.wait_serial("example.", 3, 10)
