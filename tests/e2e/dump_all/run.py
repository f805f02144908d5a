"""All zones of the state are written to a directory, a file each, whatever their names; one that is damaged is told, and no other is missed."""
import pathlib
import subprocess

from lab import Lab, state
from lab.zones import RICH, zone

MANY = 1500
# The file that each gets.
FITS = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 58])
NAMES = {
    ".": "@.zone", "test.": "test.zone", "\\@.test.": "\\@.test.zone",
    "0/25.2.0.192.in-addr.arpa.": "0\\04725.2.0.192.in-addr.arpa.zone",
    "\\..test.": "\\..test.zone", "\\.\\..test.": "\\.\\..test.zone",
    "\\./x.test.": "\\.\\047x.test.zone", "UPPER.test.": "upper.test.zone",
    "a\\.b.test.": "a\\.b.test.zone", "a.b.test.": "a.b.test.zone",
    "with\\032blank.test.": "with\\032blank.test.zone", "*.test.": "*.test.zone",
    "\\000\\255.test.": "\\000\\255.test.zone", f"{FITS}.": f"{FITS}.zone"}
# What no file can be named after.
LONG = [f"{FITS}ddd.", f"{FITS}dde.", "\\001" * 63 + ".test."]


def run(lab: Lab) -> None:
    odd = {apex: f"$ORIGIN {apex}\n$TTL 300\n@ SOA . . 3 3600 600 86400 300\n@ NS a.other.test.\n"
                 f"@ A 192.0.2.{i}\n" for i, apex in enumerate([*NAMES, *LONG])}
    many = [f"z{i}.test." for i in range(MANY)]
    scripted = lab.scripted_primary(odd)
    knot = lab.knot({apex: zone(apex, 3, extra=RICH if i < 5 else "")
                     for i, apex in enumerate(many)})
    of = dict.fromkeys(odd, scripted) | dict.fromkeys(many, knot)
    secd = lab.secd({apex: [primary] for apex, primary in of.items()})
    lab.wait(lambda: secd.logged("xfr installed") >= len(of), 60 * secd.slow, "all zones")
    to = lab.dir / "out"
    dump_all(secd, to, len(of))
    files = {p.name: p.read_text() for p in to.iterdir()}
    assert len(files) == len(of), "each zone has a file of its own, and nothing else is left"
    for apex, name in NAMES.items():
        same(secd, apex, files[name])
    cut = {owner_of(text): text for name, text in files.items() if "~" in name}
    assert set(cut) == set(LONG), cut.keys()
    for apex in LONG:
        same(secd, apex, cut[apex])
    for i in range(0, MANY, 100):
        same(secd, f"z{i}.test.", files[f"z{i}.test.zone"])

    # Once more, with the daemon gone, over what is there.
    secd.stop()
    (to / "z0.test.zone").write_text("old")
    (to / "other").write_text("somebody else's")
    dump_all(secd, to, len(of))
    again = {p.name: p.read_text() for p in to.iterdir()}
    assert again == files | {"other": "somebody else's"}
    damaged(lab, secd, files)
    refused(lab, secd, to)


def dump_all(secd, to: pathlib.Path, count: int) -> None:
    got = secd.offline("--dump-all", str(to))
    assert got.returncode == 0 and got.stdout == "", got
    assert got.stderr.startswith(f"secd: {count} of {count} zones to {to}, "), got.stderr
    assert got.stderr.count("\n") == 1


def owner_of(text: str) -> str:
    return text.splitlines()[1].split("\t")[0]


def same(secd, apex: str, text: str) -> None:
    online = secd.ctl("dump", apex)
    assert online.returncode == 0, online
    assert text.split("\n", 1)[1] == online.stdout.split("\n", 1)[1], apex


def damaged(lab, secd, files: dict) -> None:
    log = state.files(secd, "log-*")[0]
    sound = log.read_bytes()
    at = sound.index(b"\x03z77\x04test\x00") + 150
    log.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1:])
    to = lab.dir / "damaged"
    got = secd.offline("--dump-all", str(to))
    there = {p.name: p.read_text() for p in to.iterdir()}
    assert files.items() - there.items() == {("z77.test.zone", files["z77.test.zone"])}
    assert got.returncode == 1, f"a zone is missing, and may be: {got.stderr}"
    assert f"is damaged in 1 place, first in {log.name} at" in got.stderr, got.stderr
    log.write_bytes(sound)


def refused(lab, secd, to: pathlib.Path) -> None:
    got = secd.offline("--dump-all", str(lab.dir / "no" / "parent"))
    assert got.returncode == 1 and "No such file" in got.stderr, got
    got = secd.offline("--dump-all", str(to / "other"))
    assert got.returncode == 1 and "Not a directory" in got.stderr, got
    # A file that may not grow stands for a disk that is full.
    small = lab.dir / "small"
    got = subprocess.run(["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "-", str(secd.path),
                          "-c", str(secd.ini), "--dump-all", str(small)], capture_output=True,
                         text=True, timeout=60, check=False)
    assert got.returncode == 1 and "File too large" in got.stderr, got
    assert not list(small.iterdir()), "nothing that is half a zone is left"
