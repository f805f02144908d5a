"""A primary that falls silent is left at the idle deadline, and the next is asked at once."""
import time

from lab import Lab
from lab.scripted import STALL, Send
from lab.zones import zone


def run(lab: Lab) -> None:
    silent = lab.scripted_primary({"example.": zone(serial=1), "poll.test.": zone("poll.test.")})
    other = lab.scripted_primary({"example.": zone(serial=1), "poll.test.": zone("poll.test.")})
    secd = lab.secd({"example.": [silent, other], "poll.test.": [silent, other]},
                    server_opts={"transfer-idle": "1s"})
    secd.wait_serial("example.", 1, 5)
    secd.wait_serial("poll.test.", 1, 5)
    for apex in ("example.", "poll.test."):  # a first copy has the others asked, too
        secd.wait_log("zone current", 5, zone=apex)

    for p in (silent, other):
        p.set_zone("example.", zone(serial=2))
        p.set_zone("poll.test.", zone("poll.test.", serial=2))
    # It says half a zone, then nothing more.
    silent.on("AXFR", lambda r: [Send(r.answer(r.records[:3])), STALL])
    asked = silent.count("AXFR")
    silent.notify(secd, "example.", 2)
    silent.wait_for("AXFR", 5, asked + 1)
    began = time.monotonic()
    secd.wait_serial("example.", 2, 1 + 1.5 * secd.slow)
    assert time.monotonic() - began > 0.7, "left before the idle deadline"
    failed = secd.wait_log("xfr failed", 1, zone="example.")
    assert failed.keys["addr"].endswith(f"@{silent.port}") and failed.keys["why"], failed.text

    # It does not even answer the SOA query: the other's answer is enough.
    silent.on("AXFR", None)
    silent.on("SOA", [STALL])
    other.notify(secd, "poll.test.", 2)
    secd.wait_serial("poll.test.", 2, 10)
