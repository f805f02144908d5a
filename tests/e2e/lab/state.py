"""What is served, and what is known of it, to be held against the same of another run."""
from __future__ import annotations

import ctypes
import dataclasses
import pathlib
import struct

import dns.message
import dns.name

from . import dnsio

CLOCKS_S = 1.0  # what was learnt is on the disk within this


def dump(secd, apex: str) -> list[str] | None:
    """The zone's records as secdctl writes them, in order; None: it is not served."""
    def ask():
        got = secd.ctl("dump", apex)
        return None if "dumps" in got.stderr else got  # those before may not have ended quite yet

    got = secd.lab.wait(ask, 10 * secd.slow, f"dump of {apex}")
    if got.returncode:
        assert "nothing is held" in got.stderr, got.stderr
        return None
    return [line for line in got.stdout.splitlines() if not line.startswith(";")]


def wait_loaded(lab, secd, deadline_s: float = 10):
    """Until all that this start had in its state is served: the line that says so."""
    def loaded():
        for line in reversed(secd.log.read()):
            if line.event in ("state loaded", "secd started"):
                return line if line.event == "state loaded" else None
        return None

    try:
        return lab.wait(loaded, deadline_s * secd.slow, "all of the state is served")
    except AssertionError as e:
        raise AssertionError(f"{e}\n{secd.tail()}") from None


class Nobody:
    """A primary of the same name, that is not there."""

    def __init__(self, lab, like):
        self.name, self.addr, self.port = like.name, like.addr, lab.port(like.addr)


def alone(lab, secd, **opts):
    """Another secd with the same zones, address and state, which reaches no primary. Not started:
    one of them runs at a time."""
    nobody: dict[int, Nobody] = {}
    zones = {apex: [nobody.setdefault(id(p), Nobody(lab, p)) for p in servers]
             for apex, servers in secd.zones.items()}
    other = lab.secd(zones, start=False, **{"listen": secd.listen, **opts})
    other.ini.write_text(other.ini.read_text().replace(str(other.state), str(secd.state)))
    return other


@dataclasses.dataclass
class Sight:
    """A zone as an operator sees it."""
    lines: list[str] | None
    report: dict

    @classmethod
    def of(cls, secd, apex: str) -> Sight:
        return cls(dump(secd, apex), secd.ctl_json("zone", apex))

    def check(self, now: Sight, within_s: float = CLOCKS_S) -> None:
        """Is it the same now? Times may differ by what clocks are allowed to be late."""
        zone = self.report["zone"]
        assert now.lines == self.lines, f"{zone}: {differ(self.lines, now.lines)}"
        was, held = self.report["held"], now.report["held"]
        assert (was is None) == (held is None), f"{zone}: {was} / {held}"
        for key in held or ():
            if key in ("loaded", "checked", "expires"):
                most = within_s + (1 if key != "expires" else 0)  # these are of whole seconds
                assert abs(was[key] - held[key]) <= most, f"{zone}: {key}: {was} / {held}"
            elif key != "memory":
                assert was[key] == held[key], f"{zone}: {key}: {was} / {held}"
        if held:
            assert now.report["transfer"] == self.report["transfer"], \
                f"{zone}: {self.report['transfer']} / {now.report['transfer']}"
        for p, q in zip(self.report["primaries"], now.report["primaries"], strict=True):
            same = all(p[key] == q[key] for key in ("name", "serial", "refused")) \
                and (p["shown"] is None) == (q["shown"] is None) \
                and abs((p["shown"] or 0) - (q["shown"] or 0)) <= within_s + 1
            assert same, f"{zone}: {p} / {q}"


def differ(a: list[str] | None, b: list[str] | None) -> str:
    """What two dumps say differently, in short."""
    if a is None or b is None:
        return f"{'nothing' if a is None else len(a)} / {'nothing' if b is None else len(b)}"
    x, y = set(a), set(b)
    return f"{len(a)} / {len(b)} records: {sorted(x - y)[:3]} / {sorted(y - x)[:3]}"


def answers(secd, questions, **opts) -> list[dns.message.Message]:
    """All of them over one connection, in order."""
    got = []
    with dnsio.Tcp(secd.addr, secd.port, timeout=20) as c:
        for at in range(0, len(questions), 50):
            some = questions[at:at + 50]
            c.send(*(dnsio.make(*q, **opts).to_wire() for q in some))
            got += [dns.message.from_wire(c.recv()) for _ in some]
    return got


def same_answers(before, after) -> None:
    for a, b in zip(before, after, strict=True):
        got = dnsio.differ(a, b)
        assert not got, f"{a.question}: {got}"


def files(secd, pattern: str = "*") -> list[pathlib.Path]:
    """Of the state, by name; the lock is none of them."""
    return sorted(p for p in secd.state.glob(pattern) if p.name != "lock")


# --- the files themselves (secd/state/record.h) -----------------------------------------------------

FILE_HEAD, RECORD_HEAD, ALIGN = 32, 40, 8
MAGIC = 0xd15ec0de


def head(fmt: int, kind: int, number: int, *, sound: bool = True) -> bytes:
    """Of a file."""
    xxhash = ctypes.CDLL("libxxhash.so.0")
    xxhash.XXH3_64bits.restype = ctypes.c_uint64
    data = b"secdstat" + struct.pack("!IIQ", fmt, kind, number)
    return data + struct.pack("!Q", xxhash.XXH3_64bits(data, len(data)) ^ (not sound))


@dataclasses.dataclass
class Record:
    path: pathlib.Path
    at: int
    size: int  # with its head, without what fills up to ALIGN
    end: int
    kind: int
    apex: str  # "" in a file of a zone's own


def records(path: pathlib.Path) -> list[Record]:
    """All of a sound file."""
    data, at, out = path.read_bytes(), FILE_HEAD, []
    while at < len(data):
        magic, kind, _flags, length = struct.unpack_from("!IHHI", data, at)
        assert magic == MAGIC, f"{path} at {at}"
        apex = ""
        if path.name.startswith("log-"):
            body = data[at + RECORD_HEAD:at + RECORD_HEAD + min(length, 256)]
            apex = dns.name.from_wire(body, 0)[0].to_text()
        size = RECORD_HEAD + length
        out.append(Record(path, at, size, at + (size + ALIGN - 1) // ALIGN * ALIGN, kind, apex))
        at = out[-1].end
    return out
