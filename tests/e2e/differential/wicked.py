"""Zones drawn by lot: small, and as wicked as the RFCs allow.

A batch is what one start of the servers holds: zones of their own, zones below them, aliases
from one into another. Names are tuples of labels in the text form of a zone file.
"""
from __future__ import annotations

import dataclasses
import random

import signing

Name = tuple[str, ...]

USUAL = ("a", "b", "c", "d", "e", "www", "ns", "mail", "x", "y", "z", "0", "_sip")
ODD = ("\\000", "\\255", "a\\.b", "a*b", "UP", "\\000a", "a\\000", "x\\255", "**", "*a", "\\034",
       "\\059", "\\@", "\\032", "aA", "Z", "\\001", "a\\.", "-", "\\127\\128", "l" * 63)
# Labels that a tool does not bear: ldns-signzone writes some without their backslash, kzonesign has
# a\000 before the names below a in its chain (RFC 4034 6.1 has it behind them).
UNFIT = {"ldns-signzone": ("\\034", "\\059", "\\@", "a\\.", "a\\.b"), "kzonesign": ("\\000", "\\000a", "a\\000")}
TTLS = (0, 60, 300, 3600, 86400)
ADDRESSES = ("A", "AAAA")
OUTSIDE = ("ns.inv.example.", "ns2.elsewhere.example.", "NS.Inv.Example.")


@dataclasses.dataclass
class Zone:
    apex: Name
    text: str
    signing: signing.Signing | None
    skip: dict[str, str] = dataclasses.field(default_factory=dict)  # server -> why it can't
    cuts: list[Name] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        return text(self.apex)


def text(name: Name) -> str:
    return "".join(label + "." for label in name) or "."


def folded(name: Name) -> Name:
    return tuple(x.lower() for x in name)


class Maker:
    """Draws one zone. targets are names of other zones that aliases may lead to."""

    def __init__(self, rng: random.Random, apex: Name, targets: list[Name], tool: str):
        self.rng, self.apex, self.targets = rng, apex, targets
        self.odd = [x for x in ODD if x not in UNFIT.get(tool, ())]
        self.sets: dict[tuple[Name, str], tuple[int, list[str]]] = {}
        self.closed: set[tuple[str, Name]] = set()  # nothing more at a CNAME, below a DNAME
        self.cuts: list[Name] = []
        self.occluded_dname = False
        self.taken: set[Name] = set()  # names of the batch's other zones, folded

    # --- the parts ---------------------------------------------------------------------------

    def put(self, owner: Name, rtype: str, *rdatas: str) -> None:
        ttl, have = self.sets.setdefault((owner, rtype), (self.rng.choice(TTLS), []))
        have += [r for r in rdatas if r.lower() not in (h.lower() for h in have)]

    def types(self, owner: Name) -> set[str]:
        return {t for o, t in self.sets if o == owner}

    def label(self) -> str:
        return self.rng.choice(self.odd if self.rng.random() < 0.15 else USUAL)

    def names(self) -> list[Name]:
        return sorted({o for o, _ in self.sets})

    def free(self, owner: Name) -> bool:
        """May data be put there? Not at an alias, nor below a DNAME."""
        if len(text(owner)) > 180:
            return False
        low = tuple(x.lower() for x in owner)
        return low not in {tuple(x.lower() for x in c[1]) for c in self.closed if c[0] == "at"} \
            and not any(low[-len(c[1]):] == tuple(x.lower() for x in c[1]) for c in self.closed
                        if c[0] == "below" and len(low) > len(c[1]))

    def place(self) -> Name:
        """A new owner: below a name that is there, or some labels deeper."""
        for _ in range(50):
            above = self.rng.choice(self.names() + [self.apex] * 4)
            owner = (self.label(),) + above
            while self.rng.random() < 0.3:
                owner = (self.label(),) + owner
            if not self.types(owner) and self.free(owner) and len(owner) < len(self.apex) + 7:
                return owner
        return ("spare%d" % len(self.sets),) + self.apex

    def data(self, owner: Name) -> None:
        for rtype in self.rng.sample(("A", "AAAA", "TXT", "MX", "SRV", "TYPE65400", "HINFO", "NAPTR"),
                                     self.rng.choice((1, 1, 2, 3))):
            self.put(owner, rtype, *(self.rdata(rtype) for _ in range(self.rng.choice((1, 1, 2, 4)))))

    def rdata(self, rtype: str) -> str:
        r = self.rng
        if rtype == "A":
            return f"192.0.2.{r.randrange(256)}"
        if rtype == "AAAA":
            return f"2001:db8::{r.randrange(65536):x}"
        if rtype == "TXT":
            return '"' + "t" * r.choice((1, 5, 60, 200)) + f'{r.randrange(100)}"'
        if rtype == "MX":
            return f"{r.randrange(3)} {self.target()}"
        if rtype == "SRV":
            return f"1 2 {r.randrange(3)} {self.target()}"
        if rtype == "HINFO":
            return f'"VAX" "Unix{r.randrange(9)}"'
        if rtype == "NAPTR":
            return f'100 {r.randrange(9)} "s" "http" "" {self.target()}'
        return f"\\# 3 00{r.randrange(65536):04x}"

    def target(self) -> str:
        """Where something points: what is there, is not, is below a cut, matches a wildcard, is
        in another zone."""
        r = self.rng
        near = r.choice(self.names() or [self.apex])
        kind = r.randrange(10)
        if kind < 4:
            out = near
        elif kind < 6:
            out = (self.label(),) + near
        elif kind < 7 and self.cuts:
            out = r.choice(((), ("www",))) + r.choice(self.cuts)
        elif kind < 8 and self.targets:
            out = r.choice(((), (), ("a",))) + r.choice(self.targets)
        elif kind < 9:
            out = (self.label(),) + self.apex
        else:
            return r.choice(OUTSIDE)
        if len(text(out)) > 180:
            out = self.apex
        return text(out) if r.random() < 0.8 else text(out).upper()

    def host(self) -> None:
        self.data(self.place())

    def empty(self) -> None:
        """A name that is there only because of what is below."""
        self.data((self.label(), self.label()) + self.place())

    def wildcard(self) -> None:
        above = self.rng.choice(self.names() + [self.apex] * 2) if self.rng.random() < 0.6 \
            else self.place()
        owner = ("*",) + above
        while self.rng.random() < 0.25:  # *.*.x, *.a.*.x, and plain names below an asterisk
            owner = (self.rng.choice(("*", "a", self.label())),) + owner
        if self.types(owner) or not self.free(owner):
            return
        if self.rng.random() < 0.3:
            self.alias(owner)
        else:
            self.data(owner)

    def alias(self, owner: Name | None = None) -> None:
        owner = owner or self.place()
        for i in range(self.rng.choice((1, 1, 1, 2, 3, 7))):  # a chain; 7 is more than knotd follows
            to = self.target() if i == 0 else text(last)
            if i:
                owner = self.place()
            self.put(owner, "CNAME", to)
            self.closed.add(("at", owner))
            last = owner

    def loop(self) -> None:
        ring = [self.place()]
        for _ in range(self.rng.randrange(3)):
            new = self.place()
            if new not in ring:
                ring.append(new)
        for i, owner in enumerate(ring):
            self.put(owner, "CNAME", text(ring[(i + 1) % len(ring)]))
            self.closed.add(("at", owner))

    def dname(self) -> None:
        owner = self.place()
        low = folded(owner)
        if any(len(n) > len(low) and n[-len(low):] == low
               for n in self.taken | {folded(n) for n in self.names()}):
            return  # NSD sees names below it, in whichever zone, and refuses the zone
        kind = self.rng.randrange(8)
        to = text(("a",) + owner) if kind == 0 else text(owner[1:]) if kind == 1 else self.target()
        self.put(owner, "DNAME", to)
        if self.rng.random() < 0.3:
            self.put(owner, "TXT", '"beside a DNAME"')
        if self.occluded_dname:
            for extra in ((self.label(),), ("b", self.label())):
                self.data(extra + owner)
        self.closed.add(("below", owner))

    def delegation(self, owner: Name | None = None) -> None:
        r = self.rng
        owner = owner or self.place()
        if any(n == owner[i:] for n in self.cuts for i in range(len(owner))) and r.random() < 0.7:
            return  # a cut below a cut is seldom
        servers = []
        for _ in range(r.choice((1, 1, 2, 3, 5))):
            kind = r.randrange(6)
            if kind == 0:  # in-domain, with glue
                servers.append(("ns%d" % r.randrange(9),) + owner)
            elif kind == 1:  # in-domain and deeper, or the cut itself
                servers.append(r.choice(((), ("a", "b"))) + owner)
            elif kind == 2:  # a sibling's
                other = r.choice(self.cuts or [owner])
                servers.append(("ns%d" % r.randrange(3),) + other)
            elif kind == 3:  # at the apex, or anywhere in the zone
                servers.append(r.choice((("ns",) + self.apex, self.apex, ("ns",) + r.choice(self.names()))))
            else:
                self.put(owner, "NS", r.choice(OUTSIDE))
                continue
        for ns in servers:
            if len(text(ns)) > 200:
                continue
            self.put(owner, "NS", text(ns))
            if r.random() < 0.75 and self.free(ns):  # else it is missing
                for rtype in r.choice((("A",), ("AAAA",), ADDRESSES, ADDRESSES)):
                    self.put(ns, rtype, *(self.rdata(rtype) for _ in range(r.choice((1, 1, 2, 6)))))
        if not self.sets.get((owner, "NS")):
            self.put(owner, "NS", OUTSIDE[0])
        if r.random() < 0.45:
            self.put(owner, "DS", *(f"{r.randrange(65536)} 13 2 {r.randbytes(32).hex()}"
                                    for _ in range(r.choice((1, 1, 2)))))
        self.cuts.append(owner)
        if r.random() < 0.4:  # what nobody may see
            for extra in (("www",), ("*",), (self.label(), "e")):
                if self.free(extra + owner) and not self.types(extra + owner):
                    self.data(extra + owner)
            if r.random() < 0.4:
                self.put(owner, "TXT", '"beside a cut"')

    def only_cuts(self) -> None:
        """Empty non-terminals that have unsigned delegations below them and nothing else."""
        above = self.place()
        for _ in range(self.rng.choice((1, 2))):
            owner = (self.label(), self.label()) + above
            if not self.types(owner) and self.free(owner):
                self.put(owner, "NS", OUTSIDE[0])
                self.cuts.append(owner)

    # --- the whole ----------------------------------------------------------------------------

    def make(self, size: int) -> None:
        r = self.rng
        ns = ("ns",) + self.apex
        self.sets[self.apex, "SOA"] = (r.choice(TTLS[1:]), [
            f"{text(ns)} host.{text(self.apex) if self.apex else 'root.'} "
            f"7 3600 600 864000 {r.choice((0, 30, 300, 7200))}"])
        self.put(self.apex, "NS", text(ns), r.choice(OUTSIDE))
        self.put(ns, "A", "192.0.2.53")
        if r.random() < 0.3:
            self.data(self.apex)
        parts = ((self.host, 5), (self.empty, 3), (self.wildcard, 4), (self.alias, 3), (self.loop, 1),
                 (self.dname, 2), (self.delegation, 5), (self.only_cuts, 2))
        made = [p for p, n in parts for _ in range(n)]
        while len(self.names()) < size:
            r.choice(made)()

    def finished(self) -> str:
        """The zone file. One name may have been drawn in several spellings: then an RRset has one
        TTL, an alias stands alone, and there is one DNAME."""
        at = {folded(o): o for o, t in reversed(self.sets) if t == "CNAME"}
        ttls: dict[tuple[Name, str], int] = {}
        out = []
        for (owner, rtype), (ttl, rdatas) in self.sets.items():
            low = folded(owner)
            if low in at and (rtype != "CNAME" or owner != at[low]):
                continue
            if rtype == "DNAME" and (low, rtype) in ttls:
                continue
            ttl = ttls.setdefault((low, rtype), ttl)
            out += [f"{text(owner)} {ttl} IN {rtype} {r}\n" for r in rdatas]
        return "".join(out)


def batch(rng: random.Random, count: int, occluded: bool) -> list[Zone]:
    """count zones: most at z0.test., z1.test. ..., some below a delegation of one before.
    occluded: with data below DNAMEs, which not all servers load."""
    apexes: list[Name] = []
    tops = max(2, count * 2 // 3)
    for i in range(tops):
        above = rng.choice(((), (), ("b",), ("Sub", "x")))
        apexes.append(("z%d" % i,) + above + ("test",))
    if rng.random() < 0.3:
        apexes[0] = ("test",)
    targets = [(label,) + a for a in apexes for label in ("a", "b", "www", "x", "c")] + apexes
    out: list[Zone] = []
    taken = {folded(a) for a in apexes}
    dnames: set[Name] = set()
    skip = dict.fromkeys(("nsd", "knot"), "refuses data below a DNAME") if occluded else {}
    while len(out) < count:
        cuts = [c for z in out for c in z.cuts if len(text(c)) < 60
                and not any(folded(c)[i:] in dnames for i in range(1, len(c))) and "*" not in c
                and all(x.lower() == x and x.isalnum() for x in c) and c not in apexes]
        if len(out) < tops:
            apex = apexes[len(out)]
        elif cuts:
            apex = rng.choice(cuts)
            apexes.append(apex)
        else:
            apex = ("more%d" % len(out), "test")
        how = signing.draw(rng, skip)
        maker = Maker(rng, apex, targets, how.tool if how else "")
        maker.occluded_dname = bool(skip)
        maker.taken = taken
        maker.closed |= {("below", n) for n in dnames}
        maker.make(rng.choice((3, 12, 25, 25, 40)))
        taken |= {folded(n) for n in maker.names()}
        dnames |= {folded(n) for n, t in maker.sets if t == "DNAME"}
        out.append(Zone(apex, maker.finished(), how, skip, maker.cuts))
    return out
