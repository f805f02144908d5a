"""While changes stream in, and old files are cleaned up, each dump is a whole version that is no older than what was answered before."""
import time

from lab import Lab, state
from lab.stream import Stream, Zone, serial_of

TIME_LIMIT = 150
LEAST, LEAST_SOAK = 12, 400  # rounds
RATE = 60  # changes a second


def run(lab: Lab) -> None:
    zones = [Zone(f"z{i}.test.", 12, 1) for i in range(10)]
    zones += [Zone("middle.test.", 2000, 250, 900), Zone("big.test.", 5000, 250, 1000),
              Zone("bigger.test.", 6000, 200, 1000)]
    stream = Stream(lab, zones, [], lab.seed)
    apexes = list(stream.zones)
    secd = lab.secd(dict.fromkeys(apexes, [stream.primary]),
                    group_opts={"min-refresh": 1, "min-retry": 1})
    lab.wait(lambda: all(secd.serial(a) for a in apexes), 30 * secd.slow, "all zones")
    seen = {p.name for p in state.files(secd)}
    stream.run(secd, RATE)
    rounds = dumps = 0
    until = time.monotonic() + 60 * secd.slow
    # Until files have gone: a log, and one of a big zone. Those of the first versions may stay: they are the
    # oldest of the hour.
    while rounds < (LEAST_SOAK if lab.soak else LEAST) or not cleaned(secd, seen):
        assert time.monotonic() < until, f"nothing was cleaned up: {state.files(secd)}"
        for apex in apexes[-5:]:
            dumps += check(secd, stream, apex)
        check_all(lab, secd, stream, apexes)
        rounds += 1
    stream.stop()
    print(f"seed {lab.seed}: {rounds} rounds, {dumps} dumps, "
          f"{secd.logged('xfr installed')} versions, {len(state.files(secd))} files")


def cleaned(secd, seen: set) -> bool:
    """Is something gone that was there before? What is there now is seen from here on."""
    now = {p.name for p in state.files(secd)}
    gone = seen - now
    seen |= now
    return any(name.startswith("log") for name in gone) and any(name.startswith("zone") for name in gone)


def check(secd, stream: Stream, apex: str) -> int:
    floor = secd.serial(apex)
    got = secd.offline("--dump", apex)
    assert got.returncode == 0 and not got.stderr, got.stderr
    right(stream, apex, floor, got.stdout)
    return 1


def check_all(lab: Lab, secd, stream: Stream, apexes: list[str]) -> None:
    floor = {apex: secd.serial(apex) for apex in apexes}
    to = lab.dir / "all"
    got = secd.offline("--dump-all", str(to))
    assert got.returncode == 0 and got.stderr.startswith(
        f"secd: {len(apexes)} of {len(apexes)} zones to {to}, "), got.stderr
    for apex in apexes:
        right(stream, apex, floor[apex], (to / f"{apex}zone").read_text())


def right(stream: Stream, apex: str, floor: int, text: str) -> None:
    lines = [x for x in text.splitlines() if not x.startswith(";")]
    serial = serial_of(lines)
    assert floor <= serial <= stream.serials[apex], \
        f"{apex}: {serial}, and {floor} was answered"
    want = stream.zones[apex].lines(serial)
    assert sorted(lines) == sorted(want), f"{apex} {serial}: {state.differ(want, lines)}"
