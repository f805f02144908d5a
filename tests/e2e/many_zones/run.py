"""Two thousand small zones are all served soon after the start, and follow their changes."""
import time

from lab import Lab
from lab.zones import version_addr, zone

ZONES = 2000


def run(lab: Lab) -> None:
    port = lab.port()
    apexes = [f"z{i}.many.test." for i in range(ZONES * (10 if lab.soak else 1))]
    primary = lab.knot({a: zone(a, i + 1) for i, a in enumerate(apexes)},
                       notify=[("127.0.0.1", port)])
    began = time.monotonic()
    secd = lab.secd({a: [primary] for a in apexes}, listen=port, workers=2)
    lab.wait(lambda: secd.logged("xfr installed") >= len(apexes), 20 * secd.slow * (
        10 if lab.soak else 1), "all zones installed")
    print(f"{len(apexes)} zones after {time.monotonic() - began:.2f} s")
    for i, apex in enumerate(apexes):
        r = secd.query(f"www.{apex}")
        assert r.answer and r.answer[0][0].address == version_addr(i + 1), f"{apex}: {r}"
    changed = lab.rng.sample(range(len(apexes)), 50)
    for i in changed:
        primary.update(apexes[i], zone(apexes[i], i + 100_000))
    for i in changed:
        secd.wait_serial(apexes[i], i + 100_000, 5)
