"""Would it be seen? Answers are spoiled on purpose, and the validator or the judge must refuse each.

What passes is either a hole in them or no spoiling at all; the ways are chosen so that the latter
does not happen.
"""
from __future__ import annotations

import copy
import random

import classes
import prove

EVERY = 12  # each so-many-th question is spoiled once for the validator and once for the judge
INTRUDER = "intruder.test. 3600 CLASS1 A 192.0.2.250"


def known_hashes() -> None:
    """RFC 5155 appendix A, and the order of RFC 4034 6.1."""
    salt = bytes.fromhex("aabbccdd")
    for name, want in (("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
                       ("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
                       ("x.y.w.example.", "2vptu5timamqttgl4luu9kg21e0aor3s")):
        assert prove.nsec3_hash(prove.key(name), 12, salt).decode() == want, name
    order = ["example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
             "z.example.", "\\001.z.example.", "*.z.example.", "\\200.z.example."]
    assert sorted(order, key=prove.key) == order


# --- for the validator: (what was done, the answer) or None --------------------------------------

def sets_of(said: dict, *types: str) -> list[str]:
    return [x for x in said["proof"] if prove.record(x).type in types]


def with_signatures(said: dict, line: str) -> list[str]:
    r = prove.record(line)
    return [line] + [x for x in said["proof"] if prove.record(x).type == "RRSIG"
                     and prove.record(x).owner == r.owner and prove.record(x).covered == r.type]


class Spoiler:
    def __init__(self, judge: classes.Judge, rng: random.Random, servers: list[str]):
        self.judge, self.rng, self.servers = judge, rng, servers
        self.validator = judge.validator
        self.seen = 0
        self.chain = {z.apex: [x for x in z.lines if prove.record(x).type in prove.PROOFS]
                      for z in self.validator.zones.values()}

    def take(self, got: dict) -> None:
        """A question as askall printed it. Those on which all servers agree are taken: each then
        said what secd said."""
        self.seen += 1
        ours = got["said"]["secd"]
        if self.seen % EVERY or not got["same"] or "error" in ours or ours["tc"]:
            return
        faults, used = self.validator.check(got["q"], ours)
        if faults:
            return
        self.for_validator(got["q"], ours, used)
        self.for_judge(got["q"], ours)

    def told(self, what: str, q: str, refused: bool, said: dict | None = None) -> None:
        v = self.judge.verdict
        v.spoiled[what] += 1
        if not refused:
            v.passed.append(f"{q}: {what}" + (f"\n{classes.show({'spoiled': said})}" if said else ""))

    def for_validator(self, q: str, ours: dict, used: set[str]) -> None:
        ways = [w for w in (self.no_proof, self.other_proof, self.no_signature, self.twice, self.rcode,
                            self.no_do, self.strange_proof, self.signature_ttl, self.no_ds)]
        self.rng.shuffle(ways)
        for way in ways:
            said = copy.deepcopy(ours)
            question = way(q, said, used)
            if question:
                self.told(way.__name__, question, bool(self.validator.check(question, said)[0]), said)
                return

    def no_proof(self, q: str, said: dict, used: set[str]) -> str | None:
        """The NSEC or NSEC3 of one purpose is gone. (Used are those of the one proof that was found;
        where two stand for the same, either may go, so all others go as well.)"""
        if not used:
            return None
        gone = with_signatures(said, self.rng.choice(sorted(used)))
        for line in sets_of(said, *prove.PROOFS):
            if line not in used:
                gone += with_signatures(said, line)
        said["proof"] = [x for x in said["proof"] if x not in gone]
        return q

    def other_proof(self, q: str, said: dict, used: set[str]) -> str | None:
        """Another one of the zone stands where one was needed."""
        if not used:
            return None
        line = self.rng.choice(sorted(used))
        zone = next(z for z in self.validator.zones.values() if line in z.lines)
        rest = [x for x in self.chain[zone.apex] if x not in said["proof"]]
        if not rest:
            return None
        new = self.rng.choice(rest)
        r = prove.record(new)
        gone = with_signatures(said, line)
        said["proof"] = [x for x in said["proof"] if x not in gone] + [new] + [
            x for x in zone.lines if prove.record(x).type == "RRSIG"
            and prove.record(x).owner == r.owner and prove.record(x).covered == r.type]
        return q

    def no_signature(self, q: str, said: dict, used: set[str]) -> str | None:
        """One signature is gone."""
        sigs = sets_of(said, "RRSIG")
        if not sigs:
            return None
        said["proof"].remove(self.rng.choice(sigs))
        return q

    def signature_ttl(self, q: str, said: dict, used: set[str]) -> str | None:
        """A signature's TTL is not that of what it signs."""
        sigs = sets_of(said, "RRSIG")
        if not sigs:
            return None
        line = self.rng.choice(sigs)
        owner, ttl, rest = line.split(" ", 2)
        said["proof"][said["proof"].index(line)] = f"{owner} {int(ttl) + 1} {rest}"
        return q

    def twice(self, q: str, said: dict, used: set[str]) -> str | None:
        """A record stands twice."""
        part = self.rng.choice([p for p in ("answer", "authority", "proof", "additional") if said[p]] or [None])
        if not part:
            return None
        said[part].append(self.rng.choice(said[part]))
        return q

    def rcode(self, q: str, said: dict, used: set[str]) -> str | None:
        """NXDOMAIN with the proof of NODATA, or the other way about. An opt-out says less: there may
        be a delegation, or none."""
        if not used or not any(" SOA " in x for x in said["authority"]) or any(
                prove.record(x).type == "NSEC3" and prove.nsec3_of(prove.record(x)).opt_out for x in used):
            return None
        said["rcode"] = {"NXDOMAIN": "NOERROR", "NOERROR": "NXDOMAIN"}[said["rcode"]]
        return q

    def no_do(self, q: str, said: dict, used: set[str]) -> str | None:
        """What DO brings, though DO was not set."""
        if not said["proof"] or q.split(" ")[1] in ("ANY", "RRSIG", "NSEC", "NSEC3"):
            return None
        said["authority"] += said["proof"]
        said["proof"] = []
        name, qtype, qclass, _ = q.split(" ")
        return f"{name} {qtype} {qclass} edns=1232"

    def strange_proof(self, q: str, said: dict, used: set[str]) -> str | None:
        """An NSEC or NSEC3 that the zone does not have."""
        if not used:
            return None
        line = self.rng.choice(sorted(used))
        said["proof"][said["proof"].index(line)] = line[:-2] + ("00" if line[-2:] != "00" else "01")
        return q

    def no_ds(self, q: str, said: dict, used: set[str]) -> str | None:
        """A secure delegation without DS."""
        ds = sets_of(said, "DS")
        sigs = [x for line in ds for x in with_signatures(said, line)]
        if not ds or len(sigs) <= len(ds):
            return None
        said["proof"] = [x for x in said["proof"] if x not in sigs]
        return q

    # --- for the judge ---------------------------------------------------------------------------

    def for_judge(self, q: str, ours: dict) -> None:
        """secd alone says something else, in one part."""
        said = {s: copy.deepcopy(ours) for s in self.servers if f"not={s}" not in q}
        mine = said["secd"]
        what = self.rng.choice(("rcode", "aa", "bits", "opt", "answer", "authority", "glue", "less"))
        if what == "rcode":
            mine["rcode"] = "SERVFAIL" if ours["rcode"] != "SERVFAIL" else "REFUSED"
        elif what in ("aa", "bits", "opt"):
            mine[what] = 1 - mine[what]
        elif what == "less":
            parts = [p for p in ("answer", "authority", "glue") if mine[p]]
            if not parts:
                return
            mine[self.rng.choice(parts)].pop()
        else:
            mine[what] = sorted(mine[what] + [INTRUDER])
        own = classes.Judge(self.judge.world, self.validator, {})
        own.question(q, said, False)
        self.told(f"judge: {what}", q, any(": secd alone" in f for f in own.verdict.failed))


WAYS = ("no_proof", "other_proof", "no_signature", "twice", "rcode", "no_do", "strange_proof",
        "signature_ttl", "no_ds", "judge: rcode", "judge: aa", "judge: bits", "judge: opt",
        "judge: answer", "judge: authority", "judge: glue", "judge: less")
