"""A copy never outlives that of the secondary that it came from, and one that has expired is not taken."""
import re
import struct
import time

from lab import Lab
from lab.scripted import Send
from lab.zones import zone


def opt(seconds: int) -> bytes:
    """OPT with EXPIRE (RFC 7314)."""
    return b"\0" + struct.pack("!HHIHHHI", 41, 1232, 0, 8, 9, 4, seconds)


def run(lab: Lab) -> None:
    text = zone(serial=1, refresh=1, retry=1, expire=86400)
    upstream = lab.scripted_primary({"example.": text})
    end = time.monotonic() + 6

    def additional() -> list[bytes]:
        return [opt(max(0, round(end - time.monotonic())))]

    upstream.on("SOA", lambda r: [Send(r.soa(additional=additional()))])
    upstream.on("AXFR", lambda r: [Send(m) for m in r.axfr_messages(additional=additional())])
    secd = lab.secd({"example.": [upstream]})
    secd.wait_serial("example.", 1, 5)
    # It is confirmed each second, but what confirms it has less and less left.
    secd.wait_log("zone expired", 15, zone="example.")
    assert secd.logged("zone current", zone="example.") >= 1
    # An expired copy is none, whatever its serial.
    upstream.set_zone("example.", zone(serial=2, refresh=1, retry=1, expire=86400))
    secd.wait_log("poll failed", 10, zone="example.", why=re.compile("its own copy"))
    assert secd.rcode("example.") == "SERVFAIL"
    end += 3600
    secd.wait_serial("example.", 2, 10)
    whoever_does_not_say(lab)
    little_left(lab)


def whoever_does_not_say(lab: Lab) -> None:
    """One that holds our serial and knows no EXPIRE counts as it always did, beside one that has little left."""
    text = zone(serial=1, refresh=1, retry=1, expire=100)
    old, short = lab.scripted_primary({"example.": text}), lab.scripted_primary({"example.": text})
    short.on("SOA", lambda r: [Send(r.soa(additional=[opt(10)]))])
    secd = lab.secd({"example.": [old, short]})
    secd.wait_serial("example.", 1, 5)
    secd.wait_log("zone current", 5, count=2, zone="example.")
    before = secd.ctl_json("zone", "example.")["held"]["expires"]
    secd.wait_log("zone current", 8, count=secd.logged("zone current") + 2, zone="example.")
    after = secd.ctl_json("zone", "example.")["held"]["expires"]
    assert after > before + 0.5, (before, after)


def little_left(lab: Lab) -> None:
    """One that has little left is asked again before that is over, whatever REFRESH says; and the last
    check is told as it was."""
    upstream = lab.scripted_primary({"example.": zone(serial=1, refresh=3600, retry=600)})
    left = [6]
    upstream.on("SOA", lambda r: [Send(r.soa(additional=[opt(left[0])]))])
    upstream.on("AXFR", lambda r: [Send(m) for m in r.axfr_messages(additional=[opt(left[0])])])
    secd = lab.secd({"example.": [upstream]}, group_opts={"min-retry": 1})
    secd.wait_serial("example.", 1, 5)
    left[0] = 86400
    z = secd.ctl_json("zone", "example.")
    assert 0 <= z["now"] - z["held"]["checked"] < 3, z
    secd.wait_log("zone current", 6, zone="example.")
    assert secd.logged("zone expired") == 0
