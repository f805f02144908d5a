"""A long word in a request makes no line of the answer longer but its own, and holds up nobody."""
import time

from lab import Lab
from lab.control import Control
from lab.zones import zone

LONGEST = 64 * 1024  # CTL_REQUEST_MAX of ctl/ctl.h
ANSWER_MAX = 4 << 20  # what ctl/ctl.h says of the longest one


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    half = LONGEST // 2 - 100
    # One word as long as can be; one that is just as wide as a column is made, in all forms.
    for form, wide in (("text", half), ("text", 64), ("colour", 64), ("json", half)):
        words = "x" * wide + " " + "a " * ((LONGEST - wide - 100) // 2)
        with Control(secd.socket, timeout=60) as c, Control(secd.socket) as other:
            c.ask(f"{form} refresh {words}")
            began = time.monotonic()
            other.ask("text status")
            assert other.answer()[1] == "done"
            took = time.monotonic() - began
            assert took < 2 * secd.slow, f"the main loop stood still for {took:.1f} s"
            content, verdict = c.answer()
            assert verdict.startswith("no not done for "), verdict
            assert len(content) < ANSWER_MAX, f"{form}, {wide}: {len(content)} octets"
