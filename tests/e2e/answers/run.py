"""Every answer of some sixty zones is the one that knotd, nsd and named give, or that a named sentence of an RFC wants."""
from __future__ import annotations

import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402
import judge as judging  # noqa: E402
import oracle  # noqa: E402
import questions  # noqa: E402
import rulings  # noqa: E402
import selftest  # noqa: E402
import zonefiles  # noqa: E402

TIME_LIMIT = 150
ASKALL = HERE.parents[2] / "build" / "tools" / "askall"
KINDS = ("knot", "nsd", "named")
SAMPLE = 2000  # owners that are drawn from a zone of the set "big"; --soak asks all of them
OPTIONS = {
    "knot": {},
    "nsd": {"extra": "server:\n    rrl-ratelimit: 0\n"},
    "named": {"zone_extra": "check-names ignore; check-integrity no;"},
}
SHOWN = 25  # failures that are printed in full


def transfer(server, apex: str) -> list[str]:
    """The records of a zone as the server sends them; [] while it does not."""
    got = subprocess.run([ASKALL, "-x", f"{server.addr}@{server.port}", apex], check=False,
                         capture_output=True, text=True, timeout=60)
    return got.stdout.splitlines() if got.returncode == 0 else []


def load(lab, zones: list[zonefiles.ZoneFile]) -> tuple[dict, oracle.World]:
    """Start the three servers, and read the zones back: what one of them loaded otherwise would
    make every comparison worthless."""
    servers = {kind: getattr(lab, kind)({z.apex: z.path for z in zones if kind not in z.skip},
                                        **OPTIONS[kind])
               for kind in KINDS}
    records = {}
    for z in zones:
        for kind in KINDS:
            if kind in z.skip:
                continue
            lines = lab.wait(lambda k=kind: transfer(servers[k], z.apex), 20,
                             f"{z.apex} of {kind}")
            first = records.setdefault(z.apex, lines)
            odd = set(lines) ^ set(first)
            assert not odd, f"{kind} loaded {z.apex} otherwise: {sorted(odd)[:4]}"
    return servers, oracle.World(records)


def make_questions(world: oracle.World, zones: list[zonefiles.ZoneFile], lab) -> list[str]:
    rng = random.Random(lab.seed)
    out = []
    for z in zones:
        zone = world.zones[oracle.name(z.apex)]
        big = z.set == "big"
        lines = questions.of_zone(zone, not big, SAMPLE if big and not lab.soak else None, rng)
        if "truncation" in z.rule:
            lines += questions.truncation(zone)
        skip = "".join(f",not={kind}" for kind in z.skip)
        out += [q + skip for q in lines]
    if zones[0].set == "main":
        out += questions.STRAY
    return out


def compare(lab, world, zones, asked: list[str], servers: dict) -> judging.Judge:
    """Put the questions to servers (the one named secd is judged)."""
    judge = judging.Judge(world)
    path = lab.dir / lab.unique("questions")
    path.write_text("\n".join(asked) + "\n", encoding="ascii")
    apexes = lab.dir / lab.unique("apexes")
    apexes.write_text("\n".join(z.apex for z in zones) + "\n", encoding="ascii")
    every = [] if zones[0].set == "big" else ["-a"]
    spoiler = selftest.Spoiler(world, lab.rng) if every else None
    with subprocess.Popen([ASKALL, *every, "-z", apexes, path]
                          + [f"{name}={s.addr}@{s.port}" for name, s in servers.items()],
                          stdout=subprocess.PIPE, text=True) as tool:
        for line in tool.stdout:
            got = judge.line(line)
            if spoiler and got:
                spoiler.take(got)
    assert tool.returncode == 0, f"askall ended with {tool.returncode}"
    assert judge.verdict.asked == len(asked), f"{judge.verdict.asked} of {len(asked)} were asked"
    if spoiler:
        print(f"  of {spoiler.spoiled} spoiled answers, {spoiler.refused} were refused", flush=True)
        assert spoiler.refused == spoiler.spoiled > 50, "\n".join(spoiler.taken[:SHOWN])
    return judge


def one_set(lab, name: str, zones: list[zonefiles.ZoneFile], used: set[str]) -> list[str]:
    servers, world = load(lab, zones)
    asked = make_questions(world, zones, lab)
    failures: list[str] = []
    for primary in KINDS:
        # A zone that this primary can't hold is not asked about: secd would have none of it.
        held = [z for z in zones if primary not in z.skip]
        mine = [q for q in asked if f",not={primary}" not in q]
        secd = lab.secd({z.apex: [servers[primary]] for z in held})
        for z in held:
            serial = int(world.zones[oracle.name(z.apex)].soa()[0].split()[-5])
            secd.wait_serial(z.apex, serial, 20)
        others = {kind: servers[kind] for kind in KINDS if kind != primary}
        judge = compare(lab, world, held, mine, {"secd": secd, **others})
        print(f"set {name}, {len(held)} zones from {primary}: {judge.verdict.table()}", flush=True)
        failures += [f"[{name} from {primary}] {f}" for f in judge.verdict.failures]
        used |= {ruling for ruling, _server in judge.verdict.by_ruling}
        secd.stop()
    for server in servers.values():
        server.stop()
    return failures


def run(lab) -> None:
    assert ASKALL.exists(), "make tools first"
    selftest.comparer(lab, ASKALL)
    sets = zonefiles.read_all(generate.write(lab.dir / "generated"))
    zones = sum(len(z) for z in sets.values())
    assert zones >= 40, f"only {zones} zones"
    failures: list[str] = []
    used: set[str] = set()
    for name in sorted(sets):
        failures += one_set(lab, name, sets[name], used)
    for f in failures[:SHOWN]:
        print(f)
    assert not failures, f"{len(failures)} answers are wrong or unexplained"
    idle = [r.name for r in rulings.RULINGS if r.name not in used]
    assert not idle, f"rulings that nothing needs any more: {idle}"
