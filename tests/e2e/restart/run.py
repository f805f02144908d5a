"""After SIGKILL or a stop, a new start has the same zones again, on the same ports."""
from lab import Lab
from lab.dnsio import compare
from lab.zones import RICH, questions, zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(extra=RICH)})
    secd = lab.secd({"example.": [primary]}, workers=2)
    secd.wait_serial("example.", 1, 5)
    secd.kill()
    secd.start()
    secd.wait_serial("example.", 1, 5)
    secd.restart()
    secd.wait_serial("example.", 1, 5)
    compare(secd, primary, questions("example."))
