"""secdctl skew compares the serial here with those of the primaries and of all name servers, and ends as check_secd does."""
import subprocess

from lab import Lab, wire
from lab.scripted import CLOSE, IGNORE, Send

TEXT = """$TTL 86400
@ SOA ns1 h {serial} 3600 600 1209600 300
@ NS ns1
@ NS ns2
@ NS ns3
ns1 A 127.0.0.1
ns2 A 127.0.0.2
ns3 A 127.0.0.3
"""
KEYS = ["role", "name", "address", "serial", "lag", "took", "status", "why"]


def text(serial: int) -> str:
    return TEXT.format(serial=serial)


def run(lab: Lab) -> None:
    knot = lab.knot({"example.": text(7)}, addr="127.0.0.2")
    primary = lab.scripted_primary({"example.": text(7), "moved.": text(7)})
    odd = lab.scripted_primary({"example.": text(7)}, addr="127.0.0.3")
    odd.stop()
    odd.port = knot.port
    odd.start()
    secd = lab.secd({"example.": [primary], "empty.": [primary]}, listen=("127.0.0.1", knot.port))
    secd.wait_serial("example.", 7, 5)
    look = Look(secd)

    rows = look(0, "OK")
    assert [r["role"] for r in rows] == ["here", "primary", "server", "server", "server"], rows
    assert all(r["serial"] == 7 and r["lag"] == 0 and r["why"] is None for r in rows), rows
    assert all((r["took"] is None) == (r["role"] != "server") for r in rows), rows
    lags(look, knot, odd)
    faults(look, odd)
    asks(look, primary)
    no_zone(secd)


class Look:
    def __init__(self, secd):
        self.secd = secd

    def __call__(self, status: int, word: str, *args: str) -> list[dict]:
        """The rows, when the exit status and the word for it are as they should be."""
        words = ("skew", "example", "-P", str(self.secd.port), *args)
        got = self.secd.ctl_json(*words, status=status)
        assert list(got) == ["now", "zone", "status", "serial", "servers"], got
        assert got["status"] == word and got["zone"] == "example.", got
        assert all(list(r) == KEYS for r in got["servers"]), got
        return got["servers"]


def lags(look: Look, knot, odd) -> None:
    odd.set_zone("example.", text(5))
    rows = look(1, "WARNING")
    assert rows[4]["serial"] == 5 and rows[4]["lag"] == 2, rows
    assert rows[4]["why"].startswith("has 5, 2 behind 7, for "), rows
    look(0, "OK", "-w", "3")
    look(2, "CRITICAL", "-w", "3", "-c", "2")
    look(0, "OK", "-w", "1h", "--critical", "1d")
    look(2, "CRITICAL", "-c", "0s")
    odd.set_zone("example.", text(9))
    assert look(1, "WARNING")[4]["why"] == "has 9, which is ahead of 7"
    odd.set_zone("example.", text(7 + 2 ** 31))
    assert "neither older nor newer" in look(2, "CRITICAL")[4]["why"]
    odd.set_zone("example.", text(7))
    out = look.secd.ctl("skew", "example", "-P", str(look.secd.port))
    assert out.returncode == 0 and "127.0.0.2" in out.stdout and "\033" not in out.stdout, out
    assert knot.serial("example.") == 7


def faults(look: Look, odd) -> None:
    ways = (
        (lambda r: [Send(r.answer(flags=0, rcode=5))], "answers REFUSED"),
        (lambda r: [Send(r.soa(flags=0))], "answers without authority"),
        (lambda r: [Send(r.answer())], "has no SOA for it"),
        (lambda r: [Send(r.soa()[:-9])], "sent a broken message"),
        (lambda r: [CLOSE] if r.via == "tcp" else [Send(r.answer(flags=wire.TC))],
         "does not answer by TCP"),
        (lambda r: [Send(r.soa(ident=r.ident ^ 1))], "does not answer"),
    )
    for handler, why in ways:
        odd.on("SOA", handler)
        row = look(2, "CRITICAL")[4]
        assert row["why"] == why and row["serial"] is None and row["lag"] is None, row
    # A lost datagram is asked for again, what is truncated by TCP.
    seen: list = []

    def second(r):
        seen.append(r.ident)
        return [IGNORE] if len(seen) == 1 else None
    odd.on("SOA", second)
    look(0, "OK")
    assert len(seen) == 2, seen
    odd.on("SOA", lambda r: [Send(r.answer(flags=wire.TC))] if r.via == "udp" else None)
    look(0, "OK")
    odd.on("SOA", None)
    odd.stop()
    assert look(2, "CRITICAL")[4]["why"] == "can't be reached: Connection refused"
    odd.start()


def asks(look: Look, primary) -> None:
    """What is known of the primary may be old: --ask has it asked."""
    primary.on("AXFR", lambda r: [Send(r.answer(flags=0, rcode=5))])
    primary.on("IXFR", lambda r: [Send(r.answer(flags=0, rcode=5))])
    primary.set_zone("example.", text(8))
    look(0, "OK")
    rows = look(1, "WARNING", "--ask")
    assert [r["serial"] for r in rows] == [7, 8, 7, 7, 7], rows
    assert rows[0]["lag"] == 1 and "1 behind 8" in rows[0]["why"], rows
    assert rows[1]["status"] == "WARNING" and "REFUSED" in rows[1]["why"], rows


def no_zone(secd) -> None:
    """Where nothing is known it is 3, and said why."""
    out = secd.ctl("skew", "nobody.test")
    assert out.returncode == 3 and "no such zone" in out.stderr, out
    out = secd.ctl_json("skew", "empty", status=2)
    assert out["serial"] is None and "was never transferred" in out["servers"][0]["why"], out
    for args in (("skew",), ("skew", "example", "-w", "soon"), ("skew", "example", "-w"),
                 ("skew", "example", "-P", "0"), ("skew", "example", "other"),
                 ("skew", "example", "--nonsense")):
        assert secd.ctl(*args).returncode == 3, args
    argv = [str(secd.path.with_name("secdctl")), "-s", str(secd.dir / "none"), "skew", "example"]
    assert subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode == 3
