"""Told to stop at any moment, while it looks through its state, loads, transfers or saves, it ends well within a second and loses nothing."""
import signal
import subprocess
import time

from lab import Lab, state
from lab.stream import Stream, Watch, Zone, serial_of

TIME_LIMIT = 120
SANITIZED = False
STOPS, STOPS_SOAK = 15, 300


def run(lab: Lab) -> None:
    zones = [Zone(f"z{i}.test.", 12, 1) for i in range(40)]
    zones += [Zone("middle.test.", 20_000, 20, 100), Zone("big.test.", 5000, 25, 1000)]
    stream = Stream(lab, zones, seed=lab.seed)
    apexes = list(stream.zones)
    secd = lab.secd(dict.fromkeys(apexes, [stream.primary]), workers=2,
                    group_opts={"min-refresh": 1, "min-retry": 1})
    for apex in apexes:
        secd.wait_serial(apex, 1, 20 * secd.slow)
    secd.stop()
    slowest = 0.0
    for n in range(lab.times(STOPS, STOPS_SOAK)):
        started = secd.logged("secd started")
        watch = Watch(secd, apexes)
        stream.run(secd, 150)
        secd.start(wait=False)
        # Before it watches for signals, a signal is its death, and nobody's fault.
        secd.wait_log("secd started", 10 * secd.slow, count=started + 1)
        most = (0.02, 0.08, 0.8)[n % 3] * secd.slow
        until = time.monotonic() + lab.rng.uniform(0, most)
        while time.monotonic() < until:
            time.sleep(0)
        began = time.monotonic()
        secd.signal(signal.SIGTERM)
        try:
            status = secd.child.wait(1.0 * secd.slow)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there\n{secd.tail()}") from None
        slowest = max(slowest, time.monotonic() - began)
        stream.stop()
        floor = watch.stop()
        assert status == 0, f"exit status {status}\n{secd.tail()}"
        secd._look_over()
        if n % 5 == 4:
            look(lab, secd, stream, floor)
    print(f"seed {lab.seed}: the slowest stop took {slowest:.3f} s")


def look(lab: Lab, secd, stream: Stream, floor: dict[str, int]) -> None:
    """A start that reaches the primary, but has no time to hear of changes."""
    secd.start()
    state.wait_loaded(lab, secd)
    for apex, zone in stream.zones.items():
        lines = state.dump(secd, apex)
        assert lines, f"{apex} is gone"
        serial = serial_of(lines)
        assert floor.get(apex, 1) <= serial <= stream.serials[apex], f"{apex}: {serial}"
        assert sorted(lines) == sorted(zone.lines(serial)), apex
    secd.stop()
