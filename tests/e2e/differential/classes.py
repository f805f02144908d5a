"""Class what askall found by the part in which the servers differ, and say what counts.

A part in which secd stands alone is a failure, unless a ruling (those of the scenario answers, and
rulings of proofs here) has the sentence that decides. Where another server says what secd says, the
difference is counted and listed; and so it is where secd's answer is the oracle's (the RFCs' own
algorithm, see answers/oracle.py) and no two others give the same one that no ruling explains.
"""
from __future__ import annotations

import collections
import dataclasses
import json

import oracle
import proof_rulings
import prove
import rulings

PARTS = {"rcode": ("rcode",), "flags": ("aa", "tc", "bits", "opt"), "answer": ("answer",),
         "authority": ("authority",), "glue": ("glue",)}
LISTED = 3  # examples that are kept of each class
UDP_MAX = 1232  # what secd sends by UDP at most


@dataclasses.dataclass
class Verdict:
    asked: int = 0
    agreed: int = 0
    validated: int = 0
    by_ruling: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    listed: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    examples: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    failed: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    sizes: list[int] = dataclasses.field(default_factory=lambda: [0, 0, 0])  # questions, ours, Knot's
    worst: list = dataclasses.field(default_factory=list)
    spoiled: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    passed: list[str] = dataclasses.field(default_factory=list)  # spoiled, but not refused
    left: list[str] = dataclasses.field(default_factory=list)  # peers that a batch had to do without

    def add(self, other: Verdict) -> None:
        self.asked += other.asked
        self.agreed += other.agreed
        self.validated += other.validated
        self.by_ruling += other.by_ruling
        self.listed += other.listed
        self.failed += other.failed
        self.spoiled += other.spoiled
        self.passed += other.passed
        self.left += other.left
        for mine, theirs in ((self.examples, other.examples), (self.failures, other.failures)):
            for k, v in theirs.items():
                mine[k] = (mine.get(k, []) + v)[:LISTED]
        self.sizes = [a + b for a, b in zip(self.sizes, other.sizes)]
        self.worst = sorted(self.worst + other.worst, key=lambda w: w[1] - w[0])[:10]

    def table(self) -> str:
        out = [f"{self.asked} questions, {self.agreed} on which all agree; {self.validated} answers "
               "of secd validated"]
        out += [f"  {n:7} {server:6} {name}" for (name, server), n in sorted(self.by_ruling.items())]
        out += [f"  {n:7} listed {name}" for name, n in sorted(self.listed.items())]
        out += [f"  {n:7} FAILED {name}" for name, n in sorted(self.failed.items())]
        return "\n".join(out)


def main_parts_same(a: dict, b: dict) -> bool:
    return "error" not in a and "error" not in b and all(
        part_value(a, p) == part_value(b, p) for p in PARTS)


def part_value(said: dict, part: str):
    if said["tc"] and part not in ("rcode", "flags"):
        return None  # what a truncated message holds is not to be used (RFC 2181 9)
    return [said[k] for k in PARTS[part]]


def other_bits(said: dict):
    return said.get("bits"), said.get("opt")


def proof_value(said: dict) -> list[str] | None:
    return None if said["tc"] else said["proof"]


def show(said: dict[str, dict]) -> str:
    out = []
    for server, a in said.items():
        if "error" in a:
            out.append(f"    {server}: {a['error']}")
            continue
        flags = " aa" * bool(a["aa"]) + " tc" * bool(a["tc"])
        out.append(f"    {server}: {a['rcode']}{flags} bits {a['bits']:x} opt {a['opt']} "
                   f"{a['size']} octets{' (TCP after TC)' * a['cut']}")
        for what in ("answer", "authority", "glue", "proof"):
            out += [f"      {what:9} {readable(x)}" for x in a[what][:14]]
            if len(a[what]) > 14:
                out.append(f"      {what:9} and {len(a[what]) - 14} more")
    return "\n".join(out)


def readable(line: str) -> str:
    """The records of DNSSEC are printed in the generic form; what matters of them."""
    r = prove.record(line)
    head = " ".join(line.split(" ")[:4])
    if r.type == "RRSIG":
        return f"{head} {r.covered} labels {r.labels} ..."
    if r.type == "NSEC":
        n = prove.nsec_of(r)
        return f"{head} {prove.show(n.next)} {' '.join(sorted(n.types))}"
    if r.type == "NSEC3":
        h = prove.nsec3_of(r)
        return f"{head} {'opt-out ' * h.opt_out}{h.next.decode()} {' '.join(sorted(h.types))}"
    return line[:150]


def types_apart(ours: list[str], theirs: list[str]) -> str:
    """", more DS, less NSEC": the types of the records that only one of the two has."""
    out = ""
    for word, some, rest in (("more", ours, theirs), ("less", theirs, ours)):
        types = sorted({line.split(" ", 4)[3] for line in set(some) - set(rest)})
        out += f", {word} {' '.join(types)}" if types else ""
    return out


class Judge:
    def __init__(self, world: oracle.World, validator: prove.Validator, where: dict[str, str]):
        """where: apex -> what the zone is, for reports."""
        self.world, self.validator, self.where = world, validator, where
        self.verdict = Verdict()

    def line(self, text: str) -> dict:
        got = json.loads(text)
        if "asked" not in got:
            self.question(got["q"], got["said"], bool(got["same"]))
            return got
        self.verdict.asked += got["asked"]
        self.verdict.agreed += got["agreed"]
        if "sizes" in got:
            s = got["sizes"]
            self.verdict.sizes = [s["questions"], *s["octets"]]
            self.verdict.worst = s["worst"]
        return got

    def question(self, q: str, said: dict[str, dict], same: bool) -> None:
        ours = said["secd"]
        qname, qtype, _class, how = q.split(" ")
        faults, _ = self.validator.check(q, ours)
        self.verdict.validated += 1
        if "error" not in ours and ours["cut"] and ours["size"] <= self.room(how):
            faults.append("TC by UDP, though all of it had room")
        want = self.world.ask_once(oracle.name(qname), qtype)
        if qtype == "RRSIG" and "dname" in want.marks and "do" in how.split(","):
            # A DNAME's own signature is asked for, or goes along with it: askall counts it there.
            owners = {x.split(" ", 1)[0] for x in want.answer if x.split(" ", 4)[3] == "DNAME"}
            want = dataclasses.replace(want, answer=[
                x for x in want.answer if x.split(" ", 4)[3] != "RRSIG" or x.split(" ", 1)[0] not in owners
                or prove.record(x).covered != "DNAME"])
        wrong = [] if "error" in ours else want.faults(ours)
        for f in faults:
            self.fail("validator: " + classed(f), q, said, f)
        if wrong:
            self.fail("oracle: " + ("all servers say something else" if same else "it says something else"),
                      q, said, "; ".join(wrong))
        if not same and "error" not in ours:
            case = rulings.Case(self.world, oracle.name(qname), qtype, how.split(","), want, ours)
            self.compare(q, said, case, wrong)

    @staticmethod
    def room(how: str) -> int:
        edns = next((int(o[5:]) for o in how.split(",") if o.startswith("edns=")), 512)
        return max(512, min(edns, UDP_MAX))

    def compare(self, q: str, said: dict[str, dict], case: rulings.Case, wrong: list[str]) -> None:
        ours = said["secd"]
        others = {s: a for s, a in said.items() if s != "secd"}
        open_: dict[str, dict] = {}  # servers whose difference nothing explains
        peers: dict[str, dict] = {}  # those that differ in no more than the proof
        for server, theirs in others.items():
            if main_parts_same(ours, theirs):
                peers[server] = theirs
                continue
            # No ruling is about the other bits of the header, or EDNS.
            known = None if wrong or other_bits(ours) != other_bits(theirs) else next(
                (r for r in rulings.RULINGS + proof_rulings.RULINGS if r.covers(server, case, theirs)), None)
            if known:
                self.verdict.by_ruling[known.name, server] += 1
            else:
                open_[server] = theirs
        for part in PARTS:
            parting = [s for s, a in open_.items()
                       if "error" in a or part_value(a, part) != part_value(ours, part)]
            agree = [s for s, a in others.items()
                     if "error" not in a and part_value(a, part) == part_value(ours, part)]
            self.part(part, q, said, parting, agree, wrong, open_.values())
        parting = []
        for server, theirs in peers.items():
            if proof_value(ours) == proof_value(theirs):
                continue
            known = next((r for r in proof_rulings.PROOFS if r.covers(server, case, theirs)), None)
            if known:
                self.verdict.by_ruling[known.name, server] += 1
            elif self.validator.check(q, theirs)[0]:
                self.verdict.by_ruling[proof_rulings.INCOMPLETE, server] += 1
            else:
                parting.append(server)
        self.part("proof", q, said, parting, [s for s, a in others.items() if "error" not in a
                                              and proof_value(a) == proof_value(ours)], [])

    def part(self, part: str, q: str, said: dict, parting: list[str], agree: list[str],
             wrong: list[str], unexplained=()) -> None:
        if not parting:
            return
        name = f"{part}: unlike {' '.join(sorted(parting))}"
        if agree or not wrong and part not in ("flags", "proof") and self.many_voices(unexplained):
            name += f", like {' '.join(sorted(agree))}" if agree else ", like the oracle"
            self.verdict.listed[name] += 1
            self.keep(self.verdict.examples, name, q, said, "; ".join(wrong))
        else:
            against = f"{part}: secd alone" + (" against all" if self.one_voice(part, said) else "")
            if part == "proof":
                against += types_apart(said["secd"]["proof"], said[parting[0]].get("proof", []))
            self.fail(against, q, said, "; ".join(wrong) or "the oracle says as secd")

    @staticmethod
    def one_voice(part: str, said: dict) -> bool:
        others = [a for s, a in said.items() if s != "secd" and "error" not in a]
        value = proof_value if part == "proof" else lambda a: part_value(a, part)
        return all(value(a) == value(others[0]) for a in others)

    @staticmethod
    def many_voices(unexplained) -> bool:
        """Does none of those whose answer nothing explains have another's support?"""
        answers = list(unexplained)
        return not any(main_parts_same(a, b) for i, a in enumerate(answers) for b in answers[:i])

    def fail(self, name: str, q: str, said: dict, why: str) -> None:
        self.verdict.failed[name] += 1
        self.keep(self.verdict.failures, name, q, said, why)

    def keep(self, to: dict[str, list[str]], name: str, q: str, said: dict, why: str) -> None:
        have = to.setdefault(name, [])
        if len(have) < LISTED:
            have.append(f"{q}\n    zone: {self.place(q)}\n    {why}\n{show(said)}")

    def place(self, q: str) -> str:
        qname = oracle.name(q.split(" ", 1)[0])
        zone = self.world.zone_for(qname, q.split(" ")[1])
        return self.where.get(oracle.text(zone.apex), "?") if zone else "none"


def classed(fault: str) -> str:
    """A fault without the names in it."""
    words = fault.split(": ")[0].split(" ")
    return " ".join(w for w in words if not (w.endswith(".") and len(w) > 1 or w.isdigit()))[:60]
