"""Sign zone files with what Debian has: dnssec-signzone, ldns-signzone, kzonesign."""
from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import pathlib
import random
import shutil
import subprocess

ALGORITHMS = (8, 13, 15)
KNOT_NAMES = {8: "RSASHA256", 13: "ECDSAP256SHA256", 15: "ED25519"}
SALTS = ("-", "-", "aabbccdd", "00", "0123456789abcdef0123456789abcdef")


@dataclasses.dataclass
class Signing:
    tool: str
    algorithms: tuple[int, ...]
    single: bool  # one key per algorithm signs all
    nsec3: bool
    opt_out: bool
    salt: str
    iterations: int

    def __str__(self) -> str:
        kind = "NSEC" if not self.nsec3 else \
            f"NSEC3{' opt-out' * self.opt_out} salt {self.salt} iterations {self.iterations}"
        return f"{self.tool}, algorithms {self.algorithms}, {kind}"


def draw(rng: random.Random, skip: dict) -> Signing | None:
    """How a zone is to be signed; None: not at all."""
    tool = rng.choice(("dnssec-signzone", "dnssec-signzone", "ldns-signzone", "kzonesign"))
    if skip and tool == "kzonesign":
        tool = "dnssec-signzone"
    algorithms = tuple(rng.sample(ALGORITHMS, 2)) if rng.random() < 0.15 else (rng.choice(ALGORITHMS),)
    kind = rng.choice(("none", "nsec", "nsec", "nsec3", "nsec3", "opt-out", "opt-out"))
    out = Signing(tool, algorithms, rng.random() < 0.5, kind in ("nsec3", "opt-out"),
                  kind == "opt-out", rng.choice(SALTS), rng.choice((0, 0, 1, 5, 100)))
    if tool == "kzonesign":
        out.algorithms = algorithms[:1]
    return None if kind == "none" else out


class Keys:
    """A few keys of each algorithm. A key file names its zone, but the key does not depend on it:
    each zone gets copies."""

    def __init__(self, directory: pathlib.Path):
        self.dir = directory
        directory.mkdir()
        self.made: dict[tuple[int, bool], str] = {}
        for algorithm in ALGORITHMS:
            for ksk in (False, True):
                argv = ["dnssec-keygen", "-q", "-K", str(directory), "-a", str(algorithm)]
                argv += ["-b", "1024"] if algorithm == 8 else []
                argv += ["-f", "KSK"] if ksk else []
                self.made[algorithm, ksk] = run(argv + ["keys.test"]).strip()

    def of(self, apex: str, signing: Signing, directory: pathlib.Path) -> list[str]:
        """Copies for the zone apex in directory; their base names."""
        out = []
        for algorithm in signing.algorithms:
            for ksk in (True,) if signing.single else (True, False):
                base = self.made[algorithm, ksk]
                new = f"K{apex}{base[base.index('+'):]}"
                shutil.copyfile(self.dir / f"{base}.private", directory / f"{new}.private")
                public = (self.dir / f"{base}.key").read_text().replace("keys.test.", apex)
                (directory / f"{new}.key").write_text(public)
                out.append(new)
        return out


def run(argv: list[str], cwd: pathlib.Path | None = None) -> str:
    got = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
                         stdin=subprocess.DEVNULL)
    if got.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {got.stdout[-500:]}{got.stderr[-1500:]}")
    return got.stdout


def sign(path: pathlib.Path, apex: str, how: Signing, keys: Keys) -> pathlib.Path:
    """path is a zone file; returns that of the signed zone."""
    directory = path.with_suffix(".keys")
    directory.mkdir()
    out = path.with_suffix(".signed")
    if how.tool == "kzonesign":
        kzonesign(path, apex, how, directory, out)
        return out
    names = keys.of(apex, how, directory)
    bare = path
    path = directory / "with-keys.zone"
    path.write_text(bare.read_text() + "".join((directory / f"{n}.key").read_text() for n in names))
    if how.tool == "dnssec-signzone":
        argv = ["dnssec-signzone", "-q", "-P", "-n", "1", "-o", apex, "-d", str(directory),
                "-f", str(out)] + ["-z"] * how.single
        if how.nsec3:
            argv += ["-3", how.salt, "-H", str(how.iterations)] + ["-A"] * how.opt_out
        run(argv + [str(path)] + names, directory)
        return out
    argv = ["ldns-signzone", "-A", "-o", apex, "-f", str(out)]
    if how.nsec3:
        argv += ["-n", "-t", str(how.iterations)] + ["-p"] * how.opt_out
        argv += ["-s", how.salt] if how.salt != "-" else []
    run(argv + [str(path)] + names, directory)
    return out


def kzonesign(path: pathlib.Path, apex: str, how: Signing, directory: pathlib.Path,
              out: pathlib.Path) -> None:
    yes = {True: "on", False: "off"}
    shutil.copyfile(path, directory / "in.zone")
    (directory / "out").mkdir()
    (directory / "conf").write_text(f"""
database:
    storage: {directory}
    kasp-db-max-size: 16M
    journal-db-max-size: 16M
    timer-db-max-size: 16M
policy:
  - id: drawn
    algorithm: {KNOT_NAMES[how.algorithms[0]]}
    ksk-size: {1024 if how.algorithms[0] == 8 else 256}
    zsk-size: {1024 if how.algorithms[0] == 8 else 256}
    single-type-signing: {yes[how.single]}
    nsec3: {yes[how.nsec3]}
    nsec3-opt-out: {yes[how.opt_out]}
    nsec3-iterations: {how.iterations}
    nsec3-salt-length: {0 if how.salt == "-" else len(how.salt) // 2}
zone:
  - domain: "{apex}"
    storage: {directory}
    file: in.zone
    dnssec-signing: on
    dnssec-policy: drawn
""")
    run(["kzonesign", "-c", str(directory / "conf"), "-o", str(directory / "out"), apex], directory)
    made = list((directory / "out").iterdir())
    assert len(made) == 1, made
    shutil.move(made[0], out)


def sign_all(todo: list[tuple[pathlib.Path, str, Signing]], keys: Keys) -> list[pathlib.Path]:
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda t: sign(*t, keys), todo))
