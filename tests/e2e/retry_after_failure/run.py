"""While its primary fails, a zone is tried again every RETRY, no more often, until it heals."""
from lab import Lab
from lab.scripted import Send
from lab.zones import zone


def run(lab: Lab) -> None:
    old = zone(serial=1, refresh=1, retry=1)
    primary = lab.scripted_primary({"example.": old})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)

    primary.on("SOA", lambda r: [Send(r.answer(flags=0, rcode=2))])
    primary.set_zone("example.", zone(serial=2, refresh=1, retry=1))
    failed = len(primary.requests)
    secd.wait_log("poll failed", 10, zone="example.", count=3)
    times = [r.time for r in primary.requests[failed:]]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert gaps and min(gaps) > 0.3, f"tried again too soon: {gaps}"
    assert secd.serial("example.") == 1
    assert primary.count("AXFR") == 1

    primary.on("SOA", None)
    secd.wait_serial("example.", 2, 5)
