"""From a Result to secd.ini, and to a plain list where zones are many or their names odd."""
from __future__ import annotations

import os
import pathlib
import tempfile
import textwrap

from .common import Fault, Place, Report, is_plain
from .model import Group, Primary, Result

LINE_MAX = 199  # octets
ITEMS_MAX = 150  # of a list on one line
KEYS_MAX = 50  # zones in the ini file, if there are no more
SECRET_LINE = 180  # a longer secret has a file of its own


def ascii_of(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def comment(text: str) -> list[str]:
    """As many lines as it takes."""
    return textwrap.wrap(ascii_of(text), 100, initial_indent="; ", subsequent_indent=";   ",
                         break_long_words=True)


def where(place: Place) -> list[str]:
    return comment(f"{place}")


def items(key: str, values) -> list[str]:
    """A list, on as many lines with its key as it takes."""
    out, line = [], ""
    for value in values:
        if line and len(line) + len(value) + 2 > ITEMS_MAX:
            out.append(f"{key} = {line}")
            line = ""
        line = f"{line}, {value}" if line else value
    return out + [f"{key} = {line}"] if line else out


def short(endpoint: str) -> str:
    return endpoint.removesuffix("@53")


class Writer:
    """The texts of all files: name -> (text, mode). stem is the ini file's without its end."""

    def __init__(self, result: Result, report: Report, ini: str):
        self.result, self.report = result, report
        self.ini, self.stem = ini, pathlib.PurePath(ini).stem
        self.files: dict[str, tuple[str, int]] = {}

    def make(self) -> dict[str, tuple[str, int]]:
        out = self.head() + self.server()
        for key in self.result.keys:
            out += self.key(key)
        for primary in self.result.primaries:
            out += self.primary(primary)
        for group in self.result.groups:
            out += self.group(group)
        out += self.zones() + self.left()
        self.files[self.ini] = ("\n".join(out) + "\n", 0o600)
        return self.files

    def head(self) -> list[str]:
        return [f"; The configuration of {self.result.setup.kind}, as secd-import-conf(8) read it. Above each",
                "; section, and behind each zone, stands where it comes from."]

    def server(self) -> list[str]:
        setup = self.result.setup
        out = ["", "[server]"]
        listen = {a: place for a, place in reversed(setup.listen)}  # each once
        for place in dict.fromkeys(reversed(listen.values())):
            out += where(place)
            out += items("listen", [short(a) for a, p in reversed(listen.items()) if p == place])
        for option, (value, place) in setup.server.items():
            out += where(place) + [f"{option} = {value}"]
        return out

    def key(self, key) -> list[str]:
        out = ["", *where(key.place), f"[key {key.name}]", f"algorithm = {key.algorithm}"]
        if len(key.secret) <= SECRET_LINE:
            return out + [f"secret = {key.secret}"]
        name = f"{self.stem}.{key.name}.secret"
        self.files[name] = (key.secret + "\n", 0o600)
        return out + [f"secret-file = {name}"]

    def primary(self, primary: Primary) -> list[str]:
        server = primary.server
        out = ["", *where(server.place), f"[primary {primary.name}]"]
        out += items("address", [short(a) for a in server.addresses])
        out += items("notify-from", primary.notify_from) + items("source", server.source)
        out += [f"key = {server.key}"] if server.key else []
        out += [f"max-transfers = {server.max_transfers}"] if server.max_transfers else []
        return out

    def group(self, group: Group) -> list[str]:
        out = ["", *where(group.zones[0].place), f"[group {group.name}]"]
        out += items("primaries", [p.name for p in group.primaries])
        return out + [f"{option} = {value}" for option, value in group.policy.items()]

    def zones(self) -> list[str]:
        pairs = [(z, g) for g in self.result.groups for z in g.zones]
        lines = {id(z): self.zone(z, f"{z.text} = {g.name}") for z, g in pairs}
        inline = [z for z, _ in pairs if is_plain(z.labels) and len(lines[id(z)]) <= LINE_MAX] \
            if len(pairs) <= KEYS_MAX else []
        out = ["", "[zones]", *(lines[id(z)] for z in inline)] if inline else []
        kept = {id(z) for z in inline}
        listed = [self.zone(z, f"{z.text} {g.name}") for z, g in pairs if id(z) not in kept]
        if listed:
            name = f"{self.stem}.zones"
            head = [f"; Zones of {self.ini}: name, group, and where it comes from."]
            self.files[name] = ("\n".join(head + listed) + "\n", 0o644)
            out += ["", "[include]", f"zone-list = {name}"]
        return out

    @staticmethod
    def zone(zone, line: str) -> str:
        whole = f"{line} ; {ascii_of(str(zone.place))}"
        return whole if len(whole) <= LINE_MAX else line

    def left(self) -> list[str]:
        """What is not carried over, for who reads the file later."""
        warnings = self.report.lines("warning")
        out = ["", "; Not carried over, or not as it was:"] if warnings else []
        for text in warnings:
            out += comment(text)
        return out


def put(directory: pathlib.Path, files: dict[str, tuple[str, int]], force: bool) -> None:
    """Write them, each in one go. What is there already and differs stays, unless force. Raises Fault."""
    for name, (text, _) in files.items():
        path = directory / name
        if force or not path.exists():
            continue
        try:
            same = path.read_text(encoding="ascii") == text
        except (OSError, UnicodeError):
            same = False
        if not same:
            raise Fault(f"{path} is there and is another; remove it, name another place with -o, or use --force")
    for name, (text, mode) in files.items():
        put_one(directory / name, text, mode)


def put_one(path: pathlib.Path, text: str, mode: int) -> None:
    try:
        fd, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "w", encoding="ascii") as f:
                f.write(text)
            os.chmod(new, mode)
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
    except OSError as e:
        raise Fault(f"{path}: {e.strerror}") from None
