"""A zone of the state is dumped without the daemon, or beside it, octet for octet as by secdctl."""
import json
import subprocess

import dns.name
import dns.query
import dns.rdatatype
import dns.zone

from lab import Lab, state
from lab.zones import RICH, large, zone

BIG = 200_000
ROUNDS = 3
SIGNS = "policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    nsec3: on\n"
JOURNAL = "zonefile-load: difference\njournal-content: all\n"


def history(serial: int) -> str:
    return zone("history.test.", serial, extra=RICH + f"v{serial} A 10.9.0.{serial}\n")


def run(lab: Lab) -> None:
    port = lab.port()
    plain = lab.knot({"plain.test.": zone("plain.test.", 3, extra=RICH), ".": zone(".", 4),
                      "big.test.": large(lab.dir / "big.zone", "big.test.", 7, BIG)})
    moving = lab.knot({"history.test.": history(1)}, notify=[("127.0.0.1", port)],
                      zone_extra=JOURNAL)
    signed = lab.knot({"signed.test.": zone("signed.test.", 3, extra=RICH)}, extra=SIGNS,
                      zone_extra="dnssec-signing: on\ndnssec-policy: p")
    of = {"plain.test.": plain, ".": plain, "big.test.": plain, "history.test.": moving,
          "signed.test.": signed}
    secd = lab.secd({apex: [p] for apex, p in of.items()}, listen=port,
                    group_opts={"min-refresh": 1})
    for apex, primary in of.items():
        secd.wait_serial(apex, primary.serial(apex), 20 * secd.slow)
    for serial in range(2, 2 + ROUNDS):
        moving.update("history.test.", history(serial))
        secd.wait_serial("history.test.", serial, 10 * secd.slow)
    assert state.files(secd, "zone-*"), "the big zone has a file of its own"

    online = {apex: secd.ctl("dump", apex).stdout for apex in of}
    for apex, primary in of.items():
        beside = same(secd, apex, online[apex])
        if apex != "big.test.":
            assert records_of(apex, beside) == transferred(apex, primary), apex
        in_json = json.loads(secd.offline("--json", "--dump", apex).stdout)
        assert in_json.pop("now") > 1e9
        want = secd.ctl_json("dump", apex)
        del want["now"]
        assert in_json == want, apex

    secd.stop()
    before = snapshot(secd)
    for apex in of:
        same(secd, apex, online[apex])
    same(secd, "PLAIN.Test", online["plain.test."])
    # What the settings don't name is there all the same.
    secd.zones = {".": [plain]}
    secd.write_ini()
    same(secd, "signed.test.", online["signed.test."])
    assert snapshot(secd) == before, "nothing was written, made or removed"
    refusals(secd)
    damage(secd, online)


def same(secd, apex: str, online: str) -> str:
    got = secd.offline("--dump", apex)
    assert got.returncode == 0 and not got.stderr, (apex, got.stderr)
    assert got.stdout.startswith("; ") and "as held by secd's state\n" in got.stdout[:300]
    assert got.stdout.split("\n", 1)[1] == online.split("\n", 1)[1], apex
    return got.stdout


def records_of(apex: str, text: str) -> set:
    return records(dns.zone.from_text(text, origin=apex, relativize=False, check_origin=False))


def transferred(apex: str, primary) -> set:
    xfr = dns.query.xfr(primary.addr, dns.name.from_text(apex), port=primary.port,
                        relativize=False)
    return records(dns.zone.from_xfr(xfr, relativize=False))


def records(z: dns.zone.Zone) -> set:
    return {(str(name).lower(), ttl, dns.rdatatype.to_text(rdata.rdtype), rdata.to_digestable())
            for name, ttl, rdata in z.iterate_rdatas()}


def snapshot(secd) -> dict:
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in secd.state.iterdir()}


def refusals(secd) -> None:
    got = secd.offline("--dump", "absent.test")
    assert got.returncode == 1 and got.stdout == ""
    assert got.stderr == f"secd: zone absent.test. is not in state-dir {secd.state}\n", got.stderr
    got = secd.offline("--dump", "a..b")
    assert got.returncode == 1 and "no name of a zone" in got.stderr, got
    for args in (("--dump",), ("--dump", "a.", "b."), ("--dump", "a.", "--dump-all", "b"),
                 ("--json",)):
        assert secd.offline(*args).returncode == 2, args
    with open("/dev/full", "w", encoding="ascii") as full:
        got = subprocess.run([str(secd.path), "-c", str(secd.ini), "--dump", "plain.test."],
                             stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                             check=False)
    assert got.returncode == 1 and "No space left" in got.stderr, got

    ini = secd.ini.read_text()
    secd.ini.write_text(ini.replace(str(secd.state), str(secd.dir / "nowhere")))
    got = secd.offline("--dump", "plain.test.")
    assert got.returncode == 1 and "nowhere: No such file" in got.stderr, got
    assert not (secd.dir / "nowhere").exists()
    secd.ini.write_text(ini.replace(f"state-dir = {secd.state}", "state-dir ="))
    got = secd.offline("--dump", "plain.test.")
    assert got.returncode == 1 and "nothing is kept" in got.stderr, got
    secd.ini.write_text(ini)


def damage(secd, online: dict) -> None:
    """An octet of the big zone's file: that zone is told to be damaged, others are not. The log's
    then: what is damaged is gone, and where."""
    path = state.files(secd, "zone-*")[0]
    flip(path, path.stat().st_size // 2)
    got = secd.offline("--dump", "big.test.")
    assert got.returncode == 1 and got.stdout == "", got.stdout[:200]
    assert got.stderr == f"secd: zone big.test. in state-dir {secd.state}: " \
        "its copy in state-dir is damaged\n", got.stderr
    same(secd, "plain.test.", online["plain.test."])
    path.unlink()
    got = secd.offline("--dump", "big.test.")
    assert got.returncode == 1 and "zone big.test. in state-dir" in got.stderr, got

    log = state.files(secd, "log-*")[0]
    at = log.read_bytes().index(b"\x05plain\x04test\x00")
    flip(log, at + 200)
    got = secd.offline("--dump", "plain.test.")
    assert got.returncode == 1 and got.stdout == "" and log.name in got.stderr, got


def flip(path, at: int) -> None:
    with open(path, "r+b") as f:
        f.seek(at)
        octet = f.read(1)[0]
        f.seek(at)
        f.write(bytes([octet ^ 0x55]))
