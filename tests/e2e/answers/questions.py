"""What is asked of a zone: every RRset, and for each owner a missing type, a child, a sibling,
a wildcard sibling, and the same with its letters in alternating case."""
from __future__ import annotations

import random

import oracle

USUAL = "edns=1232"
MISSING = ("A", "AAAA", "TXT", "SRV", "HINFO")
META = {"OPT", "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA", "ANY"}


def alternate(name_text: str) -> str:
    """wWw.eXaMpLe: escapes are digits and marks, which have no case."""
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(name_text))


def fits(labels: tuple[str, ...]) -> bool:
    return oracle.octets(labels) <= oracle.NAME_MAX


def of_owner(zone: oracle.Zone, owner: tuple, small: bool):
    """(name, type) pairs for one owner, an empty non-terminal too."""
    types = list(zone.nodes.get(owner, {}))
    first = types[0] if types else "A"
    for t in types:
        yield owner, t
    yield owner, next(t for t in MISSING if t not in types)
    child = ("child",) + owner
    yield child, first
    if len(owner) > len(zone.apex):
        yield ("sibling",) + owner[1:], first
        yield ("*",) + owner[1:], first
    if not small:
        return
    yield child, "A"
    yield ("a", "b") + owner, first
    yield ("*",) + owner, first
    for t in ("ANY", "DS", "CNAME", "NS", "SOA", "AAAA", "TYPE65400"):
        yield owner, t
    yield child, "ANY"
    yield child, "CNAME"
    yield child, "DNAME"
    if len(owner) > len(zone.apex):
        yield ("*",) + owner[1:], "TXT"
        yield ("\\000",) + owner[1:], "A"
        yield ("\\255",) + owner[1:], first


def of_zone(zone: oracle.Zone, small: bool, sample: int | None, rng: random.Random):
    """Lines for askall. sample: so many owners, drawn by rng; None: all of them."""
    owners = sorted(zone.names)
    if sample is not None and sample < len(owners):
        owners = sorted(rng.sample(owners, sample))
    lines: dict[str, None] = {}
    for owner in owners:
        for qname, qtype in of_owner(zone, owner, small):
            if fits(qname):
                lines[f"{oracle.text(qname)} {qtype} IN {USUAL}"] = None
        first = next(iter(zone.nodes.get(owner, {"A": 1})))
        lines[f"{alternate(oracle.text(owner))} {first} IN -"] = None
    return list(lines)


def truncation(zone: oracle.Zone):
    """The same by UDP with room of several sizes, truncation compared as it stands, and by TCP."""
    out = []
    for owner, types in sorted(zone.nodes.items()):
        for qname, qtype in [(owner, t) for t in types] + [(("child",) + owner, "A")]:
            for how in ("notcp", "edns=512,notcp", "edns=1232,notcp", "edns=4096,notcp", "tcp",
                        "edns=0,tcp"):
                out.append(f"{oracle.text(qname)} {qtype} IN {how}")
    return out


# Names of no zone that is served, other classes, and RD set.
STRAY = ["nowhere.invalid. A IN edns=1232", "test. SOA IN edns=1232",
         "example.net. A IN rd", "a.example.net. A IN edns=1232,rd"]
