"""secd --check --live says of every primary, broken in whatever way, what is wrong with it, in words and in JSON."""
import json
import os
import pty
import select
import subprocess
import time

from lab import Lab, broken
from lab.broken import KEY, at
from lab.scripted import IGNORE
from lab.secd import SANITIZER_ENV
from lab.zones import zone

SANITIZED = False
OTHER = "YW5vdGhlciBzZWNyZXQgdGhhbiB0aGUgb25l"
MANY = 300


class Settings:
    """A secd.ini of rows: zone -> (primary, [options of the primary])."""

    def __init__(self, lab: Lab):
        self.lab, self.path = lab, lab.dir / "secd.ini"
        self.primaries: list[str] = []
        self.zones: list[str] = []

    def add(self, apex: str, *servers, key: bool = False, extra: str = "") -> None:
        names = []
        for s in servers:
            names.append(f"{apex.rstrip('.')}-{len(names) + 1}")
            self.primaries.append(f"[primary {names[-1]}]\naddress = {s[0]}@{s[1]}\n"
                                  + ("key = k\n" if key else "") + extra)
        self.zones.append(f"{apex} = {','.join(names)}")

    def add_many(self, count: int, server) -> None:
        """As many zones of one primary."""
        self.primaries.append(f"[primary many]\naddress = {server[0]}@{server[1]}\n")
        self.zones += [f"m{i}.many. = many" for i in range(count)]

    def write(self) -> None:
        self.path.write_text(
            "[server]\nlisten = 127.0.0.1@1\nstate-dir = state\ncontrol =\n"
            "transfer-idle = 1\nconnect-time = 2\n"
            + ("user = root\n\n" if os.geteuid() == 0 else "\n") +
            f"[key k]\nalgorithm = {KEY[1]}\nsecret = {KEY[2]}\n\n"
            + "\n".join(self.primaries) + "\n[zones]\n" + "\n".join(self.zones) + "\n")
        self.path.chmod(0o600)  # it has a secret

    def run(self, *args: str, status: int) -> str:
        got = subprocess.run([self.lab.secd_path, "-t", "--live", "-c", self.path, *args],
                             capture_output=True, text=True, timeout=60, check=False,
                             cwd=self.lab.dir, env={**os.environ, **SANITIZER_ENV})
        assert got.returncode == status, got
        if status < 2 and "there is no zone" not in got.stderr:
            assert not got.stderr, got
        return got.stdout if status < 2 else got.stderr

    def json(self, *args: str, status: int) -> dict:
        return json.loads(self.run("-j", *args, status=status))


def at(server) -> tuple[str, int]:
    return server.addr, server.port


def run(lab: Lab) -> None:
    s = Settings(lab)
    for apex, servers, key in broken.rows(lab):
        s.add(apex, *servers, key=key)
    # One connection carries an answer.
    silent = lab.scripted_primary({f"m{i}.many.": zone(f"m{i}.many.", 7) for i in range(MANY)})
    for kind in ("SOA", "AXFR"):
        silent.on(kind, [IGNORE])
    s.add_many(MANY, at(silent))
    s.write()

    began = time.monotonic()
    report = s.json(status=1)
    check_dead(report, silent, time.monotonic() - began)
    check_words(s, report)
    check_real(lab)
    check_calls(s)
    check_many(lab)


SAID = {  # zone: what stands in the table for UDP, TCP and the transfer; codes in JSON
    "good.": (["serial 7"] * 3, [None] * 3),
    "signed.": (["serial 7"] * 3, [None] * 3),
    "closed.": (["connection refused"] * 3, ["ECONNREFUSED"] * 3),
    "refuses.": (["serial 7", "serial 7", "REFUSED: its ACL does not let this address transfer"],
                 [None, None, "REFUSED"]),
    "clock.": (["BADTIME: its clock is 412 s ahead"] * 3, ["BADTIME"] * 3),
    "badkey.": (['NOTAUTH BADKEY: it does not know key "k", or not as hmac-sha256'] * 3,
                ["BADKEY"] * 3),
    "lame.": (["lame: not authoritative (AA clear)"] * 2
              + ["NOTAUTH: it has no such zone, or its ACL does not let this address transfer"],
              ["LAME", "LAME", "NOTAUTH"]),
    "garbage.": (["unreadable answer"] * 2 + ["unreadable record 1 in message 1"],
                 ["UNREADABLE", "UNREADABLE", "RECORD"]),
    "slow.": (["serial 7"] * 2 + ["no answer"], [None, None, "NO_ANSWER"]),
    "truncates.": (["truncated: asks for TCP"] + ["connection refused"] * 2,
                   [None] + ["ECONNREFUSED"] * 2),
    "expired.": (["SERVFAIL: its copy of the zone is not loaded, or has expired"] * 3,
                 ["SERVFAIL"] * 3),
    "old.": (["serial 7"] * 3, [None] * 3),
}
KEYS = ["zone", "primary", "address", "key", "clock", "good", "serial", "udp", "tcp", "transfer"]


def check_words(s: Settings, report: dict) -> None:
    quick = [apex for apex in SAID if apex != "slow."]
    table = s.run(*[a for apex in quick for a in ("--zone", apex)], status=1)
    assert "\033" not in table, table
    rows = {r["zone"]: r for r in report["results"] if r["zone"] in SAID}
    lines = {line.split()[0]: line for line in table.splitlines() if line.split()}
    assert set(rows) == set(SAID), rows
    for apex, (words, codes) in SAID.items():
        row = rows[apex]
        assert list(row) == KEYS, row
        got = [row[q] for q in ("udp", "tcp", "transfer")]
        assert [g["words"] for g in got] == words, (apex, got)
        assert [g["code"] for g in got] == codes, (apex, got)
        assert [g["good"] for g in got] == [c is None for c in codes], got
        assert row["good"] == (codes == [None] * 3), row
        assert apex not in quick or all(w in lines[apex] for w in words), (words, lines[apex])
    assert abs(rows["signed."]["clock"]) <= 1 and rows["signed."]["key"] == "k", rows["signed."]
    assert rows["good."]["clock"] is None and rows["good."]["key"] is None, rows["good."]
    assert report["zones"] == len(SAID) + 2 + MANY, report["zones"]
    assert report["checks"] == len(SAID) + 4 + MANY, report["checks"]

    older = [r for r in report["results"] if r["zone"] == "older."]
    assert [r["good"] for r in older] == [False, True], older
    assert older[0]["transfer"]["words"] == "serial 5: older, older-2 has 7", older
    assert older[0]["transfer"]["code"] == "OLDER" and older[0]["serial"] == 5, older
    half = [r for r in report["results"] if r["zone"] == "half."]
    assert [r["udp"]["code"] for r in half] == [None, "UNDEFINED"], half
    assert report["failed"] == sum(not r["good"] for r in report["results"]), report


def check_dead(report: dict, silent, took: float) -> None:
    """Nobody answers for hundreds of zones: told once, for all, after one time-out."""
    rows = [r for r in report["results"] if r["zone"].endswith(".many.")]
    assert len(rows) == MANY, len(rows)
    for row in rows:
        assert [row[q]["words"] for q in ("udp", "tcp", "transfer")] == ["no answer"] * 3, row
    assert took < 8, took
    assert len(silent.log()) <= 5 * 3 + 5, silent.log()  # tries by UDP, and connections


def check_real(lab: Lab) -> None:
    """What honest servers say."""
    knot = lab.knot({"knot.": zone("knot.", 7)}, key=("other", KEY[1], KEY[2]))
    nsd = lab.nsd({"nsd.": zone("nsd.", 7)}, key=("k", KEY[1], OTHER))
    named = lab.named({"named.": zone("named.", 7)}, zone_extra="allow-transfer { none; };")
    s = Settings(lab)
    s.path = lab.dir / "real.ini"
    s.add("knot.", at(knot), key=True)
    s.add("nsd.", at(nsd), key=True)
    s.add("named.", at(named))
    s.write()
    rows = {r["zone"]: r for r in s.json(status=1)["results"]}
    for apex, words in (("knot.", "NOTAUTH BADKEY: it does not know key"),
                        ("nsd.", 'NOTAUTH BADSIG: it has another secret for key "k"')):
        for q in ("udp", "tcp", "transfer"):
            assert rows[apex][q]["words"].startswith(words), rows[apex]
    assert [rows["named."][q]["words"] for q in ("udp", "tcp", "transfer")] == \
        ["serial 7", "serial 7", "REFUSED: its ACL does not let this address transfer"], rows
    # And as it should be.
    s = Settings(lab)
    s.path = lab.dir / "fine.ini"
    s.add("knot.", at(knot))
    s.add("nsd.", at(nsd))
    s.write()
    assert s.json(status=0)["failed"] == 0


def check_calls(s: Settings) -> None:
    s.run("--zone", "nobody.*", status=1)
    s.run("--zone", "good", "--zone", "signed.", status=0)
    for args in (["--dump", "good."], ["-f"], ["extra"]):
        assert "usage:" in s.run(*args, status=2)
    for args in (["--live", "-c", s.path], ["-t", "-z", "x", "-c", s.path], ["-t", "-j"]):
        got = subprocess.run([s.lab.secd_path, *args], capture_output=True, text=True, timeout=20,
                             check=False)
        assert got.returncode == 2 and "usage:" in got.stderr, got
    # Faults of the settings come first, and nobody is asked.
    bad = s.path.with_name("bad.ini")
    bad.write_text(s.path.read_text() + "nowhere. = nobody\n")
    got = subprocess.run([s.lab.secd_path, "-t", "-l", "-c", bad], capture_output=True, text=True,
                         timeout=20, check=False)
    assert got.returncode == 1 and "bad.ini:" in got.stderr and not got.stdout, got


def check_many(lab: Lab) -> None:
    """Small zones share connections, within the budgets; on a terminal it is coloured, and says how far it is."""
    count = 400
    primary = lab.scripted_primary({f"m{i}.many.": zone(f"m{i}.many.", 7) for i in range(count)})
    s = Settings(lab)
    s.path = lab.dir / "many.ini"
    s.add_many(count, at(primary))
    s.primaries[-1] += "max-connections = 3\nmax-queries = 7\nmax-rate = 800\n"
    s.write()
    said = on_terminal([str(lab.secd_path), "-t", "--live", "-c", str(s.path)])
    assert said.count("m399.many.") == 1 and said.count("serial 7") == 3 * count, said[-2000:]
    assert "\033[32mserial 7" in said and f" of {2 * count} questions answered" in said, said[:500]
    assert primary.connections <= 3, primary.connections
    assert primary.count("SOA udp") == primary.count("SOA tcp") == primary.count("AXFR") == count


def on_terminal(argv: list[str]) -> str:
    """What it writes to one."""
    master, slave = pty.openpty()
    out = b""
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    child = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                             env={**env, "TERM": "xterm"})
    os.close(slave)
    end = time.monotonic() + 30
    while time.monotonic() < end and select.select([master], [], [], 30)[0]:
        try:
            part = os.read(master, 65536)
        except OSError:  # its end
            break
        out += part
    os.close(master)
    assert child.wait(10) == 0, out[-1000:]
    return out.decode()
