"""A dump whose client is slow holds its version and nothing else, and not for ever."""
import hashlib

from lab import Lab
from lab.control import Control, parse
from lab.zones import large, zone

TIME_LIMIT = 120
RECORDS = 60000


def run(lab: Lab) -> None:
    port = lab.port()
    primary = lab.knot({"example.": large(lab.dir / "v1", "example.", 1, RECORDS),
                        "small.": zone("small.", 1)}, notify=[("127.0.0.1", port)])
    secd = lab.secd({"example.": [primary], "small.": [primary]}, listen=port, workers=2)
    secd.wait_serial("example.", 1, 10)
    want = digest(secd.ctl("dump", "example.").stdout.encode())
    slow = [Control(secd.socket, rcvbuf=4096) for _ in range(2)]
    for c in slow:
        c.ask("text dump example.")
    # Both have begun, and neither goes on.
    first = [c.sock.recv(100) for c in slow]
    busy = secd.ctl("dump", "small.")
    assert busy.returncode == 1 and "dumps" in busy.stderr, busy

    # Meanwhile all else goes on: the zone changes, twice, and others do.
    for serial in (2, 3):
        primary.update("example.", large(lab.dir / f"v{serial}", "example.", serial, RECORDS))
        secd.wait_serial("example.", serial, 10 * secd.slow)
        primary.update("small.", zone("small.", serial))
        secd.wait_serial("small.", serial, 5)
    content, verdict = parse(first[0] + slow[0].rest())
    assert verdict == "done" and digest(content) == want, "what was held when it began"
    assert b"serial 1," in content.split(b"\n")[0]

    # The other one is given up; then there is room again.
    secd.wait_log("control dump-ended", 15 * secd.slow, zone="example.")
    assert parse(first[1] + slow[1].rest())[1] == ""
    got = secd.ctl("dump", "example.")
    assert got.returncode == 0 and "serial 3," in got.stdout.split("\n")[0]

    # One who goes in the middle, and an end of the daemon in the middle.
    for c in slow:
        c.close()
    with Control(secd.socket) as c:
        c.ask("json dump example.")
        c.sock.recv(100)
    secd.wait_log("control dump-ended", 5 * secd.slow, count=2, zone="example.")
    with Control(secd.socket, rcvbuf=4096) as c:
        c.ask("text dump example.")
        c.sock.recv(100)
        assert secd.stop() < 1 * secd.slow


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
