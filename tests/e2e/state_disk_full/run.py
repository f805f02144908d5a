"""Whatever way the disk refuses, new versions are served, it is told once, and all is saved when it takes writes again."""
import errno
import resource
import time

from lab import Lab, state
from lab.kept import Kept
from lab.stream import serial_of

TIME_LIMIT = 180
SANITIZED = False
SMALL = 30
WAYS = [
    {"pwritev": errno.ENOSPC},
    {"half": errno.ENOSPC},
    {"half": errno.EDQUOT, "ftruncate": errno.EIO},
    {"fdatasync": errno.EIO},
    {"drop": errno.EIO},
    {"openat": errno.EROFS, "pwritev": errno.EROFS, "fdatasync": errno.EROFS},
    {"openat": errno.EMFILE, "fdatasync": errno.EIO},
    {"fsync": errno.EIO},
]


class Bench(Kept):
    def kept(self, serials: dict[str, int]) -> None:
        """SIGKILL; what a start without a primary has is this."""
        self.secd.kill()
        self.alone.start()
        state.wait_loaded(self.lab, self.alone)
        for apex, serial in serials.items():
            lines = state.dump(self.alone, apex)
            assert lines and serial_of(lines) == serial, f"{apex}: {lines and lines[0]}"
            assert sorted(lines) == sorted(self.stream.zones[apex].lines(serial)), apex
        self.alone.kill()


def run(lab: Lab) -> None:
    bench = Bench(lab, small=SMALL, still=SMALL)
    bench.secd.expect_error("state failing")
    bench.secd.start()
    bench.change()
    bench.wait_saved(5)
    limit(bench)
    for way in lab.rng.sample(WAYS, lab.times(4, len(WAYS))):
        refuses(bench, way)
    from_the_start(bench)
    recovers(bench)
    for daemon in (bench.secd, bench.alone):
        assert not daemon.logged("state damaged") and not daemon.logged("state lost")


def refuses(bench: Bench, way: dict) -> None:
    """While it serves. What was saved before is what there is after SIGKILL."""
    secd, before = bench.secd, dict(bench.stream.serials)
    of_new_files = way.keys() == {"fsync"}
    for again in (True,) if of_new_files else (False, True):
        if not secd.alive():
            secd.start()
            bench.change(2)  # one that is saved
            before = dict(bench.stream.serials)
            bench.wait_saved(10)
        told, works = secd.logged("state failing"), secd.logged("state works-again")
        bench.disk.refuse(**way)
        bench.change()
        if not of_new_files:
            secd.wait_log("state failing", 5 * secd.slow, count=told + 1)
        bench.change(40)  # more than a difference holds
        secd.wait_log("state failing", 5 * secd.slow, count=told + 1)
        if not of_new_files:  # small zones are saved beside the big one: in between it works again
            told_once(secd, told)
        if not again and "half" not in way and "fdatasync" not in way:
            bench.kept(before)
            bench.disk.take()
            continue
        bench.disk.take()
        secd.wait_log("state works-again", 10 * secd.slow, count=works + 1)
        bench.wait_saved(10)
        bench.kept(dict(bench.stream.serials))
    print(f"{way}: served and saved", flush=True)


def told_once(secd, told: int) -> None:
    new = secd.lines("state failing")[told:]
    assert len({x.keys["why"] for x in new}) == len(new), [x.text for x in new]


def from_the_start(bench: Bench) -> None:
    """It refuses from the start on: no file can be made."""
    secd = bench.secd
    told = secd.logged("state failing")
    bench.disk.refuse(openat=errno.ENOSPC)
    secd.start()
    bench.change()
    secd.wait_log("state failing", 5 * secd.slow, count=told + 1)
    bench.change(40)
    told_once(secd, told)
    bench.disk.take()
    bench.wait_saved(12)
    bench.kept(dict(bench.stream.serials))


def recovers(bench: Bench) -> None:
    """However many saves fail, it is tried again after 1, 2, 4 s; then clocks are saved in time."""
    secd = bench.secd
    secd.start()
    bench.change()
    bench.wait_saved(5)
    works = secd.logged("state works-again")
    bench.disk.refuse(pwritev=errno.ENOSPC)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        bench.change(40)
    bench.disk.take()
    began = time.monotonic()
    secd.wait_log("state works-again", 10 * secd.slow, count=works + 1)
    took = time.monotonic() - began
    print(f"works again after {took:.1f} s", flush=True)
    assert took < 5.5
    until = time.monotonic() + 2.5
    bench.lab.wait(lambda: time.monotonic() > until, 5, "clocks")
    apexes = [f"still{i}.test." for i in range(SMALL)]
    held = {a: secd.ctl_json("zone", a)["held"]["expires"] for a in apexes}
    bench.wait_saved(10)
    secd.kill()
    bench.alone.start()
    state.wait_loaded(bench.lab, bench.alone)
    for apex, was in held.items():
        now = bench.alone.ctl_json("zone", apex)["held"]["expires"]
        assert was - now < 1.2 + state.CLOCKS_S * secd.slow, f"{apex}: {was - now} s behind"
    bench.alone.kill()


def limit(bench: Bench) -> None:
    """No file may grow beyond 3 MB: SIGXFSZ is none of its deaths."""
    secd = bench.secd
    told = secd.logged("state failing")
    assert secd.log.path.stat().st_size < 2 << 20
    hard = resource.prlimit(secd.child.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(secd.child.pid, resource.RLIMIT_FSIZE, (3 << 20, hard))
    bench.change(40)
    line = secd.wait_log("state failing", 5 * secd.slow, count=told + 1)
    assert line.keys["why"] == "File too large", line.text
    small = {a: s for a, s in bench.stream.serials.items() if a != "big.test."}
    bench.lab.wait(lambda: all(secd.ctl_json("zone", a)["held"]["saved"] for a in small),
                   20 * secd.slow, "small zones are saved")
    assert not secd.ctl_json("zone", "big.test.")["held"]["saved"]
    resource.prlimit(secd.child.pid, resource.RLIMIT_FSIZE, (hard, hard))
    bench.wait_saved(40)
    bench.kept(dict(bench.stream.serials))
