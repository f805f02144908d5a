"""With its primary killed, secd answers as before."""
from lab import Lab
from lab.dnsio import differ
from lab.zones import RICH, questions, zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(refresh=1, retry=1, extra=RICH)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    before = {q: secd.query(*q) for q in questions("example.")}
    primary.kill()
    secd.wait_log("poll failed", 5, zone="example.", count=2)
    for q, was in before.items():
        assert not differ(was, secd.query(*q)), q
