"""Where servers part in what DNSSEC adds, and the sentence by which secd is right.

As in rulings.py of the scenario answers: RULINGS are about whole answers, PROOFS about signatures
and proofs where all else is equal. A ruling recognises what the other server says; secd's own
proof has been validated before.
"""
from __future__ import annotations

import functools

import oracle
from rulings import Case, Ruling, part_of, rtype

# secd's proof is valid, and the other server's is not, by the same validator.
INCOMPLETE = "a proof must be whole (RFC 4035 3.1.3, RFC 5155 7.2)"

RULINGS: list[Ruling] = []
PROOFS: list[Ruling] = []


def ruling(to: list[Ruling], name: str, cite: str, *servers: str):
    def add(recognises):
        to.append(Ruling(name, " ".join(cite.split()), servers, recognises))
        return recognises
    return add


# --- whole answers ----------------------------------------------------------------------------

def is_said(case: Case, want: oracle.Answer, theirs: dict) -> bool:
    """Theirs is this other answer, but for records that a loop repeats."""
    if "loop" in want.marks and not theirs["tc"]:
        theirs = {**theirs, "answer": sorted(set(theirs["answer"]))}
    return case.is_said(want, theirs)


@ruling(RULINGS, "a DNAME that applies again is followed",
        """RFC 6672 3.2 step 3C: after the substitution "Go back to step 1"; NSD stops there""", "nsd")
def nsd_dname_again(case: Case, theirs: dict) -> bool:
    return "dname again" in case.want.marks and any(
        is_said(case, case.world.ask(case.qname, case.qtype, limit=limit), theirs) for limit in range(17))


@ruling(RULINGS, "a chain that leaves its zone, is a loop or is long",
        """RFC 1034 4.3.2 step 3a: "change QNAME to the canonical name in the CNAME RR, and go back to
        step 1"; 3.6.2: "domain software should not fail when presented with CNAME chains or loops";
        the single cases are rulings of the scenario answers, here they meet""",
        "knot", "named")
def chain(case: Case, theirs: dict) -> bool:
    if not {"another zone", "loop", "limit", "leaves"} & case.want.marks and case.want.steps < 4:
        return False
    for world in (case.world, first_zone(case.world, case.world.zone_for(case.qname, case.qtype))):
        for limit in range(17):
            want = world.ask(case.qname, case.qtype, limit=limit, stay=True)
            if is_said(case, want, theirs):
                return True
            if {"loop", "limit"} & want.marks:
                want.rcode = "SERVFAIL"
                if is_said(case, want, theirs):
                    return True
            if "limit" not in want.marks:
                break  # more does not change it
    return False


@functools.lru_cache(maxsize=64)
def first_zone(world: oracle.World, zone: oracle.Zone) -> oracle.World:
    """Where a chain begins, as if no other zone were served: names below its cuts are referred."""
    out = oracle.World({})
    out.zones = {zone.apex: zone}
    out.lines = world.lines
    return out


@functools.lru_cache(maxsize=4)
def one_tree(world: oracle.World) -> oracle.World:
    """The same zones, but a name that one of them has below another's apex is there in that, too,
    and owners of NSEC3 are names."""
    out = oracle.World({})
    names = set(world.hashed).union(*(z.names for z in world.zones.values()))
    names |= {apex[i:] for apex in world.zones for i in range(len(apex))}
    for apex, zone in world.zones.items():
        merged = oracle.Zone(oracle.text(apex), [])
        merged.nodes = zone.nodes
        merged.names = {n for n in names if oracle.within(n, apex)}
        out.zones[apex] = merged
    return out


@ruling(RULINGS, "what a parent zone has below a cut, and owners of NSEC3, are not in the zone",
        """RFC 1034 4.3.2 step 3: the search goes "down, label by label, in the zone" that step 2 found;
        RFC 4592 3.3.1: the closest encloser is of "the zone's tree"; RFC 5155 7.2.8: to a query for the
        owner of an NSEC3 the server answers as if that "did not exist" """, "nsd")
def other_names(case: Case, theirs: dict) -> bool:
    world = one_tree(case.world)
    return any(is_said(case, world.ask(case.qname, case.qtype, limit=limit), theirs)
               for limit in (16, 0, 200))


@ruling(RULINGS, "QTYPE NSEC and RRSIG do not follow an alias where there are none, either",
        """RFC 4034 3 and 4, RFC 4035 2.5: both may stand beside a CNAME, so the CNAME is no answer to
        them; whether the zone has any does not enter into it""", "nsd")
def nsec_follows(case: Case, theirs: dict) -> bool:
    return case.qtype in ("NSEC", "RRSIG") and any(
        is_said(case, world.ask(case.qname, "TYPE65399", limit=limit), theirs)
        for world in (case.world, one_tree(case.world)) for limit in (16, 0, 200))


@ruling(RULINGS, "QTYPE RRSIG is answered with all signatures of the name",
        """RFC 1034 4.3.2 step 3a: "copy all RRs which match QTYPE into the answer section"; with several
        keys one RRset has several""", "knot")
def rrsig_all(case: Case, theirs: dict) -> bool:
    covered = {x.split(" ", 6)[6][:4] for x in theirs["answer"] if rtype(x) == "RRSIG"}
    return case.qtype == "RRSIG" and case.rest_same(theirs, "answer") and len(covered) == 1 \
        and part_of(theirs["answer"], case.ours["answer"])


@ruling(PROOFS, "a proof has no more than it needs",
        """RFC 4035 3.1.3 and RFC 5155 7.2 say which records a proof is made of; secd's proof is valid
        without the others""", "knot", "nsd", "named")
def more_than_needed(case: Case, theirs: dict) -> bool:
    return not theirs["tc"] and set(theirs["proof"]) > set(case.ours["proof"]) \
        and not any(rtype(x) == "DS" for x in set(theirs["proof"]) - set(case.ours["proof"]))


@ruling(RULINGS, "QTYPE NSEC3 follows an alias as other types do",
        """RFC 1034 3.6.2 and 4.3.2 step 3a: the CNAME is followed when "QTYPE doesn't match CNAME"; RFC
        4034 3 and 4 except RRSIG and NSEC, which may stand beside a CNAME, and NSEC3 never does""",
        "nsd")
def nsec3_at_alias(case: Case, theirs: dict) -> bool:
    return case.qtype == "NSEC3" and "cname" in case.want.marks and theirs["rcode"] == "NOERROR" \
        and theirs["aa"] and not theirs["answer"] and not theirs["glue"] \
        and theirs["authority"] == case.world.zone_for(case.qname, "NSEC3").soa()


@ruling(RULINGS, "no glue is made from a wildcard",
        """RFC 1034 4.3.2: wildcards are a matter of step 3c, and a referral ends at 3b; RFC 9471 2.1:
        glue are the address records that the zone has for the name server's own name""",
        "knot", "nsd")
def glue_of_wildcard(case: Case, theirs: dict) -> bool:
    rest = [x for x in theirs["glue"] if x in case.ours["glue"] or not from_wildcard(case.world, x)]
    return len(rest) < len(theirs["glue"]) and case.rest_same(theirs, "glue") \
        and (rest == case.ours["glue"] or glue_left_out(case, {**theirs, "glue": rest}))


def from_wildcard(world: oracle.World, line: str) -> bool:
    owner, rest = line.split(" ", 1)
    name = oracle.name(owner)
    return any(f"{oracle.text(('*',) + name[i:])} {rest}" in world.lines for i in range(1, len(name)))


@ruling(RULINGS, "glue in-domain that does not fit sets TC, and what fits is there",
        """RFC 9471 3.1: "it MUST include all available glue records for in-domain name servers in the
        additional section or MUST set TC=1 if constrained by message size" """,
        "nsd", "named")
def glue_left_out(case: Case, theirs: dict) -> bool:
    lost = [x for x in case.want.glue if x not in theirs["glue"]]
    room = max([512] + [int(o[5:]) for o in case.how if o.startswith("edns=")])
    return bool(lost) and "tcp" not in case.how and case.rest_same(theirs, "glue") \
        and set(theirs["glue"]) < set(case.ours["glue"]) \
        and theirs["size"] + sum(28 if " AAAA " in x else 16 for x in lost) > min(room, 1232) * 3 // 4


@ruling(RULINGS, "ANY is answered with one RRset, signatures counted",
        """RFC 8482 4.1: "a response with a single RRset (or a larger subset of available RRsets) in the
        answer section"; RRSIG is one, and with DO the signatures of the others come along""",
        "knot", "nsd", "named")
def any_subset(case: Case, theirs: dict) -> bool:
    held = [x for rrset in case.want.one_of for x in rrset]
    said = [x for x in theirs["answer"] if x not in case.want.answer]
    return case.qtype == "ANY" and bool(held) and bool(theirs["answer"] or theirs["proof"]) \
        and case.rest_same(theirs, "answer") and set(said) <= set(held) and len(set(said)) == len(said) \
        and all(set(rrset) <= set(said) or not set(rrset) & set(said) for rrset in case.want.one_of)


@ruling(RULINGS, "DS of a child zone's apex at the end of a chain is the parent's to answer",
        """RFC 4035 3.1.4.1: a server of both zones answers QTYPE DS from the parent; RFC 1034 4.3.2 step
        3a: behind an alias the search begins anew""", "named", "knot", "nsd")
def ds_behind_alias(case: Case, theirs: dict) -> bool:
    ends = {oracle.name(x.split(" ")[4]) for x in case.want.answer if rtype(x) == "CNAME"}
    zones = [case.world.zones[n] for n in ends if n in case.world.zones]  # apexes in the chain
    zones += [case.world.zone_for(n, "DS") for n in ends if n in case.world.zones]
    return case.qtype == "DS" and case.rest_same(theirs, "authority", "answer", "rcode") \
        and theirs["rcode"] == "NOERROR" and any(theirs["authority"] == z.soa() for z in zones if z)


@ruling(RULINGS, "an authority section that does not fit sets TC",
        """RFC 2181 9: TC is set when "an RRset that is required as part of the response" is left out; the SOA
        of a negative answer is (RFC 2308 3)""", "knot")
def authority_left_out(case: Case, theirs: dict) -> bool:
    return bool(case.ours["cut"]) and not theirs["authority"] and bool(case.ours["authority"]) \
        and "tcp" not in case.how and case.rest_same(theirs, "authority")


@ruling(RULINGS, "a name error is authoritative and has the SOA",
        """RFC 2308 2.1 and 3: "Name servers authoritative for a zone MUST include the SOA record of the zone
        in the authority section of the response"; where knotd finds no proof (below an encloser
        that opt-out has left without NSEC3, for odd labels) it sends a bare header""", "knot")
def bare_name_error(case: Case, theirs: dict) -> bool:
    return "do" in case.how and theirs["rcode"] == "NXDOMAIN" and not theirs["aa"] \
        and not theirs["answer"] and not theirs["authority"] and not theirs["proof"]


@ruling(RULINGS, "DS of a name that is no child's apex in its zone is that zone's to answer",
        """RFC 4035 3.1.4.1: only where the name is a zone cut does QTYPE DS turn to the zone above; here an
        apex that nobody delegates is served, and NSD turns to the zone above its parent""", "nsd")
def ds_too_far_up(case: Case, theirs: dict) -> bool:
    zone = case.world.zone_for(case.qname, "DS")
    if case.qtype != "DS" or not zone or case.qname not in case.world.zones:
        return False
    out = oracle.World({})
    out.zones = {a: z for a, z in case.world.zones.items() if a not in (zone.apex, case.qname)}
    return is_said(case, out.ask(case.qname, "DS"), theirs)
