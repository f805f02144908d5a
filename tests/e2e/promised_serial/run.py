"""A NOTIFY that promises more than its primary shows makes it asked once more, a second later, and is forgotten then."""
import time

from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    assert primary.notify(secd, "example.", 9).rcode() == 0
    primary.wait_for("SOA", 5, count=2)
    asked = [r.time for r in primary.requests if r.kind == "SOA"]
    assert 0.8 < asked[1] - asked[0] < 3 * secd.slow, asked
    # A second round that shows the change is what the retry is for.
    primary.set_zone("example.", zone(serial=2))
    assert primary.notify(secd, "example.", 3).rcode() == 0
    secd.wait_serial("example.", 2, 3 * secd.slow)
    primary.set_zone("example.", zone(serial=3))
    secd.wait_serial("example.", 3, 3 * secd.slow)
    # And no more of it: nothing is asked for as long as two such retries would take.
    polls = primary.count("SOA")
    lab.stays(lambda: primary.count("SOA") == polls, 2.5, "nothing is asked")
