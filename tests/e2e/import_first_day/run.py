"""Zone files are imported while no primary is there: secd serves them as another server does that loads the same files, and follows the primary when it comes."""
from __future__ import annotations

import pathlib
import sys
import typing

import dns.name
import dns.query
import dns.rdatatype
import dns.zone

from lab import Lab, state
from lab.dnsio import compare
from lab.zones import RICH, TYPES, large, questions, zone

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent / "differential"))
import signing  # noqa: E402

TIME_LIMIT = 90
MANY = 600
BIG = 200_000
ODD = """\
a\\.b\\@c\\$d\\"e\\;f\\(g\\)h\\\\i\\032j\\000k\\255l A 192.0.2.1
* A 192.0.2.5
t TXT "a \\"quoted\\" \\\\ \\000\\001\\127\\200\\255 ; ( ) $ @" "" unquoted\\ blank ( "in"
  "parentheses" ) ; and a comment ) "
long TXT """ + " ".join('"' + "\\200" * 255 + '"' for _ in range(150)) + "\n" + TYPES + """\
unknown TYPE65534 \\# 6 010203 040506
known A \\# 4 c0000207
$ORIGIN below.rich.test.
@ 1h30m IN A 192.0.2.8
  IN 7 AAAA 2001:db8::9
mx MX 10 @
"""


class Set(typing.NamedTuple):
    """Files by their zones, and the arguments of --import."""
    files: dict[str, pathlib.Path]
    args: list[str]


def write(lab: Lab, apex: str, text: str) -> pathlib.Path:
    path = lab.dir / f"{apex}txt"
    path.write_text(text, encoding="ascii")
    return path


def make(lab: Lab) -> Set:
    files, args = {}, []

    def add(apex: str, path: pathlib.Path, named: bool) -> None:
        files[apex] = path
        args.append(f"{apex}={path}" if named else str(path))

    rich = zone("rich.test.", 5, extra=RICH + ODD)
    add("rich.test.", write(lab, "rich.test.", rich), False)
    # Without an origin, with CRLF and without the last line's end.
    bare = zone("bare.test.", 6, extra=RICH).split("\n", 1)[1].replace("\n", "\r\n")[:-2]
    add("bare.test.", write(lab, "bare.test.", bare), True)
    keys = signing.Keys(lab.dir / "keys")
    for n, (tool, nsec3) in enumerate((("kzonesign", True), ("dnssec-signzone", True),
                                       ("ldns-signzone", True), ("kzonesign", False),
                                       ("ldns-signzone", False))):
        apex = f"s{n}.test."
        how = signing.Signing(tool, (13,), True, nsec3, False, "aabbccdd" if nsec3 else "-", 1)
        path = signing.sign(write(lab, apex, zone(apex, 7, extra=RICH)), apex, how, keys)
        add(apex, path, n % 2 == 0)
    add("big.test.", large(lab.dir / "big", "big.test.", 8, BIG), False)
    for i in range(MANY):
        add(f"z{i}.test.", write(lab, f"z{i}.test.", zone(f"z{i}.test.", 1 + i)), False)
    return Set(files, args)


def run(lab: Lab) -> None:
    made = make(lab)
    # The primary to come, which listens nowhere yet; and one that loads the same files, but for the
    # one with CRLF, which knotd does not bear.
    files = made.files | {"bare.test.": write(lab, "lf.", zone("bare.test.", 6, extra=RICH))}
    primary = lab.knot(files, start=False)
    other = lab.knot(files)
    secd = lab.secd({apex: [primary] for apex in made.files}, start=False,
                    group_opts={"min-retry": 1, "max-retry": 2})
    got = secd.offline("--import", *made.args)
    assert got.returncode == 0 and got.stdout == "", got.stderr[-2000:]
    *lines, last = got.stderr.splitlines()
    assert last.startswith(f"secd: {len(made.files)} of {len(made.files)} zones imported, "
                           "0 left alone, "), last
    assert f"secd: {made.files['z7.test.']}: zone z7.test.: serial 8, 7 records" in lines, lines[-5:]
    assert len(lines) == len(made.files), lines[:3]

    served = [a for a in made.files if a[0] != "z"] + ["z0.test.", f"z{MANY - 1}.test."]
    secd.start()
    loaded = state.wait_loaded(lab, secd)
    assert (loaded.keys["zones"], loaded.keys["lost"]) == (str(len(made.files)), "0"), loaded.text
    for apex in served:
        for do in (False, True):
            compare(secd, other, questions(apex), do=do)
        if apex != "big.test.":
            expect_same(apex, secd.ctl("dump", apex).stdout, other)
        held = secd.ctl_json("zone", apex)["held"]
        assert 86300 < held["expires"] - secd.ctl_json("status")["now"] < 86401, held
    compare(secd, other, [(f"h{i}.big.test.", "A") for i in lab.rng.sample(range(BIG), 50)])
    secd.wait_log("zone unrefreshed", 5 * secd.slow, zone="rich.test.")

    # While secd runs, nothing is imported.
    got = secd.offline("--import", made.args[0])
    assert got.returncode == 1 and "stop it first" in got.stderr, got.stderr
    assert secd.serial("rich.test.") == 5

    # The primary comes, with newer ones.
    for apex in ("rich.test.", "z0.test."):
        primary._put(primary.zones[apex], zone(apex, 100, extra=RICH))
    primary.start()
    primary.wait_ready(20)
    secd.wait_serial("rich.test.", 100, 20 * secd.slow)
    secd.wait_serial("z0.test.", 100, 20 * secd.slow)
    assert [x.keys["how"] for x in secd.lines("xfr installed")] == ["axfr", "axfr"]
    secd.wait_log("zone current", 20 * secd.slow, zone="z1.test.")
    later(lab, secd, made, primary)


def later(lab: Lab, secd, made: Set, primary) -> None:
    """What is there is left alone, unless it is older, or --force says so."""
    secd.stop()
    old = made.files["rich.test."]
    got = secd.offline("--import", str(old))
    assert got.returncode == 0 and f"secd: {old}: zone rich.test.: serial 5 is left alone, " \
        "the state has 100: --force takes it\n" in got.stderr, got.stderr
    assert "0 of 1 zones imported, 1 left alone" in got.stderr
    new = write(lab, "new.", zone("rich.test.", 101, extra=RICH))
    same = write(lab, "same.", zone("z0.test.", 100))
    got = secd.offline("--import", str(new), str(same))
    assert got.returncode == 0 and "1 of 2 zones imported, 1 left alone" in got.stderr, got.stderr
    got = secd.offline("--force", "--import", str(made.files["z0.test."]))
    assert got.returncode == 0 and "zone z0.test.: serial 1, 7 records" in got.stderr, got.stderr

    # The primary still has 100: newer than the one, older than the other.
    primary.kill()
    secd.start()
    state.wait_loaded(lab, secd)
    assert (secd.serial("rich.test."), secd.serial("z0.test.")) == (101, 1)
    primary.start()
    primary.wait_ready(20)
    secd.wait_serial("z0.test.", 100, 20 * secd.slow)
    secd.wait_log("poll older", 20 * secd.slow, zone="rich.test.")
    assert secd.serial("rich.test.") == 101
    backup(lab, secd, made)


def backup(lab: Lab, secd, made: Set) -> None:
    """All that was dumped is imported elsewhere, and dumps the same."""
    secd.stop()
    out = lab.dir / "backup"
    assert secd.offline("--dump-all", str(out)).returncode == 0
    elsewhere = lab.secd(secd.zones, start=False)
    got = elsewhere.offline("--import", *map(str, sorted(out.iterdir())))
    assert got.returncode == 0, got.stderr
    again = lab.dir / "again"
    assert elsewhere.offline("--dump-all", str(again)).returncode == 0
    files = {p.name: p.read_text() for p in out.iterdir()}
    assert len(files) == len(made.files)
    assert {p.name: p.read_text() for p in again.iterdir()} == files


def expect_same(apex: str, text: str, other) -> None:
    have = dns.zone.from_text(text, origin=apex, relativize=False, check_origin=False)
    xfr = dns.query.xfr(other.addr, dns.name.from_text(apex), port=other.port, relativize=False)
    want = dns.zone.from_xfr(xfr, relativize=False)
    assert records(have) == records(want), sorted(records(have) ^ records(want))[:4]


def records(z: dns.zone.Zone) -> set:
    return {(str(name).lower(), ttl, dns.rdatatype.to_text(rdata.rdtype), rdata.to_digestable())
            for name, ttl, rdata in z.iterate_rdatas()}
