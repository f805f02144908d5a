"""A state-dir that can't be had is told, zones are served from memory, and all is well when it can be had: new, or with zones in it."""
import fcntl
import os
import pathlib

from lab import Lab, state
from lab.scripted import IGNORE, Send
from lab.zones import zone

TIME_LIMIT = 120
SANITIZED = False
NOBODY = 65534


def text(serial: int) -> str:
    return zone(serial=serial, refresh=3600)


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": text(1)})
    for name, (lay, mend, why) in WAYS.items():
        primary.set_zone("example.", text(1))
        theirs = name.startswith("not")
        secd = lab.secd({"example.": [primary]}, start=False, user="" if theirs else None)
        secd.expect_error("state failing", why=why)
        if theirs:
            if os.geteuid() != 0:
                print(f"{name}: skipped, only root can be somebody else", flush=True)
                continue
            secd.wrap = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            os.chown(secd.dir, NOBODY, NOBODY)
        comes(lab, secd, primary, lay, mend, why)
        print(f"{name}: {why}", flush=True)
    for silent in (False, True):
        with_zones(lab, silent)
    not_ours(lab)


def comes(lab: Lab, secd, primary, lay, mend, why: str) -> None:
    other = lab.dir / lab.unique("elsewhere")
    other.mkdir(mode=0o755)
    where = other / "state"
    secd.ini.write_text(secd.ini.read_text().replace(str(secd.state), str(where)))
    secd.state = where
    lay(where)
    secd.start()
    secd.wait_serial("example.", 1, 5)
    line = secd.wait_log("state failing", 5 * secd.slow)
    assert line.keys["why"] == why, line.text
    primary.set_zone("example.", text(2))
    secd.ctl("refresh", "example.")
    secd.wait_serial("example.", 2, 5)
    assert not secd.ctl_json("zone", "example.")["held"]["saved"]
    mend(where)
    secd.wait_log("state works-again", 12)
    lab.wait(lambda: secd.ctl_json("zone", "example.")["held"]["saved"], 5, "saved")
    assert secd.logged("state failing") == 1
    second = state.alone(lab, secd, listen=None)
    assert second.start_fails().keys["why"].startswith("another secd has"), second.tail()
    secd.kill()
    second.start()
    second.wait_serial("example.", 2, 2)
    second.stop()


def closed(where: pathlib.Path) -> None:
    where.mkdir(mode=0o700)


def read_only(where: pathlib.Path) -> None:
    where.mkdir(mode=0o755)


def opened(where: pathlib.Path) -> None:
    os.chown(where, NOBODY, NOBODY)


WAYS = {
    "no parent": (lambda where: where.parent.rmdir(), lambda where: where.parent.mkdir(),
                  "No such file or directory"),
    "a file": (lambda where: where.write_text("no directory"), lambda where: where.unlink(),
               "Not a directory"),
    "not readable": (closed, opened, "Permission denied"),
    "not writable": (read_only, opened, "Permission denied"),
}


def with_zones(lab: Lab, silent: bool) -> None:
    """It comes when no primary is there: what is in it is served, and what is newer in memory is
    not put back by what is older on the disk."""
    names = ["example.", "lost.test."]
    primary = lab.scripted_primary({"example.": text(5), "lost.test.": zone("lost.test.", 7)})
    secd = lab.secd(dict.fromkeys(names, [primary]), group_opts={"min-refresh": 1})
    for apex, serial in (("example.", 5), ("lost.test.", 7)):
        secd.wait_serial(apex, serial, 5)
    secd.kill()
    away = lab.dir / lab.unique("away")
    secd.state.rename(away)
    secd.state.write_text("not yet")
    primary.set_zone("example.", text(6))
    for kind in ("SOA", "AXFR"):
        primary.on(kind, lambda r: None if r.apex != "lost.test."
                   else [IGNORE] if silent else [Send(r.answer(flags=0, rcode=5))])
    secd.expect_error("state failing")
    secd.start()
    secd.wait_serial("example.", 6, 5)
    assert secd.rcode("lost.test.", "SOA") == "SERVFAIL"
    secd.state.unlink()
    away.rename(secd.state)
    secd.wait_log("state works-again", 12)
    secd.wait_serial("lost.test.", 7, 3)
    assert secd.serial("example.") == 6
    lab.wait(lambda: all(secd.ctl_json("zone", a)["held"]["saved"] for a in names), 5, "saved")
    secd.kill()
    primary.stop()
    secd.start()
    secd.wait_serial("lost.test.", 7, 3)
    secd.wait_serial("example.", 6, 3)


def not_ours(lab: Lab) -> None:
    """It comes, but it is another secd's, and then a newer one's: that is told, and nothing in it is touched."""
    primary = lab.scripted_primary({"example.": text(1)})
    secd = lab.secd({"example.": [primary]}, start=False)
    secd.expect_error("state failing")
    secd.state.write_text("not yet")
    secd.start()
    secd.wait_serial("example.", 1, 5)
    secd.wait_log("state failing", 5, why="Not a directory")
    secd.state.unlink()
    secd.state.mkdir()
    with open(secd.state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        secd.wait_log("state failing", 12, why=f"another secd has the state-dir {secd.state}")
        future = state.head(2, 1, 7)
        (secd.state / "log-00000007").write_bytes(future)
    line = secd.wait_log("state failing", 12, count=3)
    assert line.keys["why"].startswith("log-00000007 is of format 2, and this secd knows 1"), line.text
    assert state.files(secd)[0].read_bytes() == future and len(state.files(secd)) == 1
    assert not secd.ctl_json("zone", "example.")["held"]["saved"]
    (secd.state / "log-00000007").unlink()
    secd.wait_log("state works-again", 12)
    lab.wait(lambda: secd.ctl_json("zone", "example.")["held"]["saved"], 5, "saved")
    assert secd.logged("state failing") == 3, secd.tail()
