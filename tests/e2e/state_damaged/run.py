"""Whatever is flipped, cut off, missing or strange in the state, nothing wrong is served, nobody else's zone suffers, and all is fetched again."""
import os
import shutil

from lab import Lab, state
from lab.stream import Stream, Zone, serial_of

TIME_LIMIT = 180
FLIPS, CUTS, SOAK_TIMES = 24, 16, 10


class Bench:
    """A secd, another on the same state that knows no primary, and a sound state."""

    def __init__(self, lab: Lab):
        zones = [Zone(f"z{i}.test.", 8, 1) for i in range(10)]
        zones += [Zone("middle.test.", 600, 10, 100), Zone("big.test.", 4400, 11, 1000)]
        self.lab = lab
        self.stream = Stream(lab, zones, seed=lab.seed)
        self.apexes = list(self.stream.zones)
        opts = {"server_opts": {"old-versions": "off"}}  # each file is of what is newest
        self.secd = lab.secd(dict.fromkeys(self.apexes, [self.stream.primary]), start=False, **opts)
        self.alone = state.alone(lab, self.secd, **opts)
        for daemon in (self.secd, self.alone):
            daemon.expect_error("state damaged")
        self.sound = lab.dir / "sound"
        self.fill()
        self.records = [r for p in sorted(self.sound.iterdir()) if p.name != "lock"
                        for r in state.records(p)]
        own = {r.path for r in self.records if not r.apex}
        assert len(own) == 1, own
        for r in self.records:
            r.apex = r.apex or "big.test."

    def fill(self) -> None:
        """Several logs, whole zones and differences in each."""
        for n in range(4):
            self.secd.start()
            for serial in (4 * n + 1, 4 * n + 3):
                self.stream.serials.update(dict.fromkeys(self.apexes, serial))
                self.current()
            self.secd.stop()
        shutil.copytree(self.secd.state, self.sound)

    def current(self) -> None:
        """secd gets what the primary has."""
        got = self.secd.ctl("refresh", *self.apexes)
        assert got.returncode == 0, got.stderr
        for apex in self.apexes:
            self.secd.wait_serial(apex, self.stream.serials[apex], 20 * self.secd.slow)

    def lay_out(self):
        shutil.rmtree(self.secd.state)
        shutil.copytree(self.sound, self.secd.state)
        return self.secd.state

    def look(self, what: str, hit: set[str], *say: str, killed: bool = False) -> None:
        """A start without a primary: who is not hit is as before, who is has a version of its own
        or none; one of these events is told, or none of them, if none is given. killed: whatever
        was being written afresh in that moment may be cut off."""
        count = {e: self.alone.logged(e) for e in ("state damaged", "state cut", "state lost")}
        self.alone.start()
        state.wait_loaded(self.lab, self.alone)
        told = [e for e, n in count.items() if self.alone.logged(e) > n]
        if killed and "state cut" not in say:
            told = [e for e in told if e != "state cut"]
        assert set(say) & set(told) if say else not told, f"{what}: told {told}, not {say}"
        for apex in self.apexes:
            lines = state.dump(self.alone, apex)
            newest = self.stream.serials[apex]
            if lines is None:
                assert apex in hit, f"{what}: {apex} is gone; hit {hit}\n{self.alone.tail()}"
                assert self.alone.rcode(apex, "SOA") == "SERVFAIL"
                continue
            serial = serial_of(lines)
            want = self.stream.zones[apex].lines(serial)
            assert sorted(lines) == sorted(want), f"{what}: {apex}: {state.differ(want, lines)}"
            assert serial == newest or (apex in hit and serial < newest), \
                f"{what}: {apex}: {serial} of {newest}"
        self.alone.kill()

    def heal(self, what: str, damaged: str = "", *, traceless: bool = False,
             still: tuple = ()) -> None:
        """With the primary, all is as new within moments, and stays; a damaged log goes."""
        self.secd.start()
        if traceless:
            self.current()
        for apex in self.apexes:
            self.secd.wait_serial(apex, self.stream.serials[apex], 10 * self.secd.slow)
        before = dict(self.stream.serials)
        self.stream.serials.update({a: s + 1 for a, s in before.items()})
        self.current()
        if damaged.startswith("log-"):
            self.lab.wait(lambda: not (self.secd.state / damaged).exists(), 10 * self.secd.slow,
                          f"{damaged} goes")
        self.secd.kill()
        self.look(f"healed after {what}", set(), *still, killed=True)
        self.stream.serials.update(before)
        print(f"healed after {what}", flush=True)


def run(lab: Lab) -> None:
    bench = Bench(lab)
    bench.lay_out()
    bench.look("nothing", set())
    for n in range(lab.times(FLIPS, FLIPS * SOAK_TIMES)):
        flip(bench, heal=n % 8 == 7)
    for n in range(lab.times(CUTS, CUTS * SOAK_TIMES)):
        cut(bench, n, heal=n % 8 == 7)
    for path in sorted({r.path for r in bench.records}):
        missing(bench, path)
    garbage(bench)
    bench.heal("garbage", "log-00000f01", still=("state damaged",))


def flip(bench: Bench, heal: bool) -> None:
    """An octet of a record is another."""
    r = bench.lab.rng.choice(bench.records)
    at = r.at + bench.lab.rng.choice((bench.lab.rng.randrange(r.size),
                                      bench.lab.rng.randrange(min(r.size, 100))))
    path = bench.lay_out() / r.path.name
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bench.lab.rng.randrange(8)
    path.write_bytes(data)
    what = f"flip of {path.name} at {at} ({r})"
    bench.look(what, {r.apex}, *(("state lost",) if path.name.startswith("zone-")
                                 else ("state damaged", "state cut")))
    if heal:
        bench.heal(what, path.name)


def cut(bench: Bench, n: int, heal: bool) -> None:
    """A file ends early."""
    rng = bench.lab.rng
    name = rng.choice(sorted({r.path for r in bench.records})).name
    some = [r for r in bench.records if r.path.name == name]
    size = some[-1].end
    length = [0, 1, 31, 32, 33, 32 + 39][n] if n < 6 else rng.randrange(size)
    path = bench.lay_out() / name
    os.truncate(path, length)
    hit = {r.apex for r in some if r.end > length}
    clean = length <= 32 or any(r.end == length for r in some)
    # Of a zone's own file it shows at once, and its record is as good as none.
    bench.look(f"{name} cut to {length}", hit, *(
        () if name.startswith("zone-") or clean else ("state cut",)))
    if heal:
        bench.heal(f"{name} cut to {length}", name if not clean else "")


def missing(bench: Bench, sound) -> None:
    """A file is not there, or is empty."""
    hit = {r.apex for r in bench.records if r.path == sound}
    (bench.lay_out() / sound.name).unlink()
    bench.look(f"{sound.name} missing", hit)
    bench.heal(f"{sound.name} missing", traceless=sound == max(
        r.path for r in bench.records if r.path.name.startswith("log-")))


def garbage(bench: Bench) -> None:
    """Things that are none of its own, some with names that are."""
    there = bench.lay_out()
    numbers = {p.name.split("-")[1]: p.name.split("-")[0] for p in there.glob("*-*")}
    for name in ("log-", "log-1", "log-0000000G", "log-000000010", "LOG-00000001", "zone-",
                 "log-00000000", "zone-00000000", "core", ".hidden", "log-00000001.bak"):
        (there / name).write_bytes(bench.lab.rng.randbytes(3000))
    (there / "lost+found").mkdir()
    for number, kind in numbers.items():
        (there / f"{'log' if kind == 'zone' else 'zone'}-{number}").write_bytes(b"")
    (there / "log-00000f00").write_bytes(b"")
    (there / "log-ffffffff").write_bytes(b"")
    (there / "zone-fffffffe").write_bytes(b"")
    bench.look("garbage", set())
    (there / "log-00000f01").write_bytes(bench.lab.rng.randbytes(100_000) + bytes(5))
    (there / "zone-00000f02").write_bytes(bench.lab.rng.randbytes(100_000))
    (there / "log-00000f03").mkdir()
    (there / "zone-00000f04").mkdir()
    os.mkfifo(there / "log-00000f05")
    (there / "log-00000f06").symlink_to("/etc/passwd")
    (there / "zone-00000f07").symlink_to("log-00000f01")
    bench.look("garbage with names of ours", set(), "state damaged")
