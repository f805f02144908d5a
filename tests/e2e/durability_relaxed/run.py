"""With durability relaxed, all is there after a stop, and after SIGKILL some seconds later; at any moment it is whole, and what a sync has lost is saved again."""
import errno
import time

from lab import Lab, state
from lab.kept import Kept
from lab.stream import serial_of

TIME_LIMIT = 90
SANITIZED = False
DURABLE_S = 2.5  # "within a second or two"
KILLS, KILLS_SOAK = 4, 100


class Bench(Kept):
    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.lab.wait(lambda: time.monotonic() >= until, seconds + 5, "the moment")

    def look(self, newest: bool) -> None:
        """Each zone is there whole; all of them as new as they were, if newest."""
        self.alone.start()
        state.wait_loaded(self.lab, self.alone)
        for apex, serial in self.stream.serials.items():
            lines = state.dump(self.alone, apex)
            if lines is None and not newest:
                continue
            have = serial_of(lines)
            assert have == serial or (not newest and have < serial), f"{apex}: {have} / {serial}"
            assert sorted(lines) == sorted(self.stream.zones[apex].lines(have)), apex
        self.alone.kill()


def run(lab: Lab) -> None:
    bench = Bench(lab, small=20, still=3, server_opts={"durability": "relaxed"})
    secd = bench.secd
    secd.start()
    bench.change()
    bench.change()
    before = {a: state.Sight.of(secd, a) for a in bench.stream.zones}
    secd.stop()
    bench.alone.start()
    state.wait_loaded(lab, bench.alone)
    for apex, sight in before.items():
        sight.check(state.Sight.of(bench.alone, apex), 2.0)
    bench.alone.stop()

    for by in (1, 40):
        secd.start()
        bench.change(by)
        bench.pause(DURABLE_S + 0.5 * (secd.slow - 1))
        secd.kill()
        bench.look(newest=True)

    for _ in range(lab.times(KILLS, KILLS_SOAK)):
        secd.start()
        bench.stream.run(secd, 150)
        bench.pause(lab.rng.uniform(0.05, 1.5) * secd.slow)
        assert secd.alive(), secd.tail()
        secd.kill()
        bench.stream.stop()
        bench.look(newest=False)
    for daemon in (secd, bench.alone):
        assert not daemon.logged("state lost") and not daemon.logged("state damaged")
    a_sync_fails(bench)


def a_sync_fails(bench: Bench) -> None:
    """What was served and is gone from the disk is saved once more."""
    secd = bench.secd
    secd.expect_error("state failing")
    secd.start()
    bench.change()
    bench.pause(DURABLE_S + 0.5 * (secd.slow - 1))
    for by in (1, 40, 1, 1):
        told, works = secd.logged("state failing"), secd.logged("state works-again")
        bench.disk.refuse(drop=errno.EIO)
        bench.change(by)
        bench.stream.run(secd, 300)  # one version on the other, before it is known that it is lost
        secd.wait_log("state failing", 5 * secd.slow, count=told + 1)
        bench.disk.take()
        bench.pause(0.5)
        bench.stream.stop()
        bench.change()
        secd.wait_log("state works-again", 10 * secd.slow, count=works + 1)
        bench.wait_saved(10)
        bench.pause(DURABLE_S + 0.5 * (secd.slow - 1))
        secd.kill()
        bench.look(newest=True)
        secd.start()
