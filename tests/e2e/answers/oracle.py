"""What the RFCs say the answer is: RFC 1034 4.3.2 with 2308, 4592, 6604, 6672, 8482 and 9471,
written to be read beside them, over the records that a primary's transfer shows.

It shares no code with any server. Names are tuples of labels, leftmost first, in the text form
of askall (letters folded, other octets escaped).
"""
from __future__ import annotations

import dataclasses
import functools
import re

CHAIN_LIMIT = 16  # substitutions (CNAME, DNAME) in one answer, as secd has it
NAME_MAX = 255
LABEL = re.compile(r"((?:\\\d\d\d|\\.|[^.\\])+)\.")
OCTET = re.compile(r"\\\d\d\d|\\.|.")


@functools.lru_cache(maxsize=1 << 18)
def name(text: str) -> tuple[str, ...]:
    """"www.example." -> ("www", "example"); "." -> ()"""
    return tuple(LABEL.findall(text.lower())) if text != "." else ()


def text(labels: tuple[str, ...]) -> str:
    return "".join(label + "." for label in labels) or "."


def octets(labels: tuple[str, ...]) -> int:
    return sum(len(OCTET.findall(label)) + 1 for label in labels) + 1


def within(labels: tuple[str, ...], above: tuple[str, ...]) -> bool:
    return not above or labels[-len(above):] == above


@dataclasses.dataclass
class Answer:
    """What must be said. marks: what was met on the way, for the rulings."""
    rcode: str = "NOERROR"
    aa: bool = True
    answer: list[str] = dataclasses.field(default_factory=list)
    authority: list[str] = dataclasses.field(default_factory=list)
    glue: list[str] = dataclasses.field(default_factory=list)
    helpful: list[str] = dataclasses.field(default_factory=list)  # sibling glue and the like
    one_of: list[list[str]] = dataclasses.field(default_factory=list)  # ANY: one of these RRsets
    marks: set[str] = dataclasses.field(default_factory=set)
    steps: int = 0

    def faults(self, said: dict) -> list[str]:
        """How an answer differs from this one; empty when it is right."""
        if "error" in said:
            return [said["error"]]
        out = []
        if said["rcode"] != self.rcode:
            out.append(f"rcode {said['rcode']}, not {self.rcode}")
        if bool(said["aa"]) != self.aa:
            out.append("AA is set" if said["aa"] else "AA is not set")
        if said["tc"]:
            return out  # what a truncated message holds is not to be used (RFC 2181 9)
        answers = [sorted(self.answer + rrset) for rrset in self.one_of] or [sorted(self.answer)]
        if said["answer"] not in answers:
            out += diff("answer", answers[0], said["answer"])
        for what in ("authority", "glue"):
            if said[what] != sorted(getattr(self, what)):
                out += diff(what, sorted(getattr(self, what)), said[what])
        return out


def diff(what: str, want: list[str], got: list[str]) -> list[str]:
    gone, more = list(want), []
    for line in got:
        if line in gone:
            gone.remove(line)
        else:
            more.append(line)
    return [f"{what} lacks {x}" for x in gone] + [f"{what} has {x}" for x in more]


class Zone:
    def __init__(self, apex: str, lines: list[str]):
        self.apex = name(apex)
        self.nodes: dict[tuple, dict[str, list[tuple[int, str]]]] = {}
        for line in dict.fromkeys(lines):  # the closing SOA is the first one again
            owner, ttl, _class, rest = line.split(" ", 3)
            rtype, _, rdata = rest.partition(" ")
            self.nodes.setdefault(name(owner), {}).setdefault(rtype, []).append((int(ttl), rdata))
        self.names = set(self.nodes)  # with the empty non-terminals (RFC 4592 2.2.2)
        for owner in self.nodes:
            while len(owner) > len(self.apex) and owner[1:] not in self.names:
                owner = owner[1:]
                self.names.add(owner)

    def soa(self) -> list[str]:
        """For a negative answer: TTL is min(SOA's TTL, MINIMUM) (RFC 2308 3)."""
        ttl, rdata = self.nodes[self.apex]["SOA"][0]
        return [line(self.apex, min(ttl, int(rdata.split()[-1])), "SOA", rdata)]

    def rrset(self, node: tuple, rtype: str, owner: tuple | None = None) -> list[str]:
        return [line(owner if owner is not None else node, ttl, rtype, rdata)
                for ttl, rdata in self.nodes.get(node, {}).get(rtype, [])]


def line(owner: tuple, ttl: int, rtype: str, rdata: str) -> str:
    return f"{text(owner)} {ttl} CLASS1 {rtype} {rdata}".rstrip() if rdata else \
        f"{text(owner)} {ttl} CLASS1 {rtype}"


class World:
    """The zones that one server holds."""

    def __init__(self, zones: dict[str, list[str]]):
        self.zones = {name(apex): Zone(apex, lines) for apex, lines in zones.items()}
        self.lines = {line for lines in zones.values() for line in lines}  # all that is held
        self.known: dict[tuple, Answer] = {}

    def zone_for(self, qname: tuple, qtype: str) -> Zone | None:
        """RFC 1034 4.3.2 step 2; DS belongs to the parent (RFC 4035 3.1.4.1)."""
        above = [qname[i:] for i in range(len(qname) + 1) if qname[i:] in self.zones]
        if qtype == "DS" and len(above) > 1 and above[0] == qname:
            above = above[1:]
        return self.zones[above[0]] if above else None

    def ask(self, qname: tuple, qtype: str, *, limit: int = CHAIN_LIMIT,
            stay: bool = False) -> Answer:
        """The answer to a question. limit and stay are for rulings about other servers: how many
        substitutions are followed, and whether a chain ends where its first zone does."""
        out = Answer()
        seen = {qname}
        first = zone = self.zone_for(qname, qtype)
        if qname in self.zones and zone is not self.zones[qname]:
            out.marks.add("apex of a child")
        if not zone:
            out.rcode, out.aa = "REFUSED", False
            out.marks.add("refused")
            return out
        while zone:
            if zone is not first:
                out.marks.add("another zone")
            qname = self.step(zone, qname, qtype, out)
            if qname is None:
                return out
            out.steps += 1
            if qname in seen:
                out.marks.add("loop")
                return out
            if out.steps > limit:
                out.marks.add("limit")
                return out
            seen.add(qname)
            zone = self.zone_for(qname, qtype)
            if stay and zone is not first:
                zone = None
        out.marks.add("leaves")
        return out

    def ask_once(self, qname: tuple, qtype: str) -> Answer:
        """The same, remembered: not to be changed."""
        key = qname, qtype
        if key not in self.known:
            self.known[key] = self.ask(qname, qtype)
        return self.known[key]

    def step(self, zone: Zone, qname: tuple, qtype: str, out: Answer) -> tuple | None:
        """Step 3 for one name: the next name, or None when out is complete."""
        for i in range(len(qname) - len(zone.apex), -1, -1):  # from the apex down
            node = qname[i:]
            if node not in zone.names:
                return self.missing(zone, node, qname, qtype, out)
            here = zone.nodes.get(node, {})
            if "NS" in here and node != zone.apex and not (i == 0 and qtype == "DS"):
                return self.referral(zone, node, out)
            if "DNAME" in here and i:
                return self.dname(zone, node, qname, qtype, out)
        return self.match(zone, qname, qname, qtype, out)

    def missing(self, zone: Zone, node: tuple, qname: tuple, qtype: str, out: Answer):
        """3c: node is the first name on the way down that does not exist."""
        wild = ("*",) + node[1:]
        if wild in zone.names:
            out.marks.add("wildcard")
            for rtype in ("NS", "DNAME"):
                if rtype in zone.nodes.get(wild, {}):
                    out.marks.add(f"wildcard {rtype}")
            return self.match(zone, wild, qname, qtype, out)
        out.rcode = "NXDOMAIN"
        out.authority = zone.soa()
        return None

    def match(self, zone: Zone, node: tuple, qname: tuple, qtype: str, out: Answer):
        """3a, and 3c for what a wildcard gives: node's data under the name qname."""
        here = zone.nodes.get(node, {})
        if not here:
            out.marks.add("empty non-terminal")
        if qtype == "ANY" and here:
            # RFC 8482 4.1: one RRset, or more of them, of which secd gives one
            out.marks.add("any")
            out.one_of = [[x for x in zone.rrset(node, t, qname) if x not in out.answer] for t in here]
            return None
        if qtype in here:  # a DNAME may have led back to its owner: no record twice (RFC 2181 5)
            out.answer += [x for x in zone.rrset(node, qtype, qname) if x not in out.answer]
            return None
        if "CNAME" in here and qtype not in ("CNAME", "ANY", "RRSIG", "NSEC"):
            out.answer += zone.rrset(node, "CNAME", qname)
            out.marks.add("cname")
            return name(here["CNAME"][0][1])
        out.authority = zone.soa()
        return None

    def referral(self, zone: Zone, cut: tuple, out: Answer):
        """3b. AA speaks of the first name (RFC 1034 4.3.1, RFC 2181 5.4.1)."""
        out.marks.add("referral")
        out.aa = bool(out.answer)
        out.authority = zone.rrset(cut, "NS")
        for _ttl, rdata in zone.nodes[cut]["NS"]:
            target = name(rdata)
            for rtype in ("A", "AAAA"):
                if within(target, cut):  # in-domain: RFC 9471 2.1
                    out.glue += zone.rrset(target, rtype)
                elif within(target, zone.apex):  # sibling, or at home in the zone: 2.2
                    out.helpful += zone.rrset(target, rtype)
        return None

    def dname(self, zone: Zone, owner: tuple, qname: tuple, qtype: str, out: Answer):
        """RFC 6672 3.2, step 3C. A DNAME that was met before is not given again."""
        out.marks.add("dname")
        ttl, target = zone.nodes[owner]["DNAME"][0]
        rr = zone.rrset(owner, "DNAME")
        if rr[0] in out.answer:
            out.marks.add("dname again")
            rr = []
        out.answer += rr
        new = qname[:-len(owner)] + name(target)
        if octets(new) > NAME_MAX:
            out.rcode = "YXDOMAIN"
            return None
        out.answer.append(line(qname, ttl, "CNAME", text(new)))
        if qtype == "CNAME":  # it is what was asked for (RFC 1034 4.3.2 3a)
            out.marks.add("synthesised asked")
            return None
        return new
