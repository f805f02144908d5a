"""The socket is where and how the settings want it: a dead daemon's is replaced, a living one's never."""
import os
import pathlib
import signal
import stat

from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(serial=1)})
    before = os.umask(0)
    try:
        secd = lab.secd({"example.": [primary]})
    finally:
        os.umask(before)
    secd.wait_serial("example.", 1, 5)
    mode = secd.socket.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660, oct(mode)
    assert secd.ctl("status").returncode == 0

    # A second daemon with the same socket does not start, and says which it is.
    second = lab.secd({"example.": [primary]}, start=False)
    socket_at(second, secd.socket)
    second.expect_error("secd failed")
    second.start(wait=False)
    assert second.child.wait(5 * second.slow) == 1
    (line,) = second.lines("secd failed")
    assert str(secd.socket) in line.keys["why"], line
    second.child = None
    assert secd.ctl("status").returncode == 0, "and the first one goes on"

    # Killed, it leaves its socket; the next start takes the place.
    secd.signal(signal.SIGKILL)
    secd.child.wait(5)
    assert secd.socket.exists() and secd.ctl("status").returncode == 3
    secd.start()
    assert secd.ctl("status").returncode == 0
    secd.stop()
    assert not secd.socket.exists()

    # Without a socket it serves as well: for the asking, or when there can be none.
    second = lab.secd({"example.": [primary]}, start=False)
    for where, told in (("", 0), ("/proc/none/secd.sock", 1)):
        socket_at(second, where)
        second.start()
        second.wait_serial("example.", 1, 5)
        assert second.logged("control failed") == told
        second.stop()


def socket_at(secd, where: str | pathlib.Path) -> None:
    text = secd.ini.read_text(encoding="utf-8")
    lines = [f"control = {where}" if x.startswith("control =") else x for x in text.split("\n")]
    secd.ini.write_text("\n".join(lines), encoding="utf-8")
