"""After a reboot EXPIRE has run on if the time of day was known to be right; if not, nothing expires until it is."""
import shutil
import time
import uuid

from lab import Lab, state
from lab.disk import preload
from lab.zones import zone

TIME_LIMIT = 120
EXPIRE = 600  # of the short one; the other's is a day
DOWN = 1000   # how long the machine is away
SHORT, LONG = "short.test.", "long.test."
UP = 30       # of the other boot when secd starts


class Bench:
    def __init__(self, lab: Lab):
        self.lab = lab
        self.primary = lab.scripted_primary({SHORT: zone(SHORT, expire=EXPIRE, refresh=300, retry=100),
                                             LONG: zone(LONG)})
        self.synced = lab.dir / "synced"
        self.boot_id = lab.dir / "boot_id"
        self.up = 0
        self.seen = 0.0
        self.secd = lab.secd({SHORT: [self.primary], LONG: [self.primary]}, start=False)

    def start(self, *, wall: int = 0, synced: bool = True, other: bool = True,
              unknown: bool = False) -> None:
        """In another boot, or that of the last time; the time of day is off by wall."""
        if other:
            self.boot_id.write_text(f"{uuid.UUID(int=self.lab.rng.getrandbits(128))}\n")
        if unknown:
            self.boot_id.unlink()
        self.sync(synced)
        if other:
            self.up = UP - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        preload(self.secd, "reboot", REBOOT_ID=str(self.boot_id), REBOOT_UP=str(self.up),
                REBOOT_WALL=str(wall), REBOOT_SYNCED=str(self.synced))
        self.secd.start()
        state.wait_loaded(self.lab, self.secd)

    def sync(self, synced: bool) -> None:
        if synced:
            self.synced.touch()
        else:
            self.synced.unlink(missing_ok=True)

    def saved(self, *, synced: bool) -> dict[str, dict]:
        """A state that was written in some boot: what is known of each zone."""
        self.primary.start()
        shutil.rmtree(self.secd.state, ignore_errors=True)
        self.start(synced=synced, other=False)
        for apex in (SHORT, LONG):
            self.secd.wait_serial(apex, 1, 5)
        self.primary.stop()
        held = self.held()
        self.seen = time.monotonic()
        self.secd.kill()
        return held

    def unknown(self) -> float:
        """So much later EXPIRE may come where nobody knows how long secd was away: that long, and what is not exact."""
        return 1.5 + time.monotonic() - self.seen

    def held(self) -> dict[str, dict]:
        return {apex: self.secd.ctl_json("zone", apex)["held"] for apex in (SHORT, LONG)}

    def served(self, short: bool, told: dict[str, int]) -> None:
        """LONG is, and SHORT if short; these events were told so often since then."""
        assert self.secd.rcode("www." + LONG) == "NOERROR"
        rcode = self.secd.rcode("www." + SHORT)
        assert rcode == ("NOERROR" if short else "SERVFAIL"), rcode
        for event, count in told.items():
            assert self.secd.logged(event) == count, f"{event}: {self.secd.tail()}"


def near(a: float, b: float, within: float = 1.5) -> None:
    assert abs(a - b) <= within, f"{a} / {b}: {a - b:+.3f}"


def run(lab: Lab) -> None:
    bench = Bench(lab)
    secd = bench.secd
    bench.boot_id.write_text(f"{uuid.UUID(int=lab.rng.getrandbits(128))}\n")

    # At once, all is as it was.
    was = bench.saved(synced=True)
    bench.start()
    for apex, held in bench.held().items():
        near(held["expires"], was[apex]["expires"])
        near(held["checked"], was[apex]["checked"], 2.5)
    bench.served(True, {"state clock-unsure": 0})
    secd.kill()

    # The machine was down for longer than EXPIRE.
    was = bench.saved(synced=True)
    bench.start(wall=DOWN)
    near(bench.held()[LONG]["expires"], was[LONG]["expires"])
    bench.served(False, {"state clock-unsure": 0})
    secd.kill()

    # Nobody knows how long; then the time of day comes.
    was = bench.saved(synced=True)
    bench.start(wall=DOWN, synced=False)
    for apex, held in bench.held().items():
        near(held["expires"] - DOWN, was[apex]["expires"], bench.unknown())
    bench.served(True, {"state clock-unsure": 1})
    again = bench.held()
    secd.kill()  # ... nor after a start of secd alone
    bench.start(wall=DOWN, synced=False, other=False)
    near(bench.held()[LONG]["expires"], again[LONG]["expires"], 3)
    bench.served(True, {"state clock-unsure": 2, "state clock-settled": 0})
    bench.sync(True)
    secd.wait_log("state clock-settled", 12 * secd.slow)
    secd.wait_rcode("www." + SHORT, "A", "SERVFAIL", 2)
    near(bench.held()[LONG]["expires"], was[LONG]["expires"], 3)
    bench.served(False, {})
    secd.kill()
    bench.start(wall=DOWN, other=False)
    near(bench.held()[LONG]["expires"], was[LONG]["expires"], 3)
    bench.served(False, {"state clock-unsure": 2})
    secd.kill()

    in_doubt(bench)

    # It was not right when secd ran, or it went back.
    bench.saved(synced=False)
    bench.start(wall=DOWN)
    bench.served(True, {"state clock-unsure": 4})
    secd.kill()
    bench.saved(synced=True)
    bench.start(wall=-DOWN)
    bench.served(True, {"state clock-unsure": 5})
    confirmed(bench)

    # No boot has a name.
    bench.boot_id.write_text("x\n")
    bench.saved(synced=True)
    bench.start(wall=DOWN, unknown=True)
    bench.served(False, {})
    secd.kill()

    # ... nor had the one before: each zone knows by itself when it was saved.
    for synced in (True, False):
        bench.saved(synced=True)
        bench.start(wall=DOWN, synced=synced, unknown=True)
        bench.served(not synced, {"state clock-unsure": 5 if synced else 6})
        secd.kill()
    back_late(bench)
    undated(bench)


def in_doubt(bench: Bench) -> None:
    """Whose age is known at last may have been newer all the same: what says so stays for the next start."""
    secd = bench.secd
    bench.saved(synced=True)
    with open(max(state.files(secd, "log-*")), "ab") as log:
        log.write(bytes(64))
    bench.start(wall=10, synced=False)
    bench.sync(True)
    secd.wait_log("state clock-settled", 12 * secd.slow, 2)
    bench.served(True, {"state clock-unsure": 3, "state cut": 1})
    secd.kill()
    bench.start(wall=10, other=False)
    bench.served(True, {"state clock-unsure": 3, "state cut": 2})
    secd.kill()


def confirmed(bench: Bench) -> None:
    """What a primary confirms is sure: it stays so over the next start."""
    bench.primary.start()
    bench.secd.ctl("refresh", SHORT, LONG)
    for apex in (SHORT, LONG):
        bench.secd.wait_log("zone current", 5, zone=apex)
    was = bench.held()
    assert was[SHORT]["expires"] - bench.secd.ctl_json("zone", SHORT)["now"] > EXPIRE - 3
    bench.primary.stop()
    count = bench.secd.logged("state clock-unsure")
    bench.lab.wait(lambda: saved_clocks(bench), 5, "clocks are saved")
    bench.secd.kill()
    bench.start(wall=-DOWN, other=False)
    for apex, held in bench.held().items():
        near(held["expires"], was[apex]["expires"], 3)
    bench.served(True, {"state clock-unsure": count})
    bench.secd.kill()


def saved_clocks(bench: Bench) -> bool:
    """Both zones' newest record is of their clocks, and of this start."""
    some = [r for p in state.files(bench.secd, "log-*") for r in state.records(p)]
    last = {r.apex: r for r in some}
    newest = max(state.files(bench.secd, "log-*"))
    return all(r.kind == 3 and r.path == newest for r in last.values()) and len(last) == 2


def back_late(bench: Bench) -> None:
    """A zone comes back by a reload when nobody knows yet how long the machine was down: it has what it would have
    if it had been there since the start."""
    secd, both = bench.secd, bench.secd.zones
    bench.boot_id.write_text(f"{uuid.UUID(int=bench.lab.rng.getrandbits(128))}\n")
    was = bench.saved(synced=True)
    secd.zones = {LONG: both[LONG]}
    secd.write_ini()
    bench.start(wall=DOWN, synced=False)
    began = time.monotonic()
    bench.lab.wait(lambda: time.monotonic() - began > 1.5, 5, "it has run for a while")
    secd.zones = both
    secd.write_ini()
    secd.ctl_json("reload")
    secd.wait_serial(SHORT, 1, 5)
    now = bench.held()
    near(now[SHORT]["expires"] - now[LONG]["expires"], was[SHORT]["expires"] - was[LONG]["expires"], 0.5)
    secd.kill()


def undated(bench: Bench) -> None:
    """One that was taken out by a clock that is wrong does not go for that when it is right."""
    secd, both = bench.secd, bench.secd.zones
    bench.boot_id.write_text(f"{uuid.UUID(int=bench.lab.rng.getrandbits(128))}\n")
    bench.saved(synced=True)
    bench.start(wall=-8 * 86400, synced=False)
    secd.zones = {LONG: both[LONG]}
    secd.write_ini()
    secd.ctl_json("reload")
    secd.stop()
    bench.start(other=False)
    until = time.monotonic() + 0.6  # the list is looked through within half a second
    bench.lab.wait(lambda: time.monotonic() > until, 5, "it could have gone")
    assert not secd.logged("state forgets")
    secd.zones = both
    secd.write_ini()
    secd.ctl_json("reload")
    secd.wait_log("zone back", 5, zone=SHORT)
    secd.kill()
