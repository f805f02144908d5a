"""Whatever happens while a zone is being pinned, what is pinned is what was asked for, and so it is after a restart."""
import errno
import threading
import time
import uuid

from lab import Lab, state
from lab.disk import Disk, preload
from lab.scripted import IGNORE, Send, Wait
from lab.stream import Stream, Zone
from lab.zones import zone

TIME_LIMIT = 120
SANITIZED = False
APEX = "example."
BIG = "\n".join(f"h{i} TXT {'x' * 250}" for i in range(20000))  # more than 4 MiB


def text(serial: int, **opts) -> str:
    return zone(serial=serial, **{"refresh": 3600, "retry": 600, **opts})


class Case:
    """A secd behind a disk that does as it is told, with so many versions."""

    def __init__(self, lab: Lab, make=text, count: int = 2, **opts):
        self.lab, self.make = lab, make
        self.primary = lab.scripted_primary({APEX: make(1)})
        self.secd = lab.secd({APEX: [self.primary]}, start=False, **opts)
        self.secd.expect_error("state failing")
        self.disk = Disk(lab, self.secd)
        self.disk.take()
        self.secd.start()
        self.secd.wait_serial(APEX, 1, 20)
        for serial in range(2, count + 1):
            self.publish(serial)
        self.at_rest()

    def publish(self, serial: int) -> None:
        self.primary.set_zone(APEX, self.make(serial))
        self.primary.notify(self.secd, APEX, serial)
        self.secd.wait_serial(APEX, serial, 20)

    def zone(self) -> dict:
        return self.secd.ctl_json("zone", APEX)

    def at_rest(self) -> None:
        """Nothing is on its way to the disk."""
        self.lab.wait(lambda: self.zone()["held"]["saved"] and self.zone()["work"] == "none", 20, "saved")
        until = time.monotonic() + 0.6  # clocks are written within half a second
        self.lab.wait(lambda: time.monotonic() > until, 5, "clocks")

    def begin(self, *words: str) -> tuple[threading.Thread, list]:
        """In a thread, until it is under way."""
        said: list = []
        thread = threading.Thread(target=lambda: said.append(self.secd.ctl(*words, args=("-j",))))
        thread.start()
        self.lab.wait(lambda: said or "being pinned" in self.secd.ctl("unpin", APEX).stderr, 10, "under way")
        return thread, said

    def restart(self) -> None:
        self.secd.kill()
        self.secd.start()
        state.wait_loaded(self.lab, self.secd)

    def is_pinned(self, serial: int) -> None:
        assert self.secd.serial(APEX) == serial, self.secd.tail()
        assert self.zone()["pinned"], self.secd.tail()


def run(lab: Lab) -> None:
    for case in (unpinned_in_a_round, packed_anew, packed_anew_under_ixfr, overtaken, overtaken_relaxed,
                 clocks_meanwhile, room, revived, held_from_memory, gates, unsure, pending, big_and_hanging):
        case(lab)
        print(case.__name__, flush=True)


def unpinned_in_a_round(lab: Lab) -> None:
    """The answer comes when the pin has ended: it confirms all the same."""
    c = Case(lab, lambda s: text(s, expire=5000))
    c.secd.ctl_json("pin", APEX, "1")
    c.primary.on("SOA", lambda r: [Wait(1.0), Send(r.soa())])
    asked = c.primary.count("SOA")
    c.secd.ctl("refresh", APEX)
    lab.wait(lambda: c.primary.count("SOA") > asked, 5, "it is asked")
    c.secd.ctl("unpin", APEX)
    lab.wait(lambda: c.secd.rcode("www.example.") != "NOERROR" or c.secd.serial(APEX) == 2, 10, "it follows")
    assert c.secd.rcode("www.example.") == "NOERROR" and not c.secd.logged("zone expired")


def packed_anew(lab: Lab) -> None:
    """What is served from memory is not saved behind the version that is being pinned."""
    c = Case(lab)
    c.disk.refuse(pwritev=errno.ENOSPC)
    c.publish(3)
    assert not c.zone()["held"]["saved"]
    c.disk.refuse(hang=0)
    thread, said = c.begin("pin", APEX, "1")
    until = time.monotonic() + 2.5  # a retry comes within
    lab.wait(lambda: said or time.monotonic() > until, 10, "a retry")
    c.disk.take()
    thread.join()
    assert said[0].returncode == 0, said
    c.is_pinned(1)
    lab.wait(lambda: c.zone()["held"]["saved"], 20, "saved")
    c.restart()
    c.is_pinned(1)


def packed_anew_under_ixfr(lab: Lab) -> None:
    """The same, and differences that come later stand on what is there."""
    stream = Stream(lab, [Zone(APEX, 40, 10)], seed=lab.seed, whole=0)
    secd = lab.secd({APEX: [stream.primary]}, start=False)
    alone = state.alone(lab, secd)
    secd.expect_error("state failing")
    disk = Disk(lab, secd)
    disk.take()
    secd.start()

    def go(serial: int) -> None:
        stream.serials[APEX] = serial
        secd.ctl("refresh", APEX)
        secd.wait_serial(APEX, serial, 10)

    secd.wait_serial(APEX, 1, 5)
    go(2)
    disk.refuse(pwritev=errno.ENOSPC)
    go(3)
    disk.refuse(hang=0)
    said: list = []
    thread = threading.Thread(target=lambda: said.append(secd.ctl("pin", APEX, "1")))
    thread.start()
    until = time.monotonic() + 2.5
    lab.wait(lambda: said or time.monotonic() > until, 10, "a retry")
    disk.take()
    thread.join()
    secd.ctl("unpin", APEX)
    go(4)
    lab.wait(lambda: secd.ctl_json("zone", APEX)["held"]["saved"], 20, "saved")
    secd.kill()
    alone.start()
    state.wait_loaded(lab, alone)
    lines, want = state.dump(alone, APEX), stream.zones[APEX].lines(4)
    assert lines and sorted(lines) == sorted(want), state.differ(want, lines or [])


def overtaken(lab: Lab) -> None:
    """A version was on its way when the one that is served was to be held: it is had back."""
    c = Case(lab, count=1)
    c.disk.refuse(hang=0)
    c.primary.set_zone(APEX, text(2))
    c.primary.notify(c.secd, APEX, 2)
    c.primary.wait_for("AXFR", 5, count=2)
    thread, said = c.begin("pin", APEX, "1")
    c.disk.take()
    thread.join()
    assert said[0].returncode == 0, said
    c.is_pinned(1)


def overtaken_relaxed(lab: Lab) -> None:
    c = Case(lab, lambda s: text(s, extra=BIG), count=1, server_opts={"durability": "relaxed"})
    lab.wait(lambda: c.secd.ctl_json("versions", APEX)["versions"], 20, "it is on the disk")
    c.disk.refuse(hangsync=0)
    c.publish(2)
    thread, said = c.begin("pin", APEX, "1")
    c.disk.take()
    thread.join()
    assert said[0].returncode == 0, said
    c.is_pinned(1)


def clocks_meanwhile(lab: Lab) -> None:
    """What was learnt just before is not written for the version that is being pinned."""
    c = Case(lab)
    current = c.secd.logged("zone current")
    c.secd.ctl("refresh", APEX)
    c.secd.wait_log("zone current", 5, count=current + 1)
    c.disk.refuse(hang=0)
    thread, said = c.begin("pin", APEX, "1")
    until = time.monotonic() + 1
    lab.wait(lambda: said or time.monotonic() > until, 5, "clocks are due")
    c.disk.take()
    thread.join()
    assert said[0].returncode == 0, said
    c.is_pinned(1)
    c.restart()
    c.is_pinned(1)


def room(lab: Lab) -> None:
    """A broken zone that is almost empty does not cost the good ones, nor a small one that is pinned a big one."""
    full = "\n".join(f"h{i} A 192.0.2.1" for i in range(20000))
    c = Case(lab, lambda s: text(s, extra=full if s in (1, 2) else ""), count=3)
    assert c.secd.ctl_json("pin", APEX, "2")["serial"] == 2
    assert c.secd.ctl_json("pin", APEX, "3")["serial"] == 3
    assert c.secd.ctl_json("pin", APEX, "1")["serial"] == 1
    assert c.secd.ctl_json("pin", APEX, "2")["serial"] == 2


def revived(lab: Lab) -> None:
    """One that has expired is pinned so that it does not: it lives after a restart, too."""
    c = Case(lab, lambda s: text(s, refresh=1, retry=1, expire=3), group_opts={"min-expire": 1})
    for kind in ("SOA", "AXFR", "IXFR"):
        c.primary.on(kind, [IGNORE])
    lab.wait(lambda: c.secd.rcode("www.example.") == "SERVFAIL", 20, "it expires")
    assert c.secd.ctl_json("pin", APEX, "1", "--no-expire")["saved"]
    assert c.secd.serial(APEX) == 1
    c.restart()
    c.is_pinned(1)


def held_from_memory(lab: Lab) -> None:
    """What was held before it was saved is no copy, and is there when another one was pinned."""
    c = Case(lab, count=1)
    c.disk.refuse(pwritev=errno.ENOSPC)
    c.publish(2)
    assert c.secd.ctl_json("pin", APEX)["saved"] is False
    c.disk.take()
    lab.wait(lambda: c.zone()["held"]["saved"], 20, "saved")
    c.secd.ctl_json("pin", APEX, "1")
    assert c.secd.ctl_json("pin", APEX, "2")["serial"] == 2


def gates(lab: Lab) -> None:
    """What the options would refuse by now is served when it is pinned, also after a restart."""
    c = Case(lab, lambda s: text(s, extra="d DNAME www\nx.d A 192.0.2.1" if s == 1 else ""))
    c.secd.write_ini(group_opts={"below-dname": "refuse"})
    c.secd.kill()
    c.secd.start()
    state.wait_loaded(lab, c.secd)
    c.secd.ctl_json("pin", APEX, "1")
    c.restart()
    c.is_pinned(1)


def unsure(lab: Lab) -> None:
    """Where nobody knows how old it is, a pin is not said to be saved."""
    primary = lab.scripted_primary({APEX: text(1)})
    secd = lab.secd({APEX: [primary]}, start=False)
    boot = lab.dir / "boot"
    boot.write_text(f"{uuid.UUID(int=1)}\n")
    preload(secd, "reboot", REBOOT_ID=str(boot), REBOOT_UP="0", REBOOT_WALL="0",
            REBOOT_SYNCED=str(lab.dir / "unsynced"))
    secd.start()
    secd.wait_serial(APEX, 1, 5)
    lab.wait(lambda: secd.ctl_json("zone", APEX)["held"]["saved"], 5, "saved")
    secd.kill()
    primary.on("SOA", [IGNORE])
    boot.write_text(f"{uuid.UUID(int=2)}\n")
    secd.start()
    state.wait_loaded(lab, secd)
    assert secd.ctl_json("pin", APEX)["saved"] is False
    primary.on("SOA", None)
    secd.ctl("refresh", APEX)
    secd.wait_log("zone current", 10)
    assert secd.ctl_json("pin", APEX)["saved"]
    secd.kill()
    secd.start()
    state.wait_loaded(lab, secd)
    assert secd.ctl_json("zone", APEX)["pinned"]


def pending(lab: Lab) -> None:
    """While one is under way, there is no unpin and no other pin."""
    c = Case(lab)
    c.disk.refuse(hang=0)
    thread, said = c.begin("pin", APEX, "1")
    for words in (("unpin", APEX), ("pin", APEX), ("pin", APEX, "2")):
        got = c.secd.ctl(*words)
        assert got.returncode == 1 and "being pinned" in got.stderr, got
    c.disk.take()
    thread.join()
    assert said[0].returncode == 0, said
    c.is_pinned(1)
    c.secd.ctl("unpin", APEX)
    c.secd.wait_serial(APEX, 2, 5)


def big_and_hanging(lab: Lab) -> None:
    """Once it is known that the disk hangs, nobody waits for it; a big zone least of all."""
    primary = lab.scripted_primary({APEX: text(1, extra=BIG), "small.": zone("small.", serial=1)})
    secd = lab.secd({APEX: [primary], "small.": [primary]}, start=False)
    secd.expect_error("state failing")
    disk = Disk(lab, secd)
    disk.take()
    secd.start()
    secd.wait_serial(APEX, 1, 20)
    primary.set_zone(APEX, text(2, extra=BIG))
    primary.notify(secd, APEX, 2)
    secd.wait_serial(APEX, 2, 20)
    disk.refuse(hang=0)
    primary.set_zone("small.", zone("small.", serial=2))
    primary.notify(secd, "small.", 2)
    secd.wait_log("state failing", 20)
    began = time.monotonic()
    said = secd.ctl("pin", APEX, "1")
    assert said.returncode == 1 and "can't be had now" in said.stderr, said
    assert secd.ctl_json("pin", APEX)["saved"] is False
    assert time.monotonic() - began < 2
    disk.take()
    secd.wait_log("state works-again", 20)
    assert secd.ctl_json("pin", APEX, "1")["saved"]
    assert secd.serial(APEX) == 1
