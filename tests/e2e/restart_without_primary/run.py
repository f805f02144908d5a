"""After SIGKILL, and with no primary in sight, every zone is answered as before, with its old clocks, and goes on by IXFR."""
import datetime

from lab import Lab, state
from lab.peers import KNOT_SIGNS
from lab.zones import RICH, large, questions, zone

TIME_LIMIT = 90
SMALL = 400  # with a REFRESH of a second: all are overdue when secd comes back
BIG = 250_000
ROUNDS = 5
JOURNAL = "zonefile-load: difference\njournal-content: all\n"


def history(serial: int) -> str:
    return zone("history.test.", serial, extra="".join(
        f"v{i} A 10.9.0.{i}\n" for i in range(serial % 7, serial + 3)) + RICH)


def primaries(lab: Lab, port: int) -> dict:
    to = [("127.0.0.1", port)]
    small = lab.knot({f"z{i}.test.": zone(f"z{i}.test.", 1 + i, refresh=1, retry=1, expire=3600)
                      for i in range(SMALL)}, start=False)
    big = lab.knot({"big.test.": large(lab.dir / "big.zone", "big.test.", 7, BIG)}, start=False)
    out = {"big.test.": big, "history.test.": lab.knot(
        {"history.test.": history(1)}, notify=to, zone_extra=JOURNAL)}
    for kind in ("nsec", "nsec3"):
        apex = f"{kind}.test."
        out[apex] = lab.knot({apex: zone(apex, 3, extra=RICH)}, notify=to, extra=KNOT_SIGNS,
                             zone_extra=f"dnssec-signing: on\ndnssec-policy: {kind}\n")
    for primary in (small, big):
        primary.start()
        primary.wait_ready(20)
    return out | dict.fromkeys(small.zones, small)


def run(lab: Lab) -> None:
    port = lab.port()
    of = primaries(lab, port)
    secd = lab.secd({apex: [p] for apex, p in of.items()}, listen=port, workers=2,
                    group_opts={"min-refresh": 1, "min-retry": 1})
    lab.wait(lambda: secd.logged("xfr installed") >= len(of), 30 * secd.slow, "all zones")
    for serial in range(2, 2 + ROUNDS):
        of["history.test."].update("history.test.", history(serial))
        secd.wait_serial("history.test.", serial, 5 * secd.slow)
    assert secd.logged("xfr installed", zone="history.test.", how="ixfr") == ROUNDS
    for apex in ("nsec.test.", "nsec3.test."):
        secd.wait_serial(apex, of[apex].serial(apex), 10)
    assert state.files(secd, "zone-*"), "the big zone has a file of its own"

    for primary in {id(p): p for p in of.values()}.values():
        primary.kill()
    # What was learnt before is on the disk when something that was learnt later is.
    asked = [q for apex in list(of)[:20] for q in questions(apex)]
    asked += [(f"h{i}.big.test.", "A") for i in lab.rng.sample(range(BIG), 200)]
    asked += [(apex, "SOA") for apex in of]
    some = [*list(of)[:5], "z0.test.", f"z{SMALL - 1}.test."]
    secd.wait_log("zone unrefreshed", 10 * secd.slow, zone="z0.test.")
    before = [state.answers(secd, asked, do=do) for do in (False, True)]
    sights = {apex: state.Sight.of(secd, apex) for apex in some}
    secd.kill()

    installed = secd.logged("xfr installed")
    secd.start()
    loaded = state.wait_loaded(lab, secd, 2)
    assert (loaded.keys["zones"], loaded.keys["lost"]) == (str(len(of)), "0"), loaded.text
    assert not secd.logged("state cut") and not secd.logged("state lost")
    for old, do in zip(before, (False, True), strict=True):
        state.same_answers(old, state.answers(secd, asked, do=do))
    for apex, sight in sights.items():
        sight.check(state.Sight.of(secd, apex))
    assert secd.logged("xfr installed") == installed
    spread(lab, secd, loaded)
    again(secd, of)


def spread(lab: Lab, secd, loaded) -> None:
    """Zones that were due meanwhile are asked for one after the other."""
    def due() -> list:
        return [x for x in secd.lines("zone due") if x.time >= loaded.time]

    lab.wait(lambda: len({x.keys["zone"] for x in due()}) >= SMALL, 10 * secd.slow, "all due")
    first: dict[str, float] = {}
    for line in due():
        at = datetime.datetime.fromisoformat(line.time).timestamp()
        first.setdefault(line.keys["zone"], at)
    times = sorted(first.values())
    most = max(sum(t <= x < t + 0.04 for x in times) for t in times)
    print(f"polls over {times[-1] - times[0]:.3f} s, at most {most} in 40 ms")
    assert times[-1] - times[0] > SMALL / 1000 / 2
    assert most < SMALL / 3


def again(secd, of: dict) -> None:
    """The primary comes back with a change, which is a difference to what was on the disk."""
    primary = of["history.test."]
    primary._put(primary.zones["history.test."], history(20))
    count = secd.logged("xfr installed", zone="history.test.", how="ixfr")
    primary.start()
    primary.wait_ready(15)
    secd.ctl("refresh", "history.test.")
    secd.wait_serial("history.test.", 20, 10 * secd.slow)
    assert secd.logged("xfr installed", zone="history.test.", how="ixfr") == count + 1
    secd.kill()
    primary.kill()
    secd.start()
    secd.wait_serial("history.test.", 20, 2 * secd.slow)
