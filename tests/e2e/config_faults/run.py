"""secd -t names every fault of the settings with file and line, and takes what is sound."""
import pathlib
import re
import subprocess

from lab import Lab
from lab.secd import check_config

# A line that begins with ! has a fault; the mark is not written.
INI = """\
[server]
listen = 127.0.0.1@5300
!workers = many
!wrokers = 2
!tcp-idle = 0
!udp-payload = 99999
[log]
!level = chatty
!facility = kern
target = stderr
[primary one]
address = 127.0.0.1@5301
!address = not-an-address
!notify-from = 192.0.2.1/28
[primary two]
address = 127.0.0.1@5302
!notify-from = 10.0.0.0/33
![primary three]
notify-from = 192.0.2.9
[group fine]
primaries = one, two
!max-rrset = 0
!min-refresh = 5 parsecs
!no-such-option = 1
![group lost]
max-records = 5
![colour]
x = y
[zones]
a.test = one
!a.test = two
!A.TEST. = two
!b.test = four
!c.test =
!d..test = one
!%s.test = one
e.test = fine
[include]
zone-list = zones.list
!zone-list = absent.list
""" % ("x" * 64)

LIST = """\
# a comment
listed.test one
listed2.test fine
!listed.test two
!nobody.test
!unknown.test nobody
with\\032blank.test one, two
"""

SOUND = """\
[server]
listen = 127.0.0.1@5300, ::1@5300
workers = 2
[log]
target = stderr
[primary one]
address = 127.0.0.1@5301
[group g]
primaries = one
min-refresh = 5m
max-size = 1G
[zones]
a.test = one
b.test = g
. = one
0.0.127.in-addr.arpa = g
"""


def write(path: pathlib.Path, text: str) -> set[int]:
    """Write it without the marks; the numbers of the marked lines."""
    lines = text.splitlines()
    path.write_text("".join(ln.removeprefix("!") + "\n" for ln in lines), encoding="utf-8")
    return {i for i, ln in enumerate(lines, 1) if ln.startswith("!")}


def told(out: str, name: str) -> dict[int, str]:
    """Line number -> fault, of one file."""
    found = re.findall(rf"^(?:.*/)?{re.escape(name)}:(\d+): (.*)$", out, re.M)
    return {int(n): text for n, text in found if not text.startswith("warning:")}


def run(lab: Lab) -> None:
    ini = lab.dir / "bad.ini"
    want = {"bad.ini": write(ini, INI), "zones.list": write(lab.dir / "zones.list", LIST)}
    r = check_config(lab.secd_path, ini)
    out = r.stdout + r.stderr
    assert r.returncode == 1, f"exit status {r.returncode}:\n{out}"
    for name, lines in want.items():
        got = told(out, name)
        assert set(got) == lines, (
            f"{name}: not told {sorted(lines - set(got))}, told in vain "
            f"{ {n: got[n] for n in set(got) - lines} }\n{out}")
        assert all(len(text) > 10 for text in got.values()), got

    # The same faults keep it from starting.
    start = subprocess.run([lab.secd_path, "-c", ini], capture_output=True, text=True, timeout=10,
                           check=False)
    assert start.returncode != 0
    assert "bad.ini:3" in start.stdout + start.stderr

    fine = lab.dir / "fine.ini"
    write(fine, SOUND)
    r = check_config(lab.secd_path, fine)
    assert r.returncode == 0, f"{r.returncode}: {r.stdout}{r.stderr}"

    for what, text in {"a long line": "[zones]\n" + "x" * 300 + "\n",
                       "no section": "listen = 127.0.0.1\n", "not text": "\0\1\2\n"}.items():
        path = lab.dir / "odd.ini"
        path.write_text(text)
        r = check_config(lab.secd_path, path)
        assert r.returncode == 1, f"{what}: {r.returncode}"
        assert "odd.ini:" in r.stdout + r.stderr, f"{what}: {r.stdout}{r.stderr}"
    r = check_config(lab.secd_path, lab.dir / "absent.ini")
    assert r.returncode == 1 and "absent.ini" in r.stdout + r.stderr, r
