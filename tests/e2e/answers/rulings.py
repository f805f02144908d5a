"""Where other servers part from secd, and the sentence by which secd's answer is right.

secd's own answer has been found equal to the oracle's before a ruling is asked for; a ruling
recognises the other server's answer. It must not be wider than what was seen: the judge's own
test (selftest.py) spoils answers and wants each of them refused, and run.py wants each ruling
to have been needed.
"""
from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable

import oracle


@dataclasses.dataclass
class Case:
    """A question, the answer that the oracle wants, and what secd said."""
    world: oracle.World
    qname: tuple[str, ...]
    qtype: str
    how: list[str]
    want: oracle.Answer
    ours: dict

    def rest_same(self, theirs: dict, *but: str) -> bool:
        """All that is compared is equal, but for these parts."""
        return all(self.ours[k] == theirs[k]
                   for k in ("rcode", "aa", "tc", "answer", "authority", "glue") if k not in but)

    def is_said(self, want: oracle.Answer, theirs: dict) -> bool:
        """Theirs is this other answer. What a truncated message holds is not looked at, so TC is
        believed only where ours has it too: these answers are no larger than ours."""
        return not want.faults(theirs) and (not theirs["tc"] or bool(self.ours["tc"]))


@dataclasses.dataclass
class Ruling:
    name: str
    cite: str
    servers: tuple[str, ...]
    recognises: Callable[[Case, dict], bool]

    def covers(self, server: str, case: Case, theirs: dict) -> bool:
        return server in self.servers and "error" not in theirs and self.recognises(case, theirs)


RULINGS: list[Ruling] = []


def ruling(name: str, cite: str, *servers: str):
    def add(recognises):
        RULINGS.append(Ruling(name, " ".join(cite.split()), servers, recognises))
        return recognises
    return add


def owner(line: str) -> tuple[str, ...]:
    return oracle.name(line.split(" ", 1)[0])


def rtype(line: str) -> str:
    return line.split(" ")[3]


def part_of(some: list[str], all_of: list[str]) -> bool:
    """Each of some is in all_of, as often at most, and something is missing."""
    return not collections.Counter(some) - collections.Counter(all_of) and len(some) < len(all_of)


# --- chains ---------------------------------------------------------------------------------

@ruling("a chain goes on in another zone of the same server",
        """RFC 1034 4.3.2 step 3a: "change QNAME to the canonical name in the CNAME RR, and go
        back to step 1", which looks through all zones; RFC 6604 3: the rcode is that of the
        last name""", "knot", "named")
def chain_leaves_zone(case: Case, theirs: dict) -> bool:
    return "another zone" in case.want.marks \
        and case.is_said(case.world.ask(case.qname, case.qtype, stay=True), theirs)


@ruling("a chain of more than five links is followed",
        """RFC 1034 3.6.2: "CNAME chains should be followed"; secd follows 16 links, knotd 5""",
        "knot")
def knot_chain_limit(case: Case, theirs: dict) -> bool:
    short = case.world.ask(case.qname, case.qtype, limit=4, stay=True)
    return "limit" in short.marks and case.is_said(short, theirs)


@ruling("a chain of more than eleven links is no server failure",
        """RFC 1034 3.6.2: "domain software should not fail when presented with CNAME chains or
        loops; CNAME chains should be followed" """, "named")
def named_chain_limit(case: Case, theirs: dict) -> bool:
    short = case.world.ask(case.qname, case.qtype, limit=11, stay=True)
    short.rcode = "SERVFAIL"
    return "limit" in short.marks and case.is_said(short, theirs)


@ruling("a chain ends after 16 links",
        """no RFC sets a limit; RFC 1034 3.6.2 has chains followed, RFC 6672 2.2 warns of names that
        grow: secd stops after 16 substitutions with what is there; NSD at the first DNAME that
        applies again, and otherwise not""", "nsd")
def nsd_chain_limit(case: Case, theirs: dict) -> bool:
    limit = 0 if "dname again" in case.want.marks else 200
    return "limit" in case.want.marks \
        and case.is_said(case.world.ask(case.qname, case.qtype, limit=limit), theirs)


@ruling("a loop is answered with the chain, each record once",
        """RFC 2181 5: "It is meaningless for two records to ever have label, class, type and data
        all equal - servers should suppress such duplicates if encountered" """, "knot", "nsd")
def loop_repeats(case: Case, theirs: dict) -> bool:
    return "loop" in case.want.marks and case.rest_same(theirs, "answer") \
        and set(theirs["answer"]) == set(case.ours["answer"]) \
        and len(theirs["answer"]) > len(case.ours["answer"])


@ruling("a loop is no server failure",
        """RFC 1034 3.6.2: "domain software should not fail when presented with CNAME chains or
        loops"; that loops be signalled as an error is asked of the resolver (5.2.2), which sees
        the loop in the chain; the server's algorithm (4.3.2) knows no error here""", "named")
def loop_servfail(case: Case, theirs: dict) -> bool:
    return "loop" in case.want.marks and theirs["rcode"] == "SERVFAIL" and theirs["aa"] \
        and case.rest_same(theirs, "rcode", "answer") \
        and set(theirs["answer"]) == set(case.ours["answer"])


# --- DNAME ----------------------------------------------------------------------------------

@ruling("a name that grows too long behind an alias is YXDOMAIN",
        """RFC 6672 3.2 step 3C: "If substitution of its <target> for its <owner> in QNAME would
        overflow the legal size for a <domain-name>, set RCODE to YXDOMAIN"; RFC 6604 3""",
        "knot")
def yxdomain(case: Case, theirs: dict) -> bool:
    return case.want.rcode == "YXDOMAIN" and theirs["rcode"] == "NXDOMAIN" \
        and case.rest_same(theirs, "rcode", "authority") \
        and theirs["authority"] == case.world.zone_for(case.qname, "A").soa()


@ruling("a DNAME keeps its owner, though that begins with an asterisk",
        """RFC 6672 3.2 step 3C: "copy that record into the answer section": only what is
        synthesised from a wildcard takes QNAME as its owner, and here the labels matched""",
        "knot")
def dname_of_star(case: Case, theirs: dict) -> bool:
    def mended(line: str) -> str:
        if rtype(line) != "DNAME" or "*" not in owner(line)[1:]:
            return line
        labels = owner(line)
        return " ".join([oracle.text(labels[labels.index("*", 1):])] + line.split(" ")[1:])

    answers = [sorted(case.want.answer + r) for r in case.want.one_of] or [sorted(case.want.answer)]
    return "dname" in case.want.marks and case.rest_same(theirs, "answer") \
        and theirs["answer"] != case.ours["answer"] \
        and sorted(mended(x) for x in theirs["answer"]) in answers


@ruling("ANY goes on behind a DNAME",
        """RFC 6672 3.2 step 3C: after the substitution, whatever QTYPE is, "Go back to step
        1" """, "named")
def any_stops_at_dname(case: Case, theirs: dict) -> bool:
    if case.qtype != "ANY" or "dname" not in case.want.marks:
        return False
    return case.is_said(case.world.ask(case.qname, "CNAME", stay=True), theirs)


# --- wildcards and names ----------------------------------------------------------------------

@ruling("no delegation is made from NS at a wildcard",
        """RFC 1034 4.3.2 step 3c: "match RRs at that node against QTYPE. If any match, copy them
        into the answer section"; RFC 4592 4.2 leaves more undefined""", "knot")
def wildcard_ns(case: Case, theirs: dict) -> bool:
    links = sorted(x for x in case.want.answer if rtype(x) == "CNAME")
    cuts = {owner(x) for x in theirs["authority"]}
    if "wildcard NS" not in case.want.marks or len(cuts) != 1 or theirs["glue"]:
        return False
    cut = cuts.pop()
    return cut[0] == "*" and theirs["rcode"] == "NOERROR" and not theirs["tc"] \
        and theirs["answer"] == links and bool(theirs["aa"]) == bool(links) \
        and theirs["authority"] == sorted(case.world.zone_for(cut, "NS").rrset(cut, "NS"))


@ruling("two labels of one zero octet",
        """RFC 2308 2.1: "Name errors (NXDOMAIN) are indicated by the presence of "Name Error" in
        the RCODE field"; nothing is at or below this name""", "knot")
def two_zero_labels(case: Case, theirs: dict) -> bool:
    return case.qname[:2] == ("\\000", "\\000") and case.want.rcode == "NXDOMAIN" \
        and theirs["rcode"] == "NOERROR" and case.rest_same(theirs, "rcode")


# --- negative answers -------------------------------------------------------------------------

@ruling("the SOA of a negative answer to QTYPE SOA has its TTL too",
        """RFC 2308 3: "The TTL of this record is set from the minimum of the MINIMUM field of the
        SOA record and the TTL of the SOA itself"; no QTYPE is excepted""", "named")
def soa_ttl_zero(case: Case, theirs: dict) -> bool:
    def zero(line: str) -> str:
        first, _ttl, rest = line.split(" ", 2)
        return f"{first} 0 {rest}"

    return case.qtype == "SOA" and case.rest_same(theirs, "authority") \
        and [rtype(x) for x in theirs["authority"]] == ["SOA"] \
        and theirs["authority"] == [zero(x) for x in case.ours["authority"]] \
        and theirs["authority"] != case.ours["authority"]


@ruling("DS of an apex whose parent is served is the parent's to answer",
        """RFC 4035 3.1.4.1: a server of both zones answers QTYPE DS from the parent; in these
        parents the name does not exist (RFC 8020 2)""", "nsd")
def ds_of_undelegated(case: Case, theirs: dict) -> bool:
    return "apex of a child" in case.want.marks and case.want.rcode == "NXDOMAIN" and theirs["rcode"] == "NOERROR" \
        and case.rest_same(theirs, "rcode")


# --- sizes, subsets ---------------------------------------------------------------------------

@ruling("glue in-domain that does not fit sets TC",
        """RFC 9471 3.1: "it MUST include all available glue records for in-domain name servers in
        the additional section or MUST set TC=1 if constrained by message size" """,
        "nsd", "named")
def glue_left_out(case: Case, theirs: dict) -> bool:
    fits_not = len(case.want.glue) > 20 and "tcp" not in case.how
    if case.ours["tc"]:
        return fits_not and not theirs["tc"] and case.ours["rcode"] == theirs["rcode"] \
            and not theirs["aa"] and part_of(theirs["glue"], sorted(case.want.glue)) \
            and theirs["authority"] == sorted(case.want.authority)
    return fits_not and case.rest_same(theirs, "glue") \
        and part_of(theirs["glue"], case.ours["glue"])


@ruling("ANY is answered with one RRset",
        """RFC 8482 4.1: "A DNS responder that receives an ANY query MAY ... instead send a
        response with a single RRset (or a larger subset of available RRsets) in the answer
        section" """, "knot", "nsd", "named")
def any_subset(case: Case, theirs: dict) -> bool:
    sets = case.want.one_of
    said = collections.Counter(theirs["answer"])
    said.subtract(case.want.answer)
    whole = collections.Counter(x for s in sets if all(said[x] for x in s) for x in s)
    return case.qtype == "ANY" and bool(sets) and case.rest_same(theirs, "answer") \
        and bool(whole) and +said == whole and min(said.values()) >= 0


@ruling("ANY finds DNSKEY and DS in an unsigned zone too",
        """RFC 8482 4.1: the answer to ANY is one RRset or more of those that are there; RFC 3597
        3 makes no difference between types""", "named")
def any_hides_dnssec(case: Case, theirs: dict) -> bool:
    types = {rtype(s[0]) for s in case.want.one_of}
    return case.qtype == "ANY" and bool(types) and types <= {"DNSKEY", "DS"} \
        and not theirs["answer"] and case.rest_same(theirs, "answer")


@ruling("NSEC at a delegation is behind a referral",
        """RFC 1034 4.3.2 step 3b: "If a match would take us out of the authoritative data, we have
        a referral"; RFC 4035 3.1.4.1 excepts QTYPE DS alone""", "named")
def nsec_at_cut(case: Case, theirs: dict) -> bool:
    data = case.world.zone_for(case.qname, "NSEC").rrset(case.qname, "NSEC")
    return case.qtype == "NSEC" and "referral" in case.want.marks \
        and case.is_said(oracle.Answer(answer=data), theirs)


@ruling("QTYPE RRSIG is answered with all signatures of the name",
        """RFC 1034 4.3.2 step 3a: "copy all RRs which match QTYPE into the answer section" """,
        "knot")
def rrsig_all(case: Case, theirs: dict) -> bool:
    return case.qtype == "RRSIG" and case.rest_same(theirs, "answer") \
        and len(theirs["answer"]) == 1 and part_of(theirs["answer"], case.ours["answer"])
