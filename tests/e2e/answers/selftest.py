"""Would the judge see it? Answers are spoiled on purpose, and each must be refused.

A comparison that finds nothing proves little by itself. The Spoiler takes answers as they come,
changes one thing in what one server said, and asks a judge of its own; comparer() sets askall
between two servers whose zones differ in known places.
"""
from __future__ import annotations

import copy
import json
import random
import subprocess

import judge
import oracle

EVERY = 10  # each so-many-th question is spoiled
LISTS = ("answer", "authority", "glue")


def drop(rng: random.Random, said: dict) -> str | None:
    lists = [k for k in LISTS if said[k]]
    if not lists:
        return None
    k = rng.choice(lists)
    said[k].pop(rng.randrange(len(said[k])))
    return f"a record less in {k}"


def twice(_rng: random.Random, said: dict) -> str | None:
    if not said["answer"]:
        return None
    said["answer"] = sorted(said["answer"] + said["answer"][:1])
    return "a record twice"


def intruder(rng: random.Random, said: dict) -> str:
    k = rng.choice(LISTS)
    said[k] = sorted(said[k] + ["intruder.test. 3600 CLASS1 A 192.0.2.250"])
    return f"a record more in {k}"


def change(rng: random.Random, said: dict, part: int, what: str) -> str | None:
    lists = [k for k in LISTS if said[k]]
    if not lists:
        return None
    k = rng.choice(lists)
    at = rng.randrange(len(said[k]))
    words = said[k][at].split(" ")
    words[part] = str(int(words[part]) + 7) if words[part].isdigit() else "x" + words[part]
    said[k][at] = " ".join(words)
    said[k].sort()
    return f"another {what} in {k}"


def flip_aa(_rng: random.Random, said: dict) -> str:
    said["aa"] = 0 if said["aa"] else 1
    return "AA turned over"


def flip_tc(_rng: random.Random, said: dict) -> str:
    said["tc"] = 0 if said["tc"] else 1
    return "TC turned over"


def rcode(rng: random.Random, said: dict) -> str:
    said["rcode"] = rng.choice([r for r in ("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED")
                                if r != said["rcode"]])
    return f"rcode {said['rcode']}"


def liar(_rng: random.Random, said: dict) -> str:
    said["additional"].append("intruder.test. 3600 CLASS1 A 192.0.2.250")
    return "an invented address in additional"


def silence(_rng: random.Random, said: dict) -> str:
    said.clear()
    said["error"] = "silence"
    return "silence"


WAYS = (drop, twice, intruder, flip_aa, flip_tc, rcode, silence, liar,
        lambda r, s: change(r, s, 0, "owner"), lambda r, s: change(r, s, 1, "TTL"),
        lambda r, s: change(r, s, -1, "end of RDATA"))


class Spoiler:
    def __init__(self, world: oracle.World, rng: random.Random):
        self.world, self.rng = world, rng
        self.seen = self.spoiled = self.refused = 0
        self.taken: list[str] = []

    def take(self, got: dict) -> None:
        """One question and its answers, as askall printed them."""
        self.seen += 1
        if got["same"] and self.seen % EVERY or len(got["said"]) < 2:
            return
        said = copy.deepcopy(got["said"])
        server = self.rng.choice(list(said))
        # No ruling allows what was never seen; less than what was seen it may allow.
        way = self.rng.choice(WAYS if got["same"] else (intruder, silence))
        if said[server]["tc"] and way not in (flip_aa, flip_tc, rcode, silence):
            return  # what a truncated message holds is not looked at
        what = way(self.rng, said[server])
        if what is None or self.may_pass(got["q"], server, what):
            return
        own = judge.Judge(self.world)
        own.question(got["q"], said)
        self.spoiled += 1
        if own.verdict.failures:
            self.refused += 1
        else:
            self.taken.append(f"{got['q']}: {server}, {what}")

    def may_pass(self, q: str, server: str, what: str) -> bool:
        """Would this be what a ruling allows that server to say here?"""
        qname, qtype, _class, _how = q.split(" ")
        want = self.world.ask_once(oracle.name(qname), qtype)
        return server != "secd" and (
            what.endswith("in additional")  # another's is not looked at
            or "limit" in want.marks
            or "loop" in want.marks and what == "a record twice"
            or len(want.glue) > 20 and (what.endswith("less in glue") or what.startswith("TC")))


ZONE = """$TTL 300
doctored.test. SOA ns.inv.test. host.inv.test. 1 3600 600 86400 60
doctored.test. NS ns.inv.test.
a.doctored.test. A 192.0.2.1
b.doctored.test. A 192.0.2.2
b.doctored.test. A 192.0.2.3
c.doctored.test. 200 TXT "text"
cut.doctored.test. NS ns.cut.doctored.test.
cut.doctored.test. NS ns.inv.test.
ns.cut.doctored.test. A 192.0.2.4
d.e.doctored.test. TXT "below an empty one"
same.doctored.test. MX 10 Same.doctored.test.
"""
# What one of the two is given otherwise, and the question that must show it.
DOCTORED = [
    ("a.doctored.test. A 192.0.2.1\n", "", "a.doctored.test. A"),
    ("b.doctored.test. A 192.0.2.3\n", "", "b.doctored.test. A"),
    ("200 TXT", "201 TXT", "c.doctored.test. TXT"),
    ("ns.cut.doctored.test. A 192.0.2.4", "ns.cut.doctored.test. A 192.0.2.5",
     "x.cut.doctored.test. A"),
    ("d.e.doctored.test. TXT", "d.f.doctored.test. TXT", "e.doctored.test. A"),
]
SAME = ["same.doctored.test. MX", "doctored.test. NS", "cut.doctored.test. DS",
        "none.doctored.test. A", "sAmE.doctored.test. MX"]


def comparer(lab, askall) -> None:
    """askall tells two servers apart by exactly the questions that the doctoring reaches."""
    other = ZONE
    for was, now, _ in DOCTORED:
        assert other.count(was) == 1
        other = other.replace(was, now)
    one, two = lab.knot({"doctored.test.": ZONE}), lab.nsd({"doctored.test.": other})
    path = lab.dir / "doctored"
    path.write_text("".join(f"{q} IN edns=1232\n" for q in SAME + [d[2] for d in DOCTORED]),
                    encoding="ascii")
    apexes = lab.dir / "doctored-apex"
    apexes.write_text("doctored.test.\n", encoding="ascii")
    got = subprocess.run([askall, "-z", apexes, path, f"one={one.addr}@{one.port}",
                          f"two={two.addr}@{two.port}"],
                         check=True, capture_output=True, text=True, timeout=30)
    lines = [json.loads(x) for x in got.stdout.splitlines()]
    told = sorted(x["q"].split(" IN ")[0] for x in lines[:-1])
    assert told == sorted(d[2] for d in DOCTORED), told
    assert lines[-1]["agreed"] == len(SAME), lines[-1]
    one.stop()
    two.stop()
