"""A zone of 200,000 records is replaced under load without a loss, and small changes don't wait.

Beside it runs a server that loads the same zone, so what is lost is held against a run without
the change, and a change of a small zone must be served within a second all the while."""
import re
import time

from lab import Lab
from lab.zones import large, zone

ALONE = True
TIME_LIMIT = 90
BIG = 200_000
LOST_SHARE = 0.0005  # of the queries, beyond what a quiet run loses


class Load:
    """A run of dnsperf; its figures when it has ended."""

    def __init__(self, lab: Lab, secd, seconds: int, rate: int | None = None):
        self.log = lab.dir / lab.unique("dnsperf")
        argv = ["stdbuf", "-oL", "dnsperf", "-s", secd.addr, "-p", str(secd.port), "-d",
                str(lab.dir / "questions"), "-l", str(seconds), "-t", "2", "-c", "8", "-q", "200"]
        self.child = lab.spawn(argv + (["-Q", str(rate)] if rate else []), self.log)
        self.seconds = seconds

    def figures(self) -> dict[str, float]:
        self.child.wait(self.seconds + 15)
        text = self.log.read_text()
        return {key: float(re.search(rf"{label}:\s+([\d.]+)", text).group(1))
                for key, label in (("sent", "Queries sent"), ("lost", "Queries lost"),
                                   ("qps", "Queries per second"))} | {
                "max_ms": 1000 * float(re.search(r"max ([\d.]+)\)", text).group(1))}


def run(lab: Lab) -> None:
    port = lab.port()
    versions = [large(lab.dir / f"big{n}.zone", "big.test.", n, BIG) for n in (1, 2)]
    (lab.dir / "questions").write_text("".join(
        f"h{lab.rng.randrange(BIG)}.big.test. A\n" for _ in range(50_000)))
    to = [("127.0.0.1", port)]
    big = lab.knot({"big.test.": versions[0]}, notify=to)
    small = lab.nsd({"small.test.": zone("small.test.", 1)}, notify=to)
    secd = lab.secd({"big.test.": [big], "small.test.": [small]}, listen=port, workers=1)
    secd.wait_serial("big.test.", 1, 20 * secd.slow)
    secd.wait_serial("small.test.", 1, 5)

    most = Load(lab, secd, 2).figures()["qps"]
    rate = int(most / 2)
    quiet = Load(lab, secd, 4, rate).figures()
    load = Load(lab, secd, 6, rate)
    lab.wait(lambda: load.log.exists() and "Started" in load.log.read_text(), 5, "load started")
    began = time.monotonic()
    big.update("big.test.", versions[1])
    took = []
    for serial in range(2, 8):  # small changes while the big one comes in
        changed = time.monotonic()
        small.update("small.test.", zone("small.test.", serial))
        secd.wait_serial("small.test.", serial, 1.5 * secd.slow)
        took.append(time.monotonic() - changed)
    secd.wait_serial("big.test.", 2, 5 * secd.slow)
    installed = time.monotonic() - began
    busy = load.figures()
    print(f"most {most:.0f}/s; quiet {quiet}; while replaced {busy}; big zone served after "
          f"{installed:.2f} s; small changes after {[round(t, 3) for t in took]} s")
    lost = busy["lost"] / busy["sent"] - quiet["lost"] / quiet["sent"]
    assert lost <= LOST_SHARE, f"lost {busy} against {quiet}"
    assert max(took) < 1.0 * secd.slow, f"small changes took {took} s"
    compare_some(lab, secd)


def compare_some(lab: Lab, secd) -> None:
    """The new version is whole."""
    for i in lab.rng.sample(range(BIG), 200):
        r = secd.query(f"h{i}.big.test.")
        assert r.answer[0][0].address == f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", r
