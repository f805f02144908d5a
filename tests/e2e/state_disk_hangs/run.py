"""A disk that does not come back keeps nobody waiting for longer than five seconds, and all is saved when it does."""
import time

from lab import Lab, state
from lab.disk import Disk
from lab.stream import Stream, Zone

TIME_LIMIT = 90
SANITIZED = False
PATIENCE_S = 5


def run(lab: Lab) -> None:
    zones = [Zone(f"z{i}.test.", 8, 1) for i in range(20)] + [Zone("big.test.", 4400, 11, 1000)]
    stream = Stream(lab, zones, [Zone("still.test.", 6, 1, refresh=1)], lab.seed,
                    whole=0)
    apexes = list(stream.zones)
    secd = lab.secd(dict.fromkeys(apexes, [stream.primary]), start=False,
                    group_opts={"min-refresh": 1, "min-retry": 1})
    secd.expect_error("state failing")
    alone = state.alone(lab, secd)
    disk = Disk(lab, secd)
    disk.take()
    secd.start()

    def change(by: int, within_s: float) -> float:
        began = time.monotonic()
        for apex in stream.moving:
            stream.serials[apex] += by
        secd.ctl("refresh", *stream.moving)
        for apex in apexes:
            secd.wait_serial(apex, stream.serials[apex], within_s * secd.slow)
        return time.monotonic() - began

    change(1, 5)
    for n in range(1, 3):
        disk.refuse(hang=0)
        first = change(1, PATIENCE_S + 2)
        line = secd.wait_log("state failing", 1, count=n)
        assert line.keys["why"] == f"a write takes longer than {PATIENCE_S} s", line.text
        later = [change(by, 2) for by in (1, 40, 1)]
        print(f"served after {first:.1f} s, then after {[round(x, 2) for x in later]} s")
        disk.take()
        secd.wait_log("state works-again", 5 * secd.slow, count=n)
        lab.wait(lambda: all(secd.ctl_json("zone", a)["held"]["saved"] for a in apexes),
                 10 * secd.slow, "all is saved")
    secd.kill()
    alone.start()
    state.wait_loaded(lab, alone)
    for apex, serial in stream.serials.items():
        assert alone.serial(apex) == serial, apex
        assert sorted(state.dump(alone, apex)) == sorted(stream.zones[apex].lines(serial)), apex
