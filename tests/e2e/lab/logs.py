"""secd's log lines: `TIME level event words key=value key="quoted value"`."""
from __future__ import annotations

import pathlib
import re
from typing import NamedTuple

HEAD = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+Z) (error|warn|notice|info|debug) (.*)$")
PAIR = re.compile(r'([A-Za-z][\w-]*)=("(?:[^"\\]|\\.)*"|\S*)')


class Line(NamedTuple):
    time: str
    level: str
    event: str
    keys: dict[str, str]
    text: str

    def matches(self, event: str, keys: dict) -> bool:
        """Is it this event, and does each key match? A value is compared as text; a compiled
        pattern is searched for. A trailing underscore in a key (from_) is dropped."""
        if self.event != event:
            return False
        for key, want in keys.items():
            got = self.keys.get(key.rstrip("_"))
            if got is None:
                return False
            if isinstance(want, re.Pattern):
                if not want.search(got):
                    return False
            elif key == "zone":
                if got.rstrip(".").lower() != str(want).rstrip(".").lower():
                    return False
            elif got != str(want):
                return False
        return True


def parse(text: str) -> Line | None:
    """None for what is no log line (a sanitizer's report, say)."""
    m = HEAD.match(text)
    if not m:
        return None
    rest = m.group(3)
    first = PAIR.search(rest)
    event = (rest[:first.start()] if first else rest).strip()
    keys = {k: v[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            if len(v) > 1 and v[0] == '"' else v for k, v in PAIR.findall(rest)}
    return Line(m.group(1), m.group(2), event, keys, text)


class LogFile:
    """A log that grows: each line is parsed once."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.lines: list[Line] = []
        self.by_event: dict[str, list[Line]] = {}
        self.other: list[str] = []  # lines that are not of our form
        self._offset = 0

    def read(self) -> list[Line]:
        """All lines up to now; a line still being written waits for the next look."""
        if not self.path.exists():
            return self.lines
        with open(self.path, "rb") as f:
            f.seek(self._offset)
            data = f.read()
        end = data.rfind(b"\n") + 1
        self._offset += end
        for raw in data[:end].split(b"\n")[:-1]:
            text = raw.decode("utf-8", "replace")
            line = parse(text)
            if line:
                self.lines.append(line)
                self.by_event.setdefault(line.event, []).append(line)
            elif text:
                self.other.append(text)
        return self.lines
