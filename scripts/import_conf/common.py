"""What all readers need: places, faults, what is told, names, addresses, amounts."""
from __future__ import annotations

import functools
import glob
import ipaddress
import pathlib
import re
import typing

HOLDS_ANY = "0.0.0.0/0", "::/0"
SAFE = re.compile(rb"[A-Za-z0-9_*/-]")


class Place(typing.NamedTuple):
    """A line of a file that was read."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Fault(Exception):
    """What keeps the configuration from being read, or what is read from being written."""

    def __init__(self, text: str, place: Place | None = None):
        super().__init__(f"{place}: {text}" if place else text)


class Report:
    """What is told, in the order of its discovery; what is told of many places is told once, with the first
    of them. A warning is of something that behaves otherwise from now on, a note of what has no meaning for
    secd."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], dict[Place, None]] = {}

    def warn(self, place: Place, text: str) -> None:
        self._add("warning", place, text)

    def note(self, place: Place, text: str) -> None:
        self._add("note", place, text)

    def _add(self, rank: str, place: Place, text: str) -> None:
        self._told.setdefault((rank, text), {})[place] = None

    def lines(self, rank: str) -> list[str]:
        out = []
        for (r, text), places in self._told.items():
            if r == rank:
                more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
                out.append(f"{next(iter(places))}: {rank}: {text}{more}")
        return out


class Options:
    """How a reader tells of what it does not carry over: option -> (told how, in which words)."""

    def __init__(self, report: Report, warn: dict[str, str], note: dict[str, str]):
        self.report, self.warnings, self.notes = report, warn, note

    def tell(self, option: str, place: Place) -> None:
        if option in self.warnings:
            self.report.warn(place, f"{option}: {self.warnings[option]}")
        elif option in self.notes:
            self.report.note(place, f"{option}: {self.notes[option]}")
        else:
            self.report.warn(place, f"{option}: not known here, and not carried over")


# --- files ----------------------------------------------------------------------------------------


def read_text(path: str, place: Place | None = None) -> str:
    """What is no UTF-8 survives as surrogates. Raises Fault; place is where the file is named."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
            text = f.read()
    except OSError as e:
        raise Fault(f"{path}: {e.strerror}", place) from None
    if "\0" in text:
        raise Fault("this is no text file: it has a NUL", Place(path, text[:text.index("\0")].count("\n") + 1))
    return text.replace("\r\n", "\n")


def included(pattern: str, bases: list[pathlib.Path]) -> list[str]:
    """The files that an include names, from the first of these directories that has such; sorted."""
    for base in bases:
        path = str(base / pattern) if str(base) != "." else pattern
        found = sorted(p for p in glob.glob(path) if pathlib.Path(p).is_file())
        if found:
            return found
    return []


def is_pattern(path: str) -> bool:
    return any(c in path for c in "*?[")


# --- names ----------------------------------------------------------------------------------------


def wire_name(text: str, place: Place) -> tuple[bytes, ...]:
    """Labels, folded, of presentation form with \\DDD and \\X."""
    octets = text.encode("utf-8", "surrogateescape")
    labels, label, at = [], bytearray(), 0
    while at < len(octets) and octets != b".":
        c = octets[at:at + 1]
        if c == b"." or c == b"":
            labels.append(bytes(label))
            label = bytearray()
        elif c == b"\\" and octets[at + 1:at + 4].isdigit() and int(octets[at + 1:at + 4]) < 256:
            label.append(int(octets[at + 1:at + 4]))
            at += 3
        elif c == b"\\" and not octets[at + 1:at + 2].isdigit() and at + 1 < len(octets):
            label += octets[at + 1:at + 2]
            at += 1
        elif c == b"\\":
            raise Fault(f"'{text}' has a bad escape; write octets of a name as \\DDD", place)
        else:
            label += c
        at += 1
    if label:
        labels.append(bytes(label))
    if not octets or any(not 0 < len(x) < 64 for x in labels) or sum(len(x) + 1 for x in labels) > 254:
        raise Fault(f"'{text}' is no domain name; write labels of 1 to 63 octets divided by single dots", place)
    return tuple(x.lower() for x in labels)


def name_text(labels: tuple[bytes, ...]) -> str:
    """As secd takes it in a zone list, and in an ini file unless it has a backslash; without a final dot."""
    return ".".join("".join(chr(c) if SAFE.match(bytes([c])) else f"\\{c:03}" for c in label)
                    for label in labels) or "."


def is_plain(labels: tuple[bytes, ...]) -> bool:
    """May it stand as a key of an ini file?"""
    return "\\" not in name_text(labels)


# --- addresses ------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1 << 16)
def host(text: str) -> str | None:
    """An address in its shortest form, with its scope if it has one; or None."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


@functools.lru_cache(maxsize=1 << 16)
def is_any(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_unspecified


def is4(address: str) -> bool:
    return ":" not in address


def port_number(text: str, place: Place) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Fault(f"'{text}' is no port; write a number from 1 to 65535", place)
    return int(text)


def endpoint(text: str, place: Place, port: int = 53) -> str:
    """addr or addr@port, as addr@port. Raises Fault."""
    addr, at, number = text.partition("@")
    found = host(addr)
    if found is None:
        raise Fault(f"'{addr}' is no address; write one like 192.0.2.1 or 2001:db8::1", place)
    return f"{found}@{port_number(number, place) if at else port}"


def networks(text: str, place: Place) -> list[str]:
    """Of an address, a network, a&mask or a-b. Bits behind a prefix do not count."""
    addr, dash, last = text.partition("-")
    try:
        if dash:
            ends = ipaddress.ip_address(addr), ipaddress.ip_address(last)
            return [shorten(n) for n in ipaddress.summarize_address_range(*ends)]
        return [shorten(ipaddress.ip_network(text.replace("&", "/"), strict=False))]
    except (ValueError, TypeError):
        raise Fault(f"'{text}' is no address and no network; write one like 192.0.2.1 or 192.0.2.0/24",
                    place) from None


def shorten(network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


# --- amounts --------------------------------------------------------------------------------------


def number(text: str, place: Place, units: str = "") -> int:
    """Digits, and one of these letters: s m h d w are times, B K M G T sizes. Either case does."""
    factors = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800} if "s" in units else \
        {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
    m = re.fullmatch(r"(\d{1,18})([a-zA-Z]?)", text)
    if not m or (m[2] and m[2].lower() not in units.lower()):
        kind = "time" if "s" in units else "size" if units else "number"
        raise Fault(f"'{text}' is no {kind}", place)
    return int(m[1]) * (factors[m[2].lower()] if m[2] else 1)


def switch(text: str, place: Place) -> bool:
    low = text.lower()
    if low in ("yes", "on", "true", "1"):
        return True
    if low in ("no", "off", "false", "0"):
        return False
    raise Fault(f"'{text}' is neither yes nor no", place)
