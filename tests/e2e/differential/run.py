"""Thousands of questions to each of fifty wicked zones, signed and unsigned: secd never stands alone among knotd, nsd and named, and proves what it says."""
from __future__ import annotations

import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "answers"))
sys.path.insert(0, str(HERE))

import asking  # noqa: E402
import classes  # noqa: E402
import oracle  # noqa: E402
import prove  # noqa: E402
import signing  # noqa: E402
import spoil  # noqa: E402
import wicked  # noqa: E402

TIME_LIMIT = 300
ROOT = HERE.parents[2]
ASKALL = ROOT / "build" / "tools" / "askall"
KINDS = ("knot", "nsd", "named")
OPTIONS = {
    "knot": {},
    "nsd": {"extra": "server:\n    rrl-ratelimit: 0\n"},
    "named": {"zone_extra": "check-names ignore; check-integrity no;"},
}
ZONES = int(os.environ.get("DIFFERENTIAL_ZONES", 0))  # --zones; 0: 50, or 1,000 with --soak
SIZES = "DIFFERENTIAL_SIZES" in os.environ  # --sizes: secd's answers may be no larger than Knot's
QUICK_SEED = 200  # without --zones and --soak
BATCH = 10  # zones for which the servers are started once
WORKERS = 2
KEPT = 5  # directories of batches with failures that a worker leaves, at most
SHOWN = 40


class Keep(Exception):
    """The lab's directory is to be kept."""


class NotGiven(Exception):
    """A peer does not transfer one of its zones: NSD says NOTAUTH to some that lie below another."""


def hidden(line: str) -> bool:
    """NSEC3 and what signs it: their owners are no names of the zone (RFC 5155 7.2.8)."""
    r = prove.record(line)
    return r.type == "NSEC3" or r.type == "RRSIG" and r.covered == "NSEC3"


def transfer(server, apex: str) -> list[str]:
    got = subprocess.run([ASKALL, "-x", f"{server.addr}@{server.port}", apex], check=False,
                         capture_output=True, text=True, timeout=60)
    return got.stdout.splitlines() if got.returncode == 0 else []


def write_zones(lab, zones: list[wicked.Zone]) -> dict[str, pathlib.Path]:
    """Apex -> its zone file, signed where it is to be."""
    directory = lab.dir / "zones"
    directory.mkdir()
    keys = signing.Keys(directory / "keys")
    files = {}
    for i, z in enumerate(zones):
        files[z.name] = directory / f"{i}.zone"
        files[z.name].write_text(z.text, encoding="ascii")
    todo = [(files[z.name], z.name, z.signing) for z in zones if z.signing]
    for (_, apex, _), path in zip(todo, signing.sign_all(todo, keys)):
        files[apex] = path
    return files


def load(lab, zones: list[wicked.Zone], files: dict[str, pathlib.Path]):
    """All servers, and the records of each zone, which must be the same at each server."""
    servers = {}
    for kind in KINDS:
        if all(kind in z.skip for z in zones):
            continue
        held = {z.name: files[z.name] for z in zones if kind not in z.skip}
        servers[kind] = getattr(lab, kind)(held, start=False, **OPTIONS[kind])
        servers[kind].start()
    records: dict[str, list[str]] = {}
    left = []
    for kind in list(servers):
        try:
            take_records(lab, kind, servers[kind], zones, records)
        except NotGiven as e:
            servers.pop(kind).kill()
            left.append(f"{kind}: {e}")
    assert servers, f"none to compare with: {left}"
    kinds = list(servers)
    secd = lab.secd({z.name: [servers[kinds[i % len(kinds)]]] for i, z in enumerate(zones)})
    for z in zones:
        secd.wait_serial(z.name, 7, 20)
    return {"secd": secd, **servers}, records, left


def take_records(lab, kind: str, server, zones: list[wicked.Zone], records: dict) -> None:
    """What the server has loaded, which must be what the others have."""
    for z in zones:
        try:
            lines = lab.wait(lambda a=z.name: transfer(server, a), 20, f"{z.name} of {kind}")
        except AssertionError as e:
            raise NotGiven(str(e)) from e
        odd = set(lines) ^ set(records.setdefault(z.name, lines))
        assert not odd, f"{kind} loaded {z.name} otherwise: {sorted(odd)[:4]}"


def questions(world: oracle.World, zones: list[wicked.Zone], records, rng: random.Random):
    out = []
    for z in zones:
        hashed = [oracle.name(x.split(" ", 1)[0]) for x in records[z.name]
                  if x.split(" ", 4)[3] == "NSEC3"]
        out += asking.of_zone(world.zones[oracle.name(z.name)], hashed, rng)
    return out


def one_batch(lab, number: int, count: int) -> classes.Verdict:
    rng = random.Random(f"{lab.seed} {number}")
    zones = wicked.batch(rng, count, number % 10 == 9)
    files = write_zones(lab, zones)
    servers, records, left = load(lab, zones, files)
    world = oracle.World({apex: [x for x in lines if not hidden(x)] for apex, lines in records.items()})
    world.hashed = {oracle.name(x.split(" ", 1)[0]) for lines in records.values() for x in lines
                    if x.split(" ", 4)[3] == "NSEC3"}
    validator = prove.Validator(records)
    for z in zones:
        odd = validator.zones[prove.key(z.name)].unsound()
        assert not odd, f"{z.name} of {z.signing}: {odd}"
    judge = classes.Judge(world, validator,
                          {z.name.lower(): f"{files[z.name]} (batch {number}, {z.signing})" for z in zones})
    spoiler = spoil.Spoiler(judge, rng, list(servers))
    asked = questions(world, zones, records, rng)
    (lab.dir / "questions").write_text("\n".join(asked) + "\n", encoding="ascii")
    (lab.dir / "apexes").write_text("\n".join(z.name for z in zones) + "\n", encoding="ascii")
    sizes = ["-s", "secd,knot"] if "knot" in servers else []
    with subprocess.Popen([ASKALL, "-o", "secd", *sizes, "-z", lab.dir / "apexes", lab.dir / "questions"]
                          + [f"{name}={s.addr}@{s.port}" for name, s in servers.items()],
                          stdout=subprocess.PIPE, text=True) as tool:
        for line in tool.stdout:
            got = judge.line(line)
            if "said" in got:
                spoiler.take(got)
    assert tool.returncode == 0, f"askall ended with {tool.returncode}"
    assert judge.verdict.asked == len(asked), f"{judge.verdict.asked} of {len(asked)} were asked"
    judge.verdict.left += left
    return judge.verdict


def work(name: str, seed: int, soak: bool, numbers, counts, results) -> None:
    """A process that takes one batch after the other, each in a lab of its own."""
    from lab import Lab
    kept = 0
    while True:
        number = numbers.get()
        if number is None:
            return
        try:
            with Lab(name, seed, soak) as lab:
                print(f"dir: {lab.dir}", flush=True)
                verdict = one_batch(lab, number, counts[number])
                results.put((number, verdict))
                if verdict.failed and kept < KEPT:
                    kept += 1
                    raise Keep
        except Keep:
            pass
        except Exception as e:  # told by the process that counts
            results.put((number, e))


def run(lab) -> None:
    from lab.secd import sanitized
    assert ASKALL.exists(), "make tools first"
    spoil.known_hashes()
    total = ZONES or (1000 if lab.soak else 20 if sanitized(lab.secd_path) else 50)
    # The quick run draws the same zones each time: what signers and servers make of a name that
    # nobody has seen before is for those who ask for many to judge.
    seed = lab.seed if ZONES or lab.soak else QUICK_SEED
    print(f"zones of seed {seed}", flush=True)
    counts = [min(BATCH, total - i) for i in range(0, total, BATCH)]
    verdict = classes.Verdict()
    numbers, results = multiprocessing.Queue(), multiprocessing.Queue()
    for n in [*range(len(counts)), *[None] * WORKERS]:
        numbers.put(n)
    workers = [multiprocessing.Process(target=work, args=(
        "differential", seed, lab.soak, numbers, counts, results)) for _ in range(WORKERS)]
    for w in workers:
        w.start()
    broken = []
    try:
        for _ in counts:
            number, got = results.get()
            if isinstance(got, classes.Verdict):
                verdict.add(got)
            else:
                broken.append(f"batch {number}: {got!r}")
        for w in workers:
            w.join()
    finally:
        for w in workers:
            w.terminate()
            w.join()
    report(verdict)
    assert not broken, "\n".join(broken)
    assert len(verdict.left) <= len(counts) // 20, f"too often with fewer peers: {verdict.left}"
    assert not verdict.passed, "spoiled, but not refused: " + "; ".join(verdict.passed[:SHOWN])
    idle = [w for w in spoil.WAYS if not verdict.spoiled[w]]
    assert not idle or total < 50, f"ways to spoil that did not occur: {idle}"
    n, ours, knots = verdict.sizes
    assert n and (ours <= knots or not SIZES), f"answers of {ours / n:.1f} octets, Knot's {knots / n:.1f}"
    assert not verdict.failed, f"{sum(verdict.failed.values())} faults: {dict(verdict.failed)}"


def report(verdict: classes.Verdict) -> None:
    path = ROOT / "build" / "test-logs" / "differential.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        print(verdict.table(), file=f)
        for p in verdict.passed:
            print(f"\nPASSED though spoiled\n  {p}", file=f)
        for title, kept in (("FAILED", verdict.failures), ("listed", verdict.examples)):
            for name, examples in sorted(kept.items()):
                for e in examples:
                    print(f"\n{title} {name}\n  {e}", file=f)
    print(verdict.table())
    for line in verdict.left:
        print(f"a batch without {line}")
    print(f"of {sum(verdict.spoiled.values())} spoiled answers {len(verdict.passed)} passed: "
          f"{dict(sorted(verdict.spoiled.items()))}")
    n, ours, theirs = verdict.sizes
    n = max(n, 1)
    print(f"sizes: of {n} answers, secd's have {ours / n:.1f} octets, Knot's {theirs / n:.1f}")
    for a, b, q in verdict.worst:
        print(f"  {a - b:5} more ({a}, {b}): {q}")
    for name, examples in sorted(verdict.failures.items()):
        print(f"\nFAILED {name}\n  {examples[0]}")
    print(f"all of it: {path}", flush=True)
