"""Killed at any moment under a stream of changes, it comes back with each zone whole, and none older than was answered."""
import datetime
import time

from lab import Lab, state
from lab.stream import Stream, Watch, Zone, serial_of

TIME_LIMIT = 150
KILLS, KILLS_SOAK = 20, 500
RATE = 150  # changes a second
SLACK_S = 0.1  # between a check and its line in the log


def run(lab: Lab) -> None:
    moving = [Zone(f"z{i}.test.", 12, 1) for i in range(30)]
    moving += [Zone("middle.test.", 2000, 20, 100), Zone("big.test.", 5000, 25, 1000)]
    still = [Zone(f"still{i}.test.", 6, 1, refresh=1) for i in range(3)]
    stream = Stream(lab, moving, still, lab.seed)
    apexes = list(stream.zones)
    secd = lab.secd(dict.fromkeys(apexes, [stream.primary]), start=False,
                    group_opts={"min-refresh": 1, "min-retry": 1})
    apart = state.alone(lab, secd, group_opts={"min-refresh": 1, "min-retry": 1})
    served = 0
    kills: list[float] = []
    for n in range(lab.times(KILLS, KILLS_SOAK)):
        secd.start()
        watch = Watch(secd, apexes)
        stream.run(secd, RATE)
        if n == 0:
            secd.wait_serial(still[0].apex, 1, 10 * secd.slow)
        until = time.monotonic() + lab.rng.uniform(0.03, 1.2) * secd.slow
        lab.wait(lambda at=until: time.monotonic() >= at, 30, "the moment")
        assert secd.alive(), f"ended with {secd.child.status}:\n{secd.tail()}"
        kills.append(time.time())
        secd.kill()
        stream.stop()
        floor = watch.stop()
        apart.start()
        loaded = state.wait_loaded(lab, apart, 10)
        served += int(loaded.keys["zones"])
        for apex in apexes:
            check(apart, stream, apex, floor.get(apex))
        secd.log.read()
        for zone in still:
            same_clocks(apart, zone.apex, kills, secd.log)
        apart.kill()
    came, cuts = secd.logged("xfr installed"), apart.logged("state cut")
    whole = sum(secd.logged("xfr installed", how=h) for h in ("axfr", "axfr-in-ixfr"))
    print(f"seed {lab.seed}: {came} versions came, {whole} of them whole; {served} zones loaded, "
          f"{cuts} writes cut off")
    assert came > 5 * len(apexes) and came - whole > 2 * len(apexes)
    for daemon in (secd, apart):
        assert not daemon.logged("state damaged") and not daemon.logged("state lost")
        assert not [x for x in daemon.log.read() if x.level == "error"]
        daemon._look_over()


def check(secd, stream: Stream, apex: str, floor: int | None) -> None:
    """It is one of the primary's versions, and no older than what was answered."""
    lines = state.dump(secd, apex)
    if lines is None:
        assert floor is None, f"{apex}: {floor} was answered, and it is gone\n{secd.tail()}"
        return
    serial = serial_of(lines)
    assert (floor or 1) <= serial <= stream.serials[apex], \
        f"{apex}: {serial}, and {floor} was answered; the primary has {stream.serials[apex]}"
    want = stream.zones[apex].lines(serial)
    assert sorted(lines) == sorted(want), f"{apex} {serial}: {state.differ(want, lines)}"


def same_clocks(secd, apex: str, kills: list[float], log) -> None:
    """EXPIRE runs from the last check, or from the last one that was not in a last moment."""
    checks = [at(x) for event in ("xfr installed", "zone current")
              for x in log.by_event.get(event, ()) if x.keys["zone"] == apex]
    surely = [x for x in checks
              if not any(x < kill < x + state.CLOCKS_S * secd.slow for kill in kills)]
    held = secd.ctl_json("zone", apex)["held"]
    if held is None:
        assert not surely, f"{apex}: nothing is left of {checks}"
        return
    began = held["expires"] - held["expire"]
    assert max(surely, default=0) - SLACK_S < began < max(checks, default=0) + SLACK_S, \
        f"{apex}: EXPIRE began at {began}, checks were {checks[-5:]}, kills {kills[-5:]}"


def at(line) -> float:
    return datetime.datetime.fromisoformat(line.time).timestamp()
