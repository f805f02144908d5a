"""secdctl top shows what happens while it happens: frame by frame in a pipe, as a screen on a terminal."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from lab import Lab
from lab.control import Control
from lab.zones import zone

FEEDS = 8  # CTL_FEEDS of ctl/ctl.h


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(), "slow.example.": zone("slow.example.")})
    primary.on("AXFR", lambda r: ["stall"] if r.apex == "slow.example." else None)
    secd = lab.secd({"example.": [primary], "slow.example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    primary.wait_for("AXFR", 5, count=2)
    frames(secd)
    usage(secd)
    many(lab, secd)
    screen(lab, secd)


def frames(secd) -> None:
    """Two frames as JSON: what is asked meanwhile is in them, as so many a second."""
    over = threading.Event()
    asked = 0

    def ask() -> None:
        nonlocal asked
        while not over.wait(0.01):
            secd.query("www.example.", "AAAA")
            secd.query("absent.example.", "MX", tcp=True)
            asked += 1

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        got = secd.ctl("top", "-n", "2", args=("-j",))
    finally:
        over.set()
        asker.join()
    assert got.returncode == 0 and not got.stderr, got
    first, second = (json.loads(line) for line in got.stdout.splitlines())
    assert 0.9 < second["now"] - first["now"] < 5 * secd.slow, got
    for f in (first, second):
        q = f["queries"]
        assert 0 < q["udp"] <= 110 and abs(q["received"] - q["udp"] - q["tcp"]) < 0.01, f
        assert 0 < f["types"]["AAAA"] and 0 < f["types"]["MX"] and f["types"]["A"] == 0, f
        assert 0 < f["rcodes"]["NOERROR"] and 0 < f["rcodes"]["NXDOMAIN"], f
        assert f["rcodes"]["other"] == 0 and f["types"]["other"] == 0, f
        assert f["following"]["transferring"] == 1, f
        (transfer,) = f["transfers"]
        assert (transfer["zone"], transfer["kind"]) == ("slow.example.", "axfr"), f
        assert transfer["begun"] <= f["now"] and f["worst"][0]["zone"] == "slow.example.", f
    assert second["queries"]["udp"] * (second["now"] - first["now"]) <= asked + 1, (second, asked)
    text = secd.ctl("top", "-n", "1").stdout
    assert re.search(r"^queries\n  received +udp +tcp .*\n  \S+ ", text, re.M), text
    assert all(len(line) <= 80 for line in text.splitlines()), "a terminal of the usual size"


def usage(secd) -> None:
    for words in (("-n",), ("-n", "0"), ("-n", "x"), ("-n", "-1"), ("-m", "1"), ("1",),
                  ("-n", "1", "2"), ("-n", "99999999999")):
        assert secd.ctl("top", *words).returncode == 2, words


def many(lab, secd) -> None:
    """There is room for some, and who goes leaves his to others."""
    held = [Control(secd.socket) for _ in range(FEEDS)]
    for c in held:
        c.ask("text top")
    for c in held:
        assert c.sock.recv(7) == b"secd/1\n"
    got = secd.ctl("top", "-n", "1")
    assert got.returncode == 1 and "as many of these as there may be" in got.stderr, got
    assert secd.ctl("status").returncode == 0
    for c in held:
        c.close()
    lab.wait(lambda: secd.ctl("top", "-n", "1").returncode == 0, 5 * secd.slow, "room")


class Terminal:
    """secdctl top on a terminal of its own."""

    def __init__(self, secd, rows: int, columns: int):
        self.fd, theirs = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.child = subprocess.Popen(
            [str(secd.path.with_name("secdctl")), "-s", str(secd.socket), "top"], stdin=theirs,
            stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"},
            start_new_session=True)
        self.out = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> str:
        while select.select([self.fd], [], [], 0)[0]:
            self.out += os.read(self.fd, 1 << 16).decode()
        return self.out

    def page(self) -> list[str]:
        """Lines of the last frame, as one sees them."""
        last = self.read().rpartition("\x1b[H")[2].partition("\x1b[J")[0]
        return re.split(r"\r+\n", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", last))

    def ended(self, lab, status: int = 0) -> None:
        """It is over, and the terminal is as it was."""
        lab.wait(lambda: self.read() is not None and self.child.poll() is not None, 5, "its end")
        assert self.child.returncode == status, (self.child.returncode, self.out[-200:])
        assert "\x1b[?25h\x1b[?1049l" in self.read(), repr(self.out[-40:])
        assert termios.tcgetattr(self.theirs) == self.before
        os.close(self.fd)
        os.close(self.theirs)


def screen(lab, secd) -> None:
    t = Terminal(secd, 24, 80)
    lab.wait(lambda: t.read().count("\x1b[J") >= 2, 5 * secd.slow, "two frames")
    assert t.out.startswith("\x1b[?1049h\x1b[?25l\x1b[H"), repr(t.out[:40])
    page = t.page()
    assert page[0].startswith("secdctl top ") and "q ends" in page[0], page
    assert len(page) <= 24 and any("slow.example." in line for line in page), page
    assert "\x1b[31mempty\x1b[0m" in t.out, "colours"
    t.resize(5, 20)
    os.kill(t.child.pid, signal.SIGWINCH)
    lab.wait(lambda: len(t.page()) == 5, 3, "a smaller page")
    assert all(len(line) <= 20 for line in t.page()), t.page()
    os.write(t.fd, b"xyz")
    assert t.child.poll() is None
    os.write(t.fd, b"q")
    t.ended(lab)
    for sig in (signal.SIGINT, signal.SIGTERM):
        t = Terminal(secd, 24, 80)
        lab.wait(lambda t=t: t.page()[0].startswith("secdctl top"), 5 * secd.slow, "a frame")
        os.kill(t.child.pid, sig)
        t.ended(lab)
    t = Terminal(secd, 24, 80)
    lab.wait(lambda: t.page()[0].startswith("secdctl top"), 5 * secd.slow, "a frame")
    began = time.monotonic()
    secd.ctl("stop")
    t.ended(lab, 1)
    assert time.monotonic() - began < 5 * secd.slow
    assert "cut short" in t.out, t.out[-200:]
    lab.wait(lambda: not secd.alive(), 2 * secd.slow, "it has ended")
