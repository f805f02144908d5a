"""Whatever comes together with reloads (changes, NOTIFYs, pins, dumps, refusing disks, kills), each zone ends as its primary has it, and the next start has the same."""
import base64
import errno
import threading
import time

import dns.rdatatype

from lab import Lab, state, wire
from lab.disk import Disk
from lab.scripted import Send, Wait
from lab.zones import zone

TIME_LIMIT = 300
NAMES = [f"z{i}.test." for i in range(14)]
KEYS = [None] + [("k.", "hmac-sha256", base64.b64encode(f"secret {i}".encode()).decode()) for i in range(2)]
BULK = [wire.rr(f"t{i}.{NAMES[0]}", "TXT", (bytes([250]) + b"x" * 250) * 240) for i in range(72)]
# What a reload or a change may find the disk doing.
TROUBLES = ({"hangsync": 0}, {"hang": 0}, {"pwritev": errno.ENOSPC}, {"fdatasync": errno.EIO}, {"openat": errno.ENOSPC})


def records(apex: str, serial: int) -> list[bytes]:
    """The first zone is so large that it has files of its own; each version has some other records than that before
    it."""
    hosts = "".join(f"h{(serial * 7 + i) % 40} A 192.0.2.{i}\n" for i in range(10))
    small = wire.records(zone(apex, serial, refresh=30, retry=1, extra=hosts), apex)
    return small + (BULK if apex == NAMES[0] else [])


class Primaries:
    """Three that have the same; the last one is slow."""

    def __init__(self, lab: Lab):
        self.serial = dict.fromkeys(NAMES, 1)
        self.wires: dict[tuple[str, int], list[bytes]] = {}
        self.all = [lab.scripted_primary({}) for _ in range(3)]
        for p in self.all:
            p.on("IXFR", self._ixfr)
            p.on("AXFR", self._axfr)
        slow = self.all[2]
        slow.on("AXFR", lambda r: [Wait(0.1), *self._axfr(r)])
        slow.on("SOA", lambda r: [Wait(0.02), Send(r.soa())])
        for apex in NAMES:
            self.set(apex, 1)

    def set(self, apex: str, serial: int) -> None:
        self.serial[apex] = serial
        self.wires[apex, serial] = records(apex, serial)
        for p in self.all:
            p.set_records(apex, self.wires[apex, serial])

    def set_key(self, key) -> None:
        for p in self.all:
            p.set_key(key)

    @staticmethod
    def _axfr(r):
        return r.axfr(per_message=1 if r.apex == NAMES[0] else 8)

    def _ixfr(self, r):
        soa = [rr for rrset in r.msg.authority for rr in rrset if rr.rdtype == dns.rdatatype.SOA]
        was, now = self.wires.get((r.apex, soa[0].serial)), r.records
        if not was or not now:
            return [Send(r.answer(rcode=5))]
        if was[0] == now[0]:
            return [Send(r.soa())]
        gone = [rr for rr in was[1:] if rr not in now]
        new = [rr for rr in now[1:] if rr not in was]
        return [Send(r.answer([now[0], was[0], *gone, now[0], *new, now[0]]))]


class Soak:
    def __init__(self, lab: Lab):
        self.lab, self.rng = lab, lab.rng
        self.primaries = Primaries(lab)
        self.key = None
        self.durability = self.rng.choice(("commit", "commit", "relaxed"))
        self.spare = lab.port("127.0.0.2")
        self.secd = lab.secd({apex: [self.primaries.all[0]] for apex in NAMES}, start=False)
        self.home = self.secd.listen[0]
        self.disk = Disk(lab, self.secd)
        for event in ("state failing", "settings refused", "settings fault"):  # the last: a file half written
            self.secd.expect_error(event)
        self.asked: list[threading.Thread] = []
        self.done: dict[str, int] = {}
        lab.release(self.spare)

    def later(self, *words: str) -> None:
        """A command, beside whatever comes next."""
        thread = threading.Thread(target=self.secd.ctl, args=words, daemon=True)
        thread.start()
        self.asked.append(thread)

    def settings(self, zones=None, workers: int = 1, key: bool = False) -> None:
        rng = self.rng
        options = {"max-connections": rng.choice((1, 2, 8)), "max-transfers": rng.choice((1, 3, 8))}
        if rng.random() < 0.3:
            options["max-rate"] = rng.choice((50, 100, 500))
        if key:
            self.key = rng.choice(KEYS)
            self.primaries.set_key(self.key)
        extra = ""
        if self.key:
            options["key"] = "k"
            extra = f"\n[key k]\nalgorithm = {self.key[1]}\nsecret = {self.key[2]}\n"
        self.secd.zones = zones or {
            apex: rng.sample(self.primaries.all, rng.choice((1, 1, 2, 3)))
            for apex in rng.sample(NAMES, rng.randrange(5, len(NAMES) + 1))}
        self.secd.listen = [self.home] + ([("127.0.0.2", self.spare)] if rng.random() < 0.3 else [])
        self.secd.write_ini(workers=workers, primary_opts=options, ini_extra=extra, server_opts={
            "durability": self.durability,
            "keep-removed": rng.choice(("0", "1w", "1w")), "tcp-clients": rng.choice((20, 100)),
            "builders": rng.choice((1, 2, 3)), "transfers": rng.choice((1, 10, 100))})

    # --- what happens ------------------------------------------------------------------------

    def change(self) -> None:
        apex = self.rng.choice(NAMES)
        self.primaries.set(apex, self.primaries.serial[apex] + 1)
        if self.rng.random() < 0.8:
            self.notify(apex)

    def notify(self, apex: str | None = None) -> None:
        apex = apex or self.rng.choice(NAMES)
        try:
            self.primaries.all[0].notify(self.secd, apex, self.primaries.serial[apex], timeout=0.3)
        except (TimeoutError, ConnectionError):
            pass

    def reload(self) -> None:
        self.settings(workers=self.rng.choice((1, 1, 2, 3)), key=self.rng.random() < 0.2)
        self.later("reload", "--force") if self.rng.random() < 0.5 else self.secd.ctl("reload", "--force")

    def there_and_back(self) -> None:
        """Some zones go and come back at once."""
        zones, workers = self.secd.zones, 1
        for some in ({a: p for a, p in zones.items() if self.rng.random() < 0.5}, zones):
            self.settings(zones=some or zones, workers=workers)
            self.secd.ctl("reload", "--force")

    def pin(self) -> None:
        apex = self.rng.choice(NAMES)
        if self.rng.random() < 0.4:
            self.later("unpin", apex)
        else:
            self.later("pin", apex, *([str(self.rng.randrange(1, self.primaries.serial[apex] + 1))]
                                      if self.rng.random() < 0.7 else []))

    def look(self) -> None:
        self.later(*self.rng.choice((("zones", "--all"), ("status",), ("dump", self.rng.choice(NAMES)), ("metrics",),
                                     ("refresh", *NAMES[:5]), ("versions", self.rng.choice(NAMES)))))

    def trouble(self) -> None:
        self.disk.refuse(**self.rng.choice(TROUBLES))

    def heal(self) -> None:
        self.disk.take()

    def again(self) -> None:
        self.disk.take()
        if self.rng.random() < 0.5:
            self.secd.kill()
        else:
            self.secd.stop()
        self.secd.start()

    def run(self, seconds: float) -> None:
        self.settings(zones=self.secd.zones)
        self.secd.start()
        deeds = [self.change] * 10 + [self.notify] * 3 + [self.reload] * 4 + [self.there_and_back] * 4 \
            + [self.pin] * 3 + [self.look] * 3 + [self.trouble] * 2 + [self.heal] * 4 + [self.again]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            deed = self.rng.choice(deeds)
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1
            deed()
        self.disk.take()
        for thread in self.asked:
            thread.join(30)
            assert not thread.is_alive(), "a command has no end"

    # --- what is to have come of it ----------------------------------------------------------

    def is_current(self, apex: str) -> bool:
        return self.secd.serial(apex) == self.primaries.serial[apex]

    def check(self) -> None:
        secd = self.secd
        self.primaries.set_key(None)
        self.key = None
        self.settings(zones={apex: [self.primaries.all[0]] for apex in NAMES})

        def loaded() -> bool:
            got = secd.ctl("reload", "--force")
            return got.returncode == 0 or "still leaving" not in got.stderr
        self.lab.wait(loaded, 70, "the last reload")
        self.lab.wait(lambda: all(secd.serial(apex) for apex in NAMES), 20, "all zones are there")
        secd.ctl("unpin", *NAMES)
        secd.ctl("refresh", *NAMES)
        self.lab.wait(lambda: all(map(self.is_current, NAMES)), 15, "all zones are current: " + str(
            [(a, secd.serial(a), self.primaries.serial[a]) for a in NAMES]))
        self.lab.wait(lambda: secd.ctl_json("status")["state"]["unsaved"] == 0, 60, "all is saved")
        before = {}
        for apex in NAMES:
            self.lab.wait(lambda a=apex: secd.ctl_json("zone", a)["state"] == "fresh", 10, f"{apex} is fresh")
            before[apex] = state.Sight.of(secd, apex)
            want = self.primaries.wires[apex, self.primaries.serial[apex]]
            assert len(before[apex].lines) == len(want), f"{apex}: {len(before[apex].lines)} records of {len(want)}"
            if apex != NAMES[0]:
                got = wire.records("\n".join(before[apex].lines), apex)
                assert sorted(got) == sorted(want), f"{apex}: {before[apex].lines}"
        for p in self.primaries.all:
            p.stop()
        secd.restart()
        state.wait_loaded(self.lab, secd)
        for apex in NAMES:
            before[apex].check(state.Sight.of(secd, apex))
        assert not secd.logged("state lost") and not secd.logged("state damaged")


def run(lab: Lab) -> None:
    soak = Soak(lab)
    soak.run(lab.times(2, 60))
    soak.check()
    print(soak.done, {e: soak.secd.logged(e) for e in sorted(soak.secd.log.by_event)})
