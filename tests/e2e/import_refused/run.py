"""What can't be imported is told with its file and line, and changes nothing; other files of the same call are imported."""
from __future__ import annotations

import os
import subprocess

from lab import Lab, state
from lab.zones import large

HEAD = "$TTL 300\n@ SOA ns1 hostmaster 7 3600 600 86400 300\n@ NS ns1\n@ NS ns2\n" \
       "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
# Zone, its file, what is said of it. {f}: the file.
WRONG = [
    ("a", HEAD + "x A 192.0.2\n", "{f}:7: A record: Syntax error, could not parse the RR's rdata"),
    ("a", HEAD + "x CH TXT x\n", "{f}:7: class CH: only IN can be served"),
    ("a", HEAD + "$INCLUDE other\n", "{f}:7: $INCLUDE is not followed: make one file of them"),
    ("a", HEAD + "x TXT (\n\"y\"\n", "{f}:7: a parenthesis that is not closed"),
    ("a", HEAD + "x SOA ns1 hostmaster 7 3600 600 86400 300\n",
     "{f}:7: no zone can hold this SOA record here"),
    ("a", HEAD + "x TYPE255 \\# 0\n", "{f}:7: no zone can hold this TYPE255 record here"),
    ("a", HEAD + "@ SOA ns1 hostmaster 8 3600 600 86400 300\n",
     "{f}: zone a.test.: there are several SOAs that differ"),
    ("a", "$TTL 1\nx A 192.0.2.1\n", "{f}: zone a.test.: there is no SOA"),
    ("a", "; nothing\n", "{f}: there is no record in it"),
    ("", HEAD, "{f}:2: @ is relative, and there is no $ORIGIN: say which zone it is"),
    ("", "$ORIGIN a.test.\n$TTL 1\nx A 192.0.2.1\n" + HEAD,
     "{f}:3: the first record is no SOA: write ZONE=FILE to say which zone it is"),
    ("", "$ORIGIN unknown.test.\n" + HEAD, "{f}: the settings {ini} have no zone unknown.test."),
    ("unknown", HEAD, "{f}: the settings {ini} have no zone unknown.test."),
    ("a", HEAD + "".join(f"h{i} A 192.0.2.1\n" for i in range(96)),
     "{f}: zone a.test.: over max-records = 100"),
    ("a", HEAD + "".join(f"h A 192.0.2.{i}\n" for i in range(60)),
     "{f}: zone a.test.: an RRset is over max-rrset = 50"),
    ("a", HEAD.replace("@ NS ns2\n", ""),
     "{f}: zone a.test.: one NS at the apex, and single-ns = refuse: a.test."),
    ("a", HEAD + "x CNAME y\nx A 192.0.2.1\n",
     "{f}: zone a.test.: names with CNAME and other data: 1, with several: 0, "
     "and cname-beside = refuse: x.a.test."),
    ("a", HEAD + "@ ZONEMD 7 1 1 " + "00" * 48 + "\n",
     "{f}: zone a.test.: ZONEMD: the digest differs, and zonemd is not off"),
    ("a", HEAD + "\0", "{f}:7: an octet of zero: this is no text"),
]


class Nobody:
    """A primary that is not there."""
    name, addr = "nobody", "127.0.0.1"

    def __init__(self, lab: Lab):
        self.port = lab.port()


def run(lab: Lab) -> None:
    nobody = Nobody(lab)
    apexes = ["a.test.", "b.test.", "d.test.", "e.test.", "big.test.", "eq=.test."]
    options = {"max-records": 100, "max-rrset": 50, "single-ns": "refuse",
               "cname-beside": "refuse", "max-shrink": "50%"}
    secd = lab.secd({a: [nobody] for a in apexes}, start=False, group_opts=options)
    good = write(lab, "good", HEAD)
    for zone_name, text, want in WRONG:
        path = write(lab, "wrong", text)
        arg = f"{zone_name}.test={path}" if zone_name else str(path)
        got = secd.offline("--import", arg, f"b.test={good}", "--force")
        want = want.format(f=path, ini=secd.ini)
        lines = got.stderr.splitlines()
        assert got.returncode == 1 and lines[0] == f"secd: {want}", (text[-80:], got.stderr)
        assert "1 of 2 zones imported, 0 left alone" in lines[-1], got.stderr
        assert secd.offline("--dump", "a.test").returncode == 1, "nothing of it is kept"
        assert secd.offline("--dump", "b.test").returncode == 0
    dropped(secd, lab)
    shrunk(secd, lab)
    names(secd, lab, good)
    files(secd, lab, good)
    for args in (("--import",), ("--force", "-t"), ("--import", "--json", "x"), ("--import", "-t", "x")):
        assert secd.offline(*args).returncode == 2, args
    disk(secd, lab)


def write(lab: Lab, name: str, text: str):
    path = lab.dir / name
    path.write_text(text, encoding="ascii")
    return path


def dropped(secd, lab) -> None:
    """Records out of the zone, and what else is told and does not matter."""
    path = write(lab, "outside", HEAD + "x.other. A 192.0.2.1\nother. A 192.0.2.1\n"
                 "w 1 A 192.0.2.1\nw 2 A 192.0.2.2\nsub NS ns.sub\n")
    got = secd.offline("--import", f"d.test={path}")
    assert got.returncode == 0, got.stderr
    assert got.stderr.splitlines()[:-1] == [
        f"secd: {path}:7: zone d.test.: records out of the zone are left out: 2, this is the first",
        f"secd: {path}: zone d.test.: RRsets of several TTLs: 1, the lowest counts",
        f"secd: {path}: zone d.test.: missing-glue: 1",
        f"secd: {path}: zone d.test.: serial 7, 8 records"], got.stderr
    lines = secd.offline("--dump", "d.test").stdout.splitlines()[1:]
    assert "w.d.test.\t1\tIN\tA\t192.0.2.2" in lines and len(lines) == 8, lines


def shrunk(secd, lab) -> None:
    """What the state has counts for max-shrink; and is there still."""
    many = write(lab, "many", HEAD + "".join(f"h{i} A 192.0.2.1\n" for i in range(40)))
    few = write(lab, "few", HEAD.replace(" 7 ", " 8 "))
    assert secd.offline("--import", f"e.test={many}").returncode == 0
    got = secd.offline("--import", f"e.test={few}")
    assert got.returncode == 1 and "shrank from 45 records to 5" in got.stderr, got.stderr
    assert "serial 7, 45 records" in secd.offline("--dump", "e.test").stdout


def names(secd, lab, good) -> None:
    """Files with an = in their name, zones with one, and one zone twice."""
    odd = write(lab, "x=y", "$ORIGIN b.test.\n" + HEAD.replace(" 7 ", " 20 "))
    got = secd.offline("--import", odd.name, cwd=lab.dir)
    assert got.returncode == 0 and "zone b.test.: serial 20" in got.stderr, got.stderr
    got = secd.offline("--import", f"B.Test.={write(lab, 'b1', HEAD.replace(' 7 ', ' 21 '))}",
                       f"b.test={write(lab, 'b2', HEAD.replace(' 7 ', ' 22 '))}")
    assert got.returncode == 1 and "zone b.test.: it has been imported from another file already" \
        in got.stderr, got.stderr
    assert "serial 21" in secd.offline("--dump", "b.test").stdout
    got = secd.offline("--import", f"eq=.test={good}")
    assert got.returncode == 1, "the first = is the one that counts"


def files(secd, lab, good) -> None:
    got = secd.offline("--import", f"a.test={lab.dir}/none", f"a.test={lab.dir}")
    assert got.returncode == 1
    assert got.stderr.splitlines()[:2] == [f"secd: {lab.dir}/none: No such file or directory",
                                           f"secd: {lab.dir}: Is a directory"], got.stderr
    ini = secd.ini.read_text()
    secd.ini.write_text(ini.replace(f"state-dir = {secd.state}", "state-dir ="))
    got = secd.offline("--import", f"a.test={good}")
    assert got.returncode == 1 and "nothing is kept" in got.stderr, got
    secd.ini.write_text(ini)
    # What root makes its owner could not read.
    if os.geteuid() == 0:
        theirs = lab.dir / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65534, 65534)
        secd.ini.write_text(ini.replace(str(secd.state), str(theirs)))
        got = secd.offline("--import", f"a.test={good}")
        assert got.returncode == 1 and "do this as that user" in got.stderr, got.stderr
        assert not list(theirs.iterdir())
        secd.ini.write_text(ini)


def disk(secd, lab) -> None:
    """A disk that takes nothing, or not all of a big zone; and then it does."""
    good = write(lab, "new", HEAD.replace(" 7 ", " 30 "))
    big = large(lab.dir / "big", "big.test.", 8, 200_000)
    secd.ini.write_text(secd.ini.read_text().replace("max-records = 100", "max-records = 1000000"))
    for limit, args, failed in ((0, [f"a.test={good}", str(big)], 2),
                                (1000, [f"a.test={good}", str(big)], 1)):
        got = subprocess.run(["bash", "-c", f'ulimit -f {limit}; trap "" XFSZ; exec "$@"', "-",
                              str(secd.path), "-c", str(secd.ini), "--import", *args],
                             capture_output=True, text=True, timeout=60, check=False)
        assert got.returncode == 1, got.stderr
        assert got.stderr.count("it could not be saved: File too large") == failed, got.stderr
        assert secd.offline("--dump", "big.test").returncode == 1
    got = secd.offline("--import", str(big))
    assert got.returncode == 0, got.stderr
    secd.start()
    loaded = state.wait_loaded(lab, secd)
    assert (loaded.keys["zones"], loaded.keys["lost"]) == ("5", "0"), loaded.text
    assert not secd.logged("state damaged") and not secd.logged("state cut")
    assert secd.serial("a.test.") == 30 and secd.serial("b.test.") == 21
    assert secd.serial("big.test.") == 8
