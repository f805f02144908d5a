"""After EXPIRE without a primary a zone answers SERVFAIL, its neighbours don't, and it heals."""
import time
from datetime import datetime

from lab import Lab
from lab.scripted import IGNORE
from lab.zones import zone

SANITIZED = False


def run(lab: Lab) -> None:
    short = {"refresh": 1, "retry": 1, "expire": 3}
    primary = lab.scripted_primary({"short.test.": zone("short.test.", **short),
                                    "long.test.": zone("long.test.", refresh=1, retry=1)})
    secd = lab.secd({"short.test.": [primary], "long.test.": [primary]})
    secd.wait_serial("short.test.", 1, 5)
    secd.wait_serial("long.test.", 1, 5)
    # Each confirmation renews: well past EXPIRE it is still served.
    began = time.monotonic()
    lab.wait(lambda: secd.serial("short.test.") == 1 and time.monotonic() > began + 4, 6,
             "served beyond EXPIRE while the primary confirms")
    primary.stop()
    gone = time.monotonic()
    lab.wait(lambda: secd.rcode("www.short.test.") == "SERVFAIL", 8, "SERVFAIL after EXPIRE")
    took = time.monotonic() - gone
    assert 1.5 < took < 5, f"expired {took:.1f} s after the primary went, with EXPIRE 3"
    assert secd.rcode("short.test.", "SOA", tcp=True) == "SERVFAIL"
    assert secd.rcode("www.long.test.") == "NOERROR"
    secd.wait_log("zone expired", 1, zone="short.test.")
    primary.start()
    secd.wait_serial("short.test.", 1, 8)
    assert secd.rcode("www.short.test.") == "NOERROR"
    secd.wait_log("zone fresh", 1, zone="short.test.")
    beside_a_silent_one(lab)


def beside_a_silent_one(lab: Lab) -> None:
    """It heals when one primary confirms it, not when the round is over that another is silent in."""
    text = zone(refresh=1, retry=1, expire=3)
    one, silent = (lab.scripted_primary({"example.": text}) for _ in range(2))
    secd = lab.secd({"example.": [one, silent]})
    secd.wait_serial("example.", 1, 5)
    one.on("SOA", [IGNORE])
    silent.on("SOA", [IGNORE])
    secd.wait_log("zone expired", 20, zone="example.")
    one.on("SOA", None)
    secd.wait_log("zone fresh", 30, zone="example.")
    lines = secd.log.path.read_text(encoding="utf-8").splitlines()
    revived = next(i for i, x in enumerate(lines) if "zone fresh" in x)
    assert "poll current" in lines[revived - 2], lines[revived - 3:]
    confirmed_by_one(lab)


def confirmed_by_one(lab: Lab) -> None:
    """What one primary says counts from then on, though the round waits longer for another."""
    text = zone(refresh=1, retry=1, expire=5)
    one, silent = (lab.scripted_primary({"example.": text}) for _ in range(2))
    secd = lab.secd({"example.": [one, silent]})
    secd.wait_serial("example.", 1, 5)
    silent.on("SOA", [IGNORE])
    expired = secd.wait_log("zone expired", 30, zone="example.")
    heard = secd.lines("poll current", zone="example.")[-1]
    lasted = datetime.fromisoformat(expired.time) - datetime.fromisoformat(heard.time)
    assert lasted.total_seconds() > 4.9, (heard, expired)
