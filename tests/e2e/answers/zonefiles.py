"""The zones of this scenario: their files, and what the head of each file says.

    ; zone: APEX        what it is the zone of
    ; set: NAME         zones of one set are loaded together ("main" when nothing is said)
    ; skip: SERVER WHY  a server that does not load it, and why
    ; rule: TEXT        what it is there for
"""
from __future__ import annotations

import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class ZoneFile:
    path: pathlib.Path
    apex: str
    rule: str
    set: str = "main"
    skip: dict[str, str] = dataclasses.field(default_factory=dict)


def read_head(path: pathlib.Path) -> ZoneFile:
    said: dict = {"skip": {}}
    with open(path, encoding="ascii") as f:
        for line in f:
            if not line.startswith("; ") or ": " not in line:
                break
            key, value = line[2:].rstrip("\n").split(": ", 1)
            if key == "skip":
                server, why = value.split(" ", 1)
                said["skip"][server] = why
            else:
                assert key in ("zone", "set", "rule") and key not in said, f"{path}: {line}"
                said[key] = value
    assert said.get("zone") and said.get("rule"), f"{path} does not say what it is for"
    return ZoneFile(path, said.pop("zone"), said.pop("rule"), **said)


def read_all(generated: list[pathlib.Path]) -> dict[str, list[ZoneFile]]:
    """Set -> its zones, in the order of their file names."""
    out: dict[str, list[ZoneFile]] = {}
    for path in sorted((HERE / "zones").glob("*.zone")) + generated:
        zone = read_head(path)
        out.setdefault(zone.set, []).append(zone)
    for name, zones in out.items():
        apexes = [z.apex for z in zones]
        assert len(set(apexes)) == len(apexes), f"set {name} has a zone twice"
    return out
