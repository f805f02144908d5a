"""What is asked of a zone: every name and its neighbours, all types that mean something."""
from __future__ import annotations

import random
import re

import oracle

TYPES = ("A", "AAAA", "TXT", "NS", "SOA", "CNAME", "DNAME", "DS", "DNSKEY", "NSEC", "NSEC3", "NSEC3PARAM",
         "RRSIG", "ANY", "TYPE65400", "MX")
NEAR = ("A", "TXT", "DS", "NS", "CNAME", "NSEC", "ANY", "TYPE65400")
WITH_DO = ("edns=1232,do", "edns=1232,do", "edns=1232,do", "edns=4096,do", "edns=512,do", "edns=1232,do,tcp")
WITHOUT = ("edns=1232", "edns=1232", "-", "edns=512", "tcp")
OCTET = re.compile(r"\\\d\d\d|\\.|.")


def octet(value: int) -> str:
    """As askall prints it."""
    if value <= 32 or value >= 127:
        return f"\\{value:03d}"
    return "\\" * (chr(value) in '.\\"();@$') + chr(value).lower()


def before(label: str) -> str:
    """A label just before: the last octet one less, and then the largest."""
    octets = OCTET.findall(label)
    last = octets[-1]
    value = int(last[1:]) if len(last) == 4 else ord(last[-1])
    if value == 0:
        return "".join(octets[:-1]) or "\\000"
    return "".join(octets[:-1]) + octet(value - 1) + "\\255" * (len(octets) < 63)


def alternate(name: str) -> str:
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(name))


def neighbours(owner: tuple, apex: tuple, rng: random.Random) -> list[tuple]:
    out = [("child",) + owner, ("*",) + owner, ("\\000",) + owner]
    if rng.random() < 0.5:
        out += [("a", "b") + owner, ("*", "a") + owner]
    if len(owner) > len(apex):
        out += [("sibling",) + owner[1:], ("*",) + owner[1:], (before(owner[0]),) + owner[1:],
                (owner[0] + "\\000",) + owner[1:]]
        if rng.random() < 0.3:
            out += [("\\255",) + owner[1:], ("*",) + owner[1:]]
    return out


def fits(name: tuple) -> bool:
    return oracle.octets(name) <= oracle.NAME_MAX and \
        all(len(OCTET.findall(label)) <= 63 for label in name)


def of_zone(zone: oracle.Zone, hashed: list[tuple], rng: random.Random) -> list[str]:
    """Lines for askall; hashed are owners of NSEC3."""
    lines: dict[str, None] = {}

    def ask(name: tuple, qtype: str, how: str) -> None:
        if fits(name):
            lines[f"{oracle.text(name)} {qtype} IN {how}"] = None

    for owner in sorted(zone.names) + rng.sample(hashed, min(3, len(hashed))):
        types = list(zone.nodes.get(owner, {}))
        for qtype in dict.fromkeys(types + list(TYPES)):
            ask(owner, qtype, rng.choice(WITH_DO))
            if rng.random() < 0.4:
                ask(owner, qtype, rng.choice(WITHOUT))
        if "DNAME" in types:  # where its target is the name above, this leads back to the owner
            for qtype in ("DNAME", "A", "RRSIG"):
                ask((owner[0],) + owner, qtype, rng.choice(WITH_DO))
        for name in neighbours(owner, zone.apex, rng):
            for qtype in {"A", rng.choice(types or ["TXT"]), rng.choice(NEAR), rng.choice(NEAR)}:
                ask(name, qtype, rng.choice(WITH_DO))
            if rng.random() < 0.3:
                ask(name, rng.choice(NEAR), rng.choice(WITHOUT))
        line = f"{alternate(oracle.text(owner))} {types[0] if types else 'A'} IN edns=1232,do"
        lines[line] = None
    return list(lines)
