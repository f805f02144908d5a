"""A version is pinned though the disk refuses it, or does not come back, and is saved when it does; who asks is told in time, also at the end."""
import errno
import time

from lab import Lab, state
from lab.kept import Kept

TIME_LIMIT = 90
PATIENCE_S = 5


def run(lab: Lab) -> None:
    bench = Kept(lab, small=3, still=1)
    bench.stream.whole = 0
    secd = bench.secd
    secd.expect_error("state failing")
    secd.start()
    for _ in range(3):
        bench.change()
    refused(bench)
    hangs(bench)
    ends(bench)
    without(lab)


def pin(bench: Kept, apex: str, serial: int, saved: bool) -> None:
    said = bench.secd.ctl_json("pin", apex, str(serial))
    assert said["serial"] == serial and said["saved"] is saved, said
    is_served(bench, apex, serial)


def is_served(bench: Kept, apex: str, serial: int) -> None:
    lines, want = state.dump(bench.secd, apex), bench.stream.zones[apex].lines(serial)
    assert sorted(lines) == sorted(want), f"{apex}: {state.differ(want, lines)}"


def refused(bench: Kept) -> None:
    """From memory, and saved later; then it is there after a crash."""
    secd = bench.secd
    for apex in ("z0.test.", "big.test."):
        bench.disk.refuse(pwritev=errno.ENOSPC)
        pin(bench, apex, 3, saved=False)
        assert not secd.ctl_json("zone", apex)["held"]["saved"]
        bench.disk.take()
        bench.wait_saved(15)
    secd.kill()
    secd.start()
    state.wait_loaded(bench.lab, secd)
    for apex in ("z0.test.", "big.test."):
        is_served(bench, apex, 3)
        assert secd.ctl_json("zone", apex)["pinned"]
    secd.ctl("unpin", "z0.test.", "big.test.")
    bench.change()


def hangs(bench: Kept) -> None:
    """Nobody is kept waiting; what was answered with no was not done."""
    secd = bench.secd
    works = secd.logged("state works-again")
    bench.disk.refuse(hang=0)
    began = time.monotonic()
    pin(bench, "z1.test.", 3, saved=False)
    assert PATIENCE_S - 1 < time.monotonic() - began < PATIENCE_S + 3
    said = secd.ctl("pin", "z2.test.", "3")
    assert said.returncode == 1 and "the state can't be had now" in said.stderr, said
    assert secd.serial("z2.test.") == 5
    assert secd.ctl_json("pin", "z2.test.")["serial"] == 5  # it needs no disk
    bench.disk.take()
    secd.wait_log("state works-again", 10, count=works + 1)
    bench.wait_saved(15)
    secd.ctl("unpin", "z1.test.", "z2.test.")
    bench.change()

    works = secd.logged("state works-again")
    bench.disk.refuse(hang=0)
    bench.stream.serials["middle.test."] += 1
    secd.ctl("refresh", "middle.test.")  # the writer hangs with this one
    said = []
    bench.lab.wait(lambda: said.append(secd.ctl("versions", "z1.test.")) or said[-1].returncode == 1,
                   20, "it hangs")
    assert "does not answer" in said[-1].stderr or "can't be had now" in said[-1].stderr, said[-1]
    bench.disk.take()
    secd.wait_log("state works-again", 10, count=works + 1)
    bench.wait_saved(15)
    assert secd.ctl_json("versions", "z1.test.")["versions"]


def ends(bench: Kept) -> None:
    """A stop amid pins: each is done or told not to be, and nothing is left behind."""
    secd = bench.secd
    serials = {a: secd.ctl_json("versions", a)["versions"][1]["serial"] for a in bench.stream.zones
               if a != "still0.test."}
    for apex, serial in serials.items():
        secd.ctl_json("pin", apex, str(serial))
    secd.stop()
    secd.start()
    state.wait_loaded(bench.lab, secd)
    for apex, serial in serials.items():
        is_served(bench, apex, serial)
    assert secd.ctl_json("status")["zones"]["pinned"] == len(serials)
    secd.stop()


def without(lab: Lab) -> None:
    """Without a state what is served can be held, and nothing else."""
    bench = Kept(lab, small=1, still=0)
    secd = bench.secd
    secd.ini.write_text(secd.ini.read_text().replace(f"state-dir = {secd.state}", "state-dir ="))
    secd.start()
    bench_serial = bench.stream.serials["z0.test."]
    secd.wait_serial("z0.test.", bench_serial, 5)
    for words in (("versions", "z0.test."), ("pin", "z0.test.", "v1")):
        said = secd.ctl(*words)
        assert said.returncode == 1 and "nothing is kept" in said.stderr, said
    assert secd.ctl_json("pin", "z0.test.")["saved"] is False
    bench.stream.serials["z0.test."] += 1
    secd.ctl("refresh", "z0.test.")
    secd.wait_log("poll newer", 5, zone="z0.test.")
    assert secd.serial("z0.test.") == bench_serial
    secd.ctl("unpin", "z0.test.")
    secd.wait_serial("z0.test.", bench_serial + 1, 5)
