"""Whatever is said to the control socket, or left unsaid, costs nothing but that connection."""
import os
import resource
import socket
import time

from lab import Lab
from lab.control import Control, parse
from lab.zones import zone

TIME_LIMIT = 120
CLIENTS = 64  # CTL_CLIENTS of ctl/ctl.h
LONGEST = 64 * 1024


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    garbage(lab, secd)
    unfinished(lab, secd)
    thousand(lab, secd)
    never_reads(lab, secd)
    reads_slowly(lab, secd)
    no_descriptors(lab, secd)
    assert secd.ctl("status").returncode == 0
    assert secd.query("www.example.").answer


def garbage(lab, secd) -> None:
    for data in (b"\n", b"\0\n", b"GET / HTTP/1.0\r\n\r\n", b"secd/1\n", b"secd/1 text\n",
                 b"secd/9 text status\n", b"secd/1 xml status\n", b"secd/1 text nonsense\n",
                 b"secd/1 text zone\n", b"secd/1 text status more\n", b"secd/1 text zone a b\n",
                 b"\xff" * 100 + b"\n", bytes(range(32, 256)) + b"\n",
                 b"x" * (LONGEST + 5000), b"secd/1 text refresh " + b"a " * LONGEST):
        with Control(secd.socket) as c:
            try:
                c.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it had enough
            content, verdict = c.answer()
            assert content == b"" and verdict.startswith("usage "), (data[:40], content, verdict)
    for _ in range(200):
        noise = lab.rng.randbytes(lab.rng.randrange(1, 300)) + b"\n"
        with Control(secd.socket) as c:
            c.send(noise)
            assert c.answer()[1].startswith("usage "), noise
    # A request in single octets, one with more behind it, one without an end.
    with Control(secd.socket) as c:
        for octet in b"secd/1 text status\n":
            c.send(bytes([octet]))
        assert c.answer()[1] == "done"
    with Control(secd.socket) as c:
        c.send(b"secd/1 text status\nsecd/1 text stop\n")
        assert c.answer()[1] == "done"
    with Control(secd.socket) as c:
        c.send(b"secd/1 text stop")
        c.sock.shutdown(socket.SHUT_WR)
        assert c.rest() == b""
    with Control(secd.socket) as c:
        c.ask("text stat\\us")
        assert c.answer()[1].startswith("usage ")
    assert secd.alive()
    # Names that are none, as many as fit.
    with Control(secd.socket) as c:
        words = "a..b " * ((LONGEST - 100) // 5)
        c.ask(f"json refresh {words}")
        content, verdict = c.answer()
        assert content.startswith(b'{"now":') and verdict.startswith("no not done for "), verdict


def unfinished(lab, secd) -> None:
    """A request must be whole within its time, however it drips."""
    began = time.monotonic()
    with Control(secd.socket, timeout=1) as quiet, Control(secd.socket, timeout=1) as drips:
        drips.send(b"secd/1 text ")

        def closed() -> bool:
            try:
                drips.send(b"x")
            except (BrokenPipeError, ConnectionResetError):
                return True
            assert secd.query("www.example.").answer
            return False
        lab.wait(closed, 12 * secd.slow, "the end of one that drips")
        assert quiet.rest() == b""
    took = time.monotonic() - began
    assert took > 9, f"given up after {took:.1f} s"


def thousand(lab, secd) -> None:
    """Those who come and say nothing make place for those who have something to say."""
    held = []
    try:
        for i in range(1000):
            c = Control(secd.socket)
            held.append(c)
            if i % 100 == 99:
                assert secd.ctl("status").returncode == 0, f"beside {i + 1} connections"
        assert secd.ctl_json("zone", "example.")["held"]["serial"] == 1
        # No more than so many have a place: the others were closed.
        lab.wait(lambda: sum(not is_closed(c) for c in held) <= CLIENTS, 5, "places")
    finally:
        for c in held:
            c.close()


def is_closed(c: Control) -> bool:
    c.sock.setblocking(False)
    try:
        return c.sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def never_reads(lab, secd) -> None:
    """Answers that are left lying are thrown away, and hold up nobody."""
    words = "a..b " * ((LONGEST - 100) // 5)
    held = [Control(secd.socket, rcvbuf=4096) for _ in range(CLIENTS)]
    try:
        for c in held:
            c.ask(f"json refresh {words}")
        assert secd.query("www.example.").answer
        # One that goes on, slowly, gets all of it.
        lab.wait(lambda: secd.ctl("status").returncode == 0, 5 * secd.slow, "a place")
        with Control(secd.socket, rcvbuf=4096) as slow:
            slow.ask("text status")
            assert slow.answer()[1] == "done"
        lab.wait(lambda: secd.ctl("status").returncode == 0, 12 * secd.slow, "places again")
        assert any(parse(c.rest())[1] == "" for c in held), "an answer was cut short"
    finally:
        for c in held:
            c.close()


def reads_slowly(lab, secd) -> None:
    """Who takes some of its answer every now and then gets all of it, however long that takes."""
    with Control(secd.socket) as c:
        c.ask("json refresh " + "a " * ((LONGEST - 100) // 2))  # some 2 MB
        began, got = time.monotonic(), b""
        while time.monotonic() - began < 11.5:  # CTL_ANSWER_TIME is 10 s
            for _ in range(7):  # enough for the daemon to go on
                got += c.sock.recv(1 << 15)
            turn = time.monotonic()
            lab.wait(lambda turn=turn: time.monotonic() - turn > 1.7, 5, "the next turn")
        assert len(got) < 2_000_000, "it wasn't all there at once"
        assert parse(got + c.rest())[1].startswith("no not done for ")


def no_descriptors(lab, secd) -> None:
    """When there were no descriptors for a while, it goes on by itself afterwards."""
    pid = secd.child.pid

    def count() -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))

    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    held = []
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count() + 5, before[1]))
        held += [Control(secd.socket) for _ in range(20)]
        lab.wait(lambda: count() >= resource.prlimit(pid, resource.RLIMIT_NOFILE)[0], 5,
                 "all descriptors in use")
    finally:
        for c in held:
            c.close()
    assert secd.ctl("status").returncode == 0
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
