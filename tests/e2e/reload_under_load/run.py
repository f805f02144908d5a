"""Settings change again and again under load, workers and addresses among them, and no query is lost by it."""
import re
import threading

from lab import Lab, dnsio
from lab.zones import zone

ALONE = True
TIME_LIMIT = 60
SECONDS = 5


class Connections:
    """TCP, one connection for each question: each must be answered."""

    def __init__(self, secd):
        self.secd, self.asked, self.failed = secd, 0, []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ends.wait(0.002):
            self.asked += 1
            try:
                r = dnsio.ask(self.secd.addr, self.secd.port, "www.load0.test.", "A", tcp=True)
                assert r.rcode() == 0
            except Exception as e:  # noqa: BLE001
                self.failed.append(repr(e))

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


def run(lab: Lab) -> None:
    names = [f"load{i}.test." for i in range(20)]
    primary = lab.scripted_primary({apex: zone(apex, 1) for apex in names})
    spare = lab.port("127.0.0.2")  # where nobody comes from
    secd = lab.secd({apex: [primary] for apex in names}, workers=2)
    for apex in names:
        secd.wait_serial(apex, 1, 10)
    secd.expect_error("settings refused", why="workers: some are still leaving; again in a minute")
    home = secd.listen[0]
    (lab.dir / "questions").write_text("".join(f"www.{apex} A\n" for apex in names[:10]))
    log = lab.dir / "dnsperf"
    perf = lab.spawn(["stdbuf", "-oL", "dnsperf", "-s", secd.addr, "-p", str(secd.port), "-d",
                      str(lab.dir / "questions"), "-l", str(SECONDS), "-c", "16", "-Q",
                      "20000" if secd.slow == 1 else "2000"], log)
    lab.wait(lambda: log.exists() and "Started" in log.read_text(), 5, "load started")
    tcp = Connections(secd)
    lab.release(spare)
    reloads = 0
    while perf.alive():
        workers = lab.rng.choice((1, 2, 3, 4))
        kept = lab.rng.sample(names[10:], 5)
        secd.zones = {apex: [primary] for apex in names[:10] + kept}
        secd.listen = [home, ("127.0.0.2", spare)] if lab.rng.random() < 0.5 else [home]
        secd.write_ini(workers=workers, server_opts={"tcp-clients": lab.rng.randrange(100, 200)})
        got = secd.ctl("reload")
        assert got.returncode == 0 or "still leaving" in got.stderr, got
        reloads += got.returncode == 0
    tcp.end()
    secd.listen = [home]
    text = log.read_text()
    sent, lost = (int(re.search(rf"Queries {w}:\s+(\d+)", text).group(1)) for w in ("sent", "lost"))
    print(f"{reloads} reloads, {sent} queries, {lost} lost; {tcp.asked} connections")
    assert reloads >= 5 and sent > 1000 and tcp.asked > 100
    assert lost == 0, text
    assert not tcp.failed, tcp.failed[:5]
    for apex in names[:10]:
        assert secd.logged("xfr installed", zone=apex) == 1, "what stays goes on"
