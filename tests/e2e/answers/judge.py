"""Judge what askall found: is secd right, and is every other server's difference accounted for?

secd's answer must be the oracle's, in all that is compared. Where another server says something
else, a ruling (rulings.py) must name the sentence by which ours is right and must recognise that
server's answer; a difference that no ruling knows is a failure, whoever is wrong.
"""
from __future__ import annotations

import collections
import dataclasses
import json

import oracle
import rulings


@dataclasses.dataclass
class Verdict:
    asked: int = 0
    agreed: int = 0
    by_ruling: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list[str] = dataclasses.field(default_factory=list)

    def table(self) -> str:
        out = [f"{self.asked} questions, {self.agreed} on which all agree; the others:"]
        for (ruling, server), n in sorted(self.by_ruling.items(), key=lambda x: (x[0][0], x[0][1])):
            out.append(f"  {n:7} {server:6} {ruling}")
        return "\n".join(out)


def same(a: dict, b: dict) -> bool:
    """As askall compares."""
    if "error" in a or "error" in b:
        return False
    keys = ("rcode", "aa", "tc", "bits", "opt")
    if not (a["tc"] and b["tc"]):
        keys += ("answer", "authority", "glue", "proof")
    return all(a[k] == b[k] for k in keys)


def show(server: str, said: dict) -> str:
    if "error" in said:
        return f"    {server}: {said['error']}"
    flags = " aa" * bool(said["aa"]) + " tc" * bool(said["tc"])
    out = [f"    {server}: {said['rcode']}{flags}"]
    for what in ("answer", "authority", "glue"):
        out += [f"      {what:9} {x[:200]}" for x in said[what][:12]]
        if len(said[what]) > 12:
            out.append(f"      {what:9} and {len(said[what]) - 12} more")
    return "\n".join(out)


class Judge:
    def __init__(self, world: oracle.World, ours: str = "secd", known=rulings.RULINGS):
        self.world, self.ours, self.known = world, ours, known
        self.verdict = Verdict()

    def line(self, text: str) -> dict | None:
        """One line that askall printed; returned when it was about a question."""
        got = json.loads(text)
        if "asked" in got:
            self.verdict.asked += got["asked"]
            self.verdict.agreed += got["agreed"]
            return None
        said = list(got["said"].values())
        agree = len(said) == 1 and "error" not in said[0] or \
            len(said) > 1 and all(same(said[0], x) for x in said[1:])
        assert agree == bool(got["same"]), f"askall and the judge compare otherwise: {text[:500]}"
        self.question(got["q"], got["said"])
        return got

    def question(self, q: str, said: dict[str, dict]) -> None:
        qname, qtype, _class, how = q.split(" ")
        want = self.world.ask_once(oracle.name(qname), qtype)
        case = rulings.Case(self.world, oracle.name(qname), qtype, how.split(","), want,
                            said[self.ours])
        faults = want.faults(said[self.ours])
        if said[self.ours].get("tc") and "notcp" not in case.how:
            faults.append("TC is set by TCP")
        faults += self.additional(want, said[self.ours])
        if faults:
            self.fail(q, said, [f"{self.ours}: {f}" for f in faults])
        for server, theirs in said.items():
            if server == self.ours or same(said[self.ours], theirs):
                continue
            ruling = None if faults else next(
                (r for r in self.known if r.covers(server, case, theirs)), None)
            if ruling:
                self.verdict.by_ruling[ruling.name, server] += 1
            elif not faults:
                self.fail(q, said, [f"{server} differs, and no ruling says why: {f}"
                                    for f in want.faults(theirs) or ["truncation"]])

    def additional(self, want: oracle.Answer, ours: dict) -> list[str]:
        """What secd adds is free (glue apart, which the oracle demands) but must be true: an
        address that we hold, or that a wildcard gives, once. Where a referral is small, sibling
        glue and the zone's own addresses are there (BIND 2384 and 2385 were without)."""
        said = ours.get("additional", [])
        out = [f"additional has {x} twice" for x in set(said) if said.count(x) > 1]
        for x in set(said) - self.world.lines:
            owner, _ttl, _class, rtype = x.split(" ")[:4]
            made = self.world.ask(oracle.name(owner), rtype)
            if x not in made.answer or "wildcard" not in made.marks:
                out.append(f"additional has {x}, which we do not hold")
        if len(want.glue) + len(want.helpful) <= 8:
            out += [f"additional lacks {x}" for x in want.helpful if x not in said]
        return out

    def fail(self, q: str, said: dict[str, dict], why: list[str]) -> None:
        self.verdict.failures.append("\n".join(
            [q] + ["  " + w[:400] for w in why] + [show(s, a) for s, a in said.items()]))
