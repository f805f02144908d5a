"""check_secd says what every monitoring expects, of secd, NSD, Knot and BIND: who lags, who is lame, who is silent."""
import pathlib
import re
import socket
import subprocess

from lab import Lab
from lab.scripted import CLOSE, IGNORE, Send
from lab.zones import zone

SANITIZED = False
CHECK = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "check_secd"
WORDS = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
PERF = re.compile(r"'lag_[^'=]+'=(U|\d+);\d*;\d*;0 'time_[^'=]+'=\d+\.\d+s;;;0")


class Bench:
    def __init__(self, lab: Lab):
        self.lab = lab
        self.state = lab.dir / "memory"

    def check(self, want: int, text: str, *args: str, at: str = "example.") -> str:
        """Its line, which has this status and text, and perfdata as the conventions have it."""
        argv = [str(CHECK), "-z", at, "-t", "0.5", "--state", str(self.state), *args]
        got = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        line = got.stdout
        assert got.returncode == want and not got.stderr, got
        assert line.startswith(f"SECD {WORDS[want]} - ") and line.count("\n") == 1, line
        assert text in line, (text, line)
        if "|" in line:
            rest = line.split(" | ", 1)[1].strip()
            assert not PERF.sub("", rest).strip(), rest
        return line


def at(server) -> str:
    return f"{server.addr}@{server.port}"


def run(lab: Lab) -> None:
    bench = Bench(lab)
    primary = lab.scripted_primary({"example.": zone(serial=9, refresh=3600)})
    peers = [make({"example.": zone(serial=9)}) for make in (lab.knot, lab.nsd, lab.named)]
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 9, 5)
    servers = [w for p in [*peers, secd] for w in ("-s", at(p))]

    bench.check(0, "4 servers at serial 9", "-p", at(primary), *servers)
    bench.check(0, "4 servers at serial 9", *servers)
    bench.check(0, "1 server at serial 9", "-s", at(secd), "--tcp")
    lags(bench, primary, servers)
    since(bench, primary, secd)
    faults(bench, primary, secd)
    found(bench, lab)
    wrong(bench, secd)


def lags(bench: Bench, primary, servers) -> None:
    primary.set_zone("example.", zone(serial=11))
    line = bench.check(1, "has 9, 2 behind 11", "-p", at(primary), *servers)
    assert line.count("2 behind 11") == 4 and line.count("=2;1;;0") == 4, line
    bench.check(0, "2 behind", "-p", at(primary), *servers, "-w", "3")
    bench.check(2, "2 behind", "-p", at(primary), *servers, "-w", "1", "-c", "2")
    bench.check(1, "2 behind", "-p", at(primary), *servers, "-c", "3")
    # The newest counts where no primary is named, and serials wrap.
    bench.check(1, "2 behind 11", "-s", at(primary), *servers)
    primary.set_zone("example.", zone(serial=8))
    bench.check(1, "has 9, which is ahead of 8", "-p", at(primary), *servers)
    primary.set_zone("example.", zone(serial=9 + 2 ** 31))
    bench.check(2, "neither older nor newer", "-p", at(primary), *servers)
    primary.set_zone("example.", zone(serial=(9 - 20) % 2 ** 32))
    bench.check(1, "has 4294967285, 20 behind 9", "-s", at(primary), *servers)
    primary.set_zone("example.", zone(serial=9))


def since(bench: Bench, primary, secd) -> None:
    """By time: since it was first seen to lag, over runs."""
    args = ("-p", at(primary), "-s", at(secd), "-w", "1s", "-c", "1h")
    primary.set_zone("example.", zone(serial=10))
    bench.check(0, "1 behind 10", *args)
    bench.lab.wait(lambda: "WARNING" in subprocess.run(
        [CHECK, "-z", "example.", "--state", bench.state, *args], capture_output=True, text=True,
        check=False).stdout, 10, "a second has passed")
    bench.check(1, "s at least", *args)
    bench.check(2, "s at least", *args[:-1], "1s")
    kept = bench.state / "example.json"
    kept.write_text("{ garbage")
    bench.check(0, "1 behind 10", *args)
    primary.set_zone("example.", zone(serial=9))
    bench.check(0, "at serial 9", *args)
    primary.set_zone("example.", zone(serial=10))
    bench.check(0, "1 behind 10", *args)  # from the beginning again
    primary.set_zone("example.", zone(serial=9))


def faults(bench: Bench, primary, secd) -> None:
    args = ("-p", at(primary), "-s", at(secd))
    ways = (
        (lambda r: [IGNORE], "primary does not answer"),
        (lambda r: [Send(r.answer(flags=0, rcode=5))], "primary answers REFUSED"),
        (lambda r: [Send(r.answer(flags=0, rcode=2))], "primary answers SERVFAIL"),
        (lambda r: [Send(r.soa(flags=0))], "primary answers without authority"),
        (lambda r: [Send(r.answer())], "primary has no SOA for it"),
        (lambda r: [Send(r.answer()[:7])], "primary does not answer"),
        (lambda r: [Send(r.soa()[:-9])], "primary sent a broken message"),
        (lambda r: [Send(r.soa(ident=r.ident ^ 1))], "primary does not answer"),
    )
    for handler, text in ways:
        primary.on("SOA", handler)
        bench.check(1, text, *args)
        bench.check(2, text, *args, "--primary-must")
        bench.check(2, text.removeprefix("primary "), "-s", at(primary), "-s", at(secd))
    primary.on("SOA", lambda r: [Send(r.soa())] if r.via == "tcp"
               else [Send(r.answer(flags=0x0600))])
    bench.check(0, "at serial 9", *args)  # truncated: by TCP
    primary.on("SOA", lambda r: [CLOSE] if r.via == "tcp" else [Send(r.answer(flags=0x0600))])
    bench.check(1, "primary closed the connection", *args)
    primary.on("SOA", None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]  # nobody's, from here on
    bench.check(2, "nobody answers", "-s", f"127.0.0.1@{port}")
    bench.check(2, "can't be reached", "-s", f"127.0.0.1@{port}", "-s", at(secd))
    bench.check(2, "answers REFUSED", "-s", at(secd), at="nobody.test")


def found(bench: Bench, lab: Lab) -> None:
    """The servers of the zone, as a resolver knows them: their addresses, IPv4 and IPv6."""
    text = """$TTL 300
@ SOA ns1 h 5 3600 600 86400 300
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns2 A 127.0.0.2
ns2 AAAA ::1
"""
    resolver = lab.knot({"example.": text})
    port = lab.port()
    lab.secd({"example.": [resolver]}, listen=[("127.0.0.1", port), ("127.0.0.2", port),
                                               ("::1", port)]).wait_serial("example.", 5, 5)
    args = ("-r", at(resolver), "-P", str(port))
    line = bench.check(0, "3 servers at serial 5", *args)
    for label in ("ns1.example'", "ns2.example/127.0.0.2'", "ns2.example/::1'"):
        assert f"'lag_{label}" in line, line
    bench.check(0, "2 servers at serial 5", *args, "-4")
    bench.check(3, "knows no address of ns1.example.", *args, "-6")
    bench.check(3, "the resolver answers REFUSED", *args, at="nobody.test")
    silent = lab.scripted_primary({"example.": text})
    silent.on("NS", lambda r: [IGNORE])
    bench.check(3, "the resolver does not answer", "-r", at(silent), "-P", str(port))


def wrong(bench: Bench, secd) -> None:
    bench.check(3, "this is no domain name", "-s", at(secd), at="a" * 64)
    bench.check(3, "this is no domain name", "-s", at(secd), at="a..b")
    for args, text in ((("-w", "soon"), "is no number of serials"),
                       (("-s", "127.0.0.1@99999"), "is none of ADDRESS"),
                       (("-s", "@53"), "is none of ADDRESS"),
                       (("--nonsense",), "unrecognized arguments")):
        bench.check(3, text, *args)
    bench.check(3, "Not a directory", "-s", at(secd), "-w", "1s", "--state", str(secd.ini / "below"))
