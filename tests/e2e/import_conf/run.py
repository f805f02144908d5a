"""The configurations of real NSD, Knot and BIND secondaries become a secd.ini that works, and what can't be carried over is told."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import stat
import subprocess

import cases
from lab import Lab
from lab.secd import check_config

SANITIZED = False
TOOL = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "secd-import-conf"
SECRET = "bWFkZS11cC1mb3ItdGhlLXRlc3RzLW9mLXNlY2Q="
ZONES = ["a.example.", "b.example.", "0/25.2.0.192.in-addr.arpa.", "od\\032d.example."]


def convert(cwd: pathlib.Path, *args: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(TOOL), *args], cwd=cwd, capture_output=True, text=True, timeout=20, check=False)


def load():
    """The program as a module: a table has no time for a process per row."""
    loader = importlib.machinery.SourceFileLoader("secd_import_conf", str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def convert_here(tool, cwd: pathlib.Path, *args: str) -> subprocess.CompletedProcess:
    """The same as convert, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = tool.main(list(args))
    return subprocess.CompletedProcess(args, status, out.getvalue(), err.getvalue())


def run(lab: Lab) -> None:
    tables(lab)
    files(lab)
    looks(lab)
    views(lab)
    many(lab)
    follows(lab)


# --- tables ---------------------------------------------------------------------------------------


def tables(lab: Lab) -> None:
    at, tool = lab.dir / "tables", load()
    for kind in ("nsd", "knot", "bind"):
        for n, (what, text, want, told) in enumerate(getattr(cases, kind.upper())):
            case = at / f"{kind}{n}"
            sound(lab, tool, case, kind, what, text, want, told)
        for n, (what, text, said) in enumerate(getattr(cases, f"{kind.upper()}_FAULTS")):
            case = at / f"{kind}-fault{n}"
            fault(tool, case, kind, what, text, said)


def sound(lab: Lab, tool, case: pathlib.Path, kind: str, what: str, text: str, want: list[str],
          told: list[str]) -> None:
    case.mkdir(parents=True)
    conf = case / "c"
    conf.write_text(text, encoding="utf-8")
    got = convert_here(tool, case, "--from", kind, "c")
    shown = f"{kind}: {what}: {got.stdout}{got.stderr}"
    assert got.returncode == 0, shown
    ini = (case / "secd.ini").read_text(encoding="ascii")
    zones = case / "secd.zones"
    lines = ini.splitlines() + (zones.read_text(encoding="ascii").splitlines() if zones.exists() else [])
    for line in want:
        assert any(x.startswith(line.replace("@:", "c:")) for x in lines), f"{shown}\nnot there: {line}\n{ini}"
    for line in told:
        assert line.replace("@:", "c:") in got.stderr, f"{shown}\nnot told: {line}"
    if not told:
        assert "warning" not in got.stderr, shown
    checked = check_config(lab.secd_path, case / "secd.ini")
    # As whom it is to run, who imports it has to say: root is told so.
    said = [ln for ln in checked.stderr.splitlines() if "warning: started as root" not in ln]
    assert checked.returncode == 0 and not said, f"{shown}\n{checked}\n{ini}"


def fault(tool, case: pathlib.Path, kind: str, what: str, text: str, said: str) -> None:
    case.mkdir(parents=True)
    (case / "c").write_text(text.replace('"@"', '"c"'), encoding="utf-8")
    got = convert_here(tool, case, "--from", kind, "c")
    assert got.returncode == 1, f"{kind}: {what}: {got}"
    assert said.replace("@:", "c:") in got.stderr, f"{kind}: {what}: {got.stderr}"
    assert "Traceback" not in got.stderr and cases.KEY not in got.stderr, got.stderr
    assert os.listdir(case) == ["c"], "nothing is written"


# --- files ----------------------------------------------------------------------------------------


def files(lab: Lab) -> None:
    """Secrets are the owner's alone; a second run changes nothing, and what is there already stays."""
    at = lab.dir / "files"
    at.mkdir()
    (at / "n.conf").write_text(f"key:\n name: k\n secret: {SECRET}\nzone:\n name: a=b.test\n"
                               " request-xfr: 192.0.2.1 k\n")
    assert convert(at, "n.conf", "-o", "out.ini").returncode == 0  # by its looks
    ini, zones = at / "out.ini", at / "out.zones"
    assert stat.S_IMODE(ini.stat().st_mode) == 0o600, oct(ini.stat().st_mode)
    assert "zone-list = out.zones" in ini.read_text() and zones.exists()
    before = ini.read_text(), zones.read_text()
    again = convert(at, "n.conf", "-o", "out.ini")
    assert again.returncode == 0 and (ini.read_text(), zones.read_text()) == before, again
    ini.write_text("[server]\n")
    got = convert(at, "n.conf", "-o", "out.ini")
    assert got.returncode == 1 and "out.ini is there and is another" in got.stderr, got
    assert ini.read_text() == "[server]\n"
    assert convert(at, "n.conf", "-o", "out.ini", "--force").returncode == 0
    assert ini.read_text() == before[0]
    (at / "dir").mkdir()
    assert convert(at, "n.conf", "-o", "dir").returncode == 0 and (at / "dir" / "secd.ini").exists()

    for args, status, said in ((("n.conf", "-o", "absent/"), 1, "absent is no directory"),
                               (("absent.conf",), 1, "absent.conf: No such file"),
                               (("out.zones",), 1, "say which with --from"),
                               (("n.conf", "--view", "x"), 1, "--view is of BIND"),
                               (("n.conf", "--from", "unbound"), 2, "invalid choice"), ((), 2, "required")):
        got = convert(at, *args)
        assert got.returncode == status and said in got.stderr and "Traceback" not in got.stderr, (args, got)
    if os.getuid() != 0:
        return
    (at / "binary").write_bytes(b"zone:\n\0")
    got = convert(at, "--from", "nsd", "binary")
    assert got.returncode == 1 and "binary:2: this is no text file" in got.stderr, got


def looks(lab: Lab) -> None:
    """Whose it is shows in a line or two, as Debian's first files have them, or in the name."""
    at = lab.dir / "looks"
    at.mkdir()
    texts = {"x1": ("server:\n log-only-syslog: yes\ninclude: \"*.none\"\n", "x1: no zone is left"),
             "x2": ('// one\ninclude "absent";\n', "x2:2: absent can't be found"),
             "x3": ("server:\n    rundir: /run/knot\n", "x3: no zone is left"),
             "nsd.conf": ("server:\n", "nsd.conf: no zone is left"),
             "named.conf": ("\n", "named.conf: no zone is left"),
             "x4": ("\n", "say which with --from")}
    for name, (text, said) in texts.items():
        (at / name).write_text(text)
        got = convert(at, name)
        assert got.returncode == 1 and said in got.stderr and "Traceback" not in got.stderr, (name, got)


def views(lab: Lab) -> None:
    at = lab.dir / "views"
    at.mkdir()
    (at / "c").write_text(
        'options { min-retry-time 9; };\n'
        'view "in" { match-clients { 10/8; }; zone "a.test" { type secondary; primaries { 10.0.0.1; }; }; };\n'
        f'view "out" {{ key k {{ algorithm hmac-sha1; secret {SECRET}; }}; min-retry-time 7;\n'
        'zone "a.test" { type secondary; primaries { 192.0.2.1 key k; }; }; zone "b.test" { in-view in; }; };\n')
    assert convert(at, "--from", "bind", "c", "--view", "x").returncode == 1
    got = convert(at, "c", "--view", "out")
    ini = (at / "secd.ini").read_text()
    assert got.returncode == 0 and "a.test = of-192.0.2.1 ; c:4" in ini and "10.0.0.1" not in ini, got
    assert "[key k]" in ini and "min-retry = 7" in ini, ini
    assert "view in is left out" in got.stderr and "zone b.test is left out: it is another view's" in got.stderr, got


def many(lab: Lab) -> None:
    """More than a few zones are a list; those that nsd-control added come, too."""
    at = lab.dir / "many"
    (at / "zones.d").mkdir(parents=True)
    (at / "nsd.conf").write_text(f'server:\n zonesdir: "{at}"\n zonelistfile: "zone.list"\npattern:\n name: p\n'
                                 ' request-xfr: 192.0.2.1 NOKEY\ninclude: "zones.d/*.conf"\n')
    (at / "zones.d" / "1.conf").write_text("".join(f"zone:\n name: z{i}.test\n include-pattern: p\n" for i in range(99)))
    (at / "zone.list").write_text("# NSD zone list\n# name pattern\nadd added.test p\n")
    got = convert(at, "nsd.conf")
    assert got.returncode == 0 and "secd.ini: 100 zones, 1 primary, 0 keys, 0 warnings" in got.stdout, got
    lines = (at / "secd.zones").read_text().splitlines()
    assert "z42.test p ; zones.d/1.conf:128" in lines and f"added.test p ; {at}/zone.list:3" in lines, lines[-5:]
    assert check_config(lab.secd_path, at / "secd.ini").returncode == 0


# --- for real -------------------------------------------------------------------------------------


def nsd_conf(at: pathlib.Path, primary, port: int) -> list[list[str]]:
    (at / "zones.conf").write_text("".join(
        f'zone:\n  name: "{z}"\n  include-pattern: "hidden"\n' for z in ZONES))
    (at / "conf").write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  zonesdir: "{at}"\n  zonelistfile: "{at}/zl"\n'
        '  username: ""\n  rrl-ratelimit: 0\n'
        f'key:\n  name: "transfer"\n  algorithm: hmac-sha256\n  secret: "{SECRET}"\n'
        f'pattern:\n  name: "hidden"\n  request-xfr: {primary.addr}@{primary.port} transfer\n'
        f'  allow-notify: 127.0.0.0/8 transfer\n  zonefile: "%s.zone"\ninclude: "{at}/zones.conf"\n')
    return [["nsd-checkconf", "conf"]]


def knot_conf(at: pathlib.Path, primary, port: int) -> list[list[str]]:
    (at / "zones.conf").write_text("zone:\n" + "".join(f'  - domain: "{z}"\n' for z in ZONES))
    (at / "text").write_text(
        f'server:\n    rundir: "{at}"\n    listen: [ 127.0.0.1@{port} ]\n    automatic-acl: on\n'
        f'key:\n  - id: transfer\n    algorithm: hmac-sha256\n    secret: {SECRET}\n'
        f'remote:\n  - id: hidden\n    address: {primary.addr}@{primary.port}\n    key: transfer\n'
        'acl:\n  - id: notify\n    address: 127.0.0.0/8\n    key: transfer\n    action: notify\n'
        f'template:\n  - id: default\n    storage: "{at}"\n    master: hidden\n    acl: notify\n'
        "include: zones.conf\n")
    return [["knotc", "-c", "text", "conf-check"], ["knotc", "-C", "db", "conf-import", "text"],
            ["knotc", "-C", "db", "conf-export", "conf"]]


def bind_conf(at: pathlib.Path, primary, port: int) -> list[list[str]]:
    (at / "zones.conf").write_text("".join(
        f'zone "{z}" {{ type secondary; primaries {{ hidden; }}; file "z{i}"; }};\n' for i, z in enumerate(ZONES)))
    (at / "conf").write_text(
        f'options {{ directory "{at}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n'
        "  recursion no; dnssec-validation no; allow-transfer { none; }; notify no;\n"
        "  allow-notify { 127.0.0.0/8; }; };\n"
        f'key "transfer" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
        f"primaries hidden port {primary.port} {{ {primary.addr}; }};\n"
        f"server {primary.addr} {{ keys {{ transfer; }}; }};\n"
        'include "zones.conf";\n')
    return [["named-checkconf", "conf"]]


def follows(lab: Lab) -> None:
    """A secd of each transfers all zones from a real primary, signed, and hears its NOTIFY."""
    ports = {kind: lab.port() for kind in ("nsd", "knot", "bind")}
    text = "$ORIGIN {0}\n$TTL 300\n@ SOA . . {1} 3600 600 86400 300\n@ NS ns.other.test.\n@ NS ns2.other.test.\n"
    primary = lab.nsd({z: text.format(z, 1) for z in ZONES}, notify=[("127.0.0.1", p) for p in ports.values()],
                      key=("transfer", "hmac-sha256", SECRET))
    daemons = []
    for kind, make in (("nsd", nsd_conf), ("knot", knot_conf), ("bind", bind_conf)):
        at = lab.dir / f"real-{kind}"
        at.mkdir()
        for argv in make(at, primary, ports[kind]):
            got = subprocess.run(argv, cwd=at, capture_output=True, text=True, timeout=20, check=False)
            assert got.returncode == 0, (argv, got.stdout, got.stderr)
        secd = lab.secd({z: [primary] for z in ZONES}, listen=ports[kind], start=False)
        made = convert(at, "conf", "-o", str(secd.dir / "secd.ini"), "--force")
        assert made.returncode == 0 and "4 zones, 1 primary, 1 key" in made.stdout, made
        assert check_config(lab.secd_path, secd.ini).returncode == 0
        with secd.ini.open("a") as f:
            f.write(f"[server]\nworkers = 1\nstate-dir = {secd.state}\ncontrol = secd.sock\n[log]\nlevel = debug\n")
            if os.geteuid() == 0:
                f.write("[server]\nuser = root\n")  # the directory is root's
        secd.start()
        daemons.append(secd)
    for secd in daemons:
        for z in ZONES:
            secd.wait_serial(z, 1, 10)
    primary.update(ZONES[0], text.format(ZONES[0], 2))
    for secd in daemons:
        secd.wait_serial(ZONES[0], 2, 10)
        assert secd.logged("notify refused") == 0, secd.tail()
