"""Does an answer prove what it says? RFC 4035 5.4 and RFC 5155 8 as a validator walks them, over
the records that a primary's transfer shows; signatures count as good when they are the zone's.

Names are tuples of octet strings from the root down, letters folded, so that their order is the
canonical one (RFC 4034 6.1). It shares no code with any server.
"""
from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import itertools
import re

Key = tuple[bytes, ...]

OCTET = re.compile(rb"\\(\d\d\d)|\\(.)|([^\\])", re.S)
LABEL = re.compile(r"((?:\\\d\d\d|\\.|[^.\\])+)\.")
HEX32 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghijklmnopqrstuv")
PROOFS = ("NSEC", "NSEC3")
CODES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA",
         33: "SRV", 35: "NAPTR", 39: "DNAME", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY",
         50: "NSEC3", 51: "NSEC3PARAM", 59: "CDS", 60: "CDNSKEY", 63: "ZONEMD"}


@functools.lru_cache(maxsize=1 << 18)
def key(text: str) -> Key:
    """"www.example." -> (b"example", b"www")"""
    if text == ".":
        return ()
    labels = []
    for label in LABEL.findall(text.lower()):
        labels.append(b"".join(bytes([int(d)]) if d else e or c
                               for d, e, c in OCTET.findall(label.encode("ascii"))).lower())
    return tuple(reversed(labels))


def from_wire(wire: bytes) -> tuple[Key, int]:
    """A name at the start of wire, and its octets."""
    labels, at = [], 0
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]].lower())
        at += wire[at] + 1
    return tuple(reversed(labels)), at + 1


def within(name: Key, above: Key) -> bool:
    return name[:len(above)] == above


def common(a: Key, b: Key) -> int:
    n = 0
    while n < min(len(a), len(b)) and a[n] == b[n]:
        n += 1
    return n


def type_name(code: int) -> str:
    return CODES.get(code, f"TYPE{code}")


def bitmap(wire: bytes) -> frozenset[str]:
    out, at = [], 0
    while at < len(wire):
        window, n = wire[at], wire[at + 1]
        for i, octet in enumerate(wire[at + 2:at + 2 + n]):
            out += [type_name(window * 256 + i * 8 + bit) for bit in range(8) if octet & 0x80 >> bit]
        at += 2 + n
    return frozenset(out)


@dataclasses.dataclass(frozen=True)
class Record:
    line: str
    owner: Key
    ttl: int
    type: str
    rdata: str

    @functools.cached_property
    def wire(self) -> bytes:
        """RDATA of a type that is printed in the generic form."""
        return bytes.fromhex(self.rdata.split(" ")[2])

    @functools.cached_property
    def covered(self) -> str:
        """What an RRSIG signs."""
        return type_name(int.from_bytes(self.wire[:2], "big"))

    @functools.cached_property
    def signer(self) -> Key:
        return from_wire(self.wire[18:])[0]

    @functools.cached_property
    def labels(self) -> int:
        """Of an RRSIG (RFC 4034 3.1.3)."""
        return self.wire[3]


@functools.lru_cache(maxsize=1 << 17)
def record(line: str) -> Record:
    owner, ttl, _class, rtype, *rdata = line.split(" ", 4)
    return Record(line, key(owner), int(ttl), rtype, rdata[0] if rdata else "")


@dataclasses.dataclass(frozen=True)
class Nsec:
    rr: Record
    owner: Key
    next: Key
    types: frozenset[str]

    def covers(self, name: Key) -> bool:
        """Is name strictly between owner and next? The last one's next is the apex."""
        if self.owner < self.next:
            return self.owner < name < self.next
        return self.owner < name or name < self.next

    def encloser(self, name: Key) -> int:
        """Labels of the closest encloser of a name that is covered."""
        return max(common(name, self.owner), common(name, self.next))

    def above(self, name: Key) -> bool:
        """Is it of a cut or a DNAME above name? Then it says nothing about it (RFC 6840 4.1)."""
        return len(self.owner) < len(name) and within(name, self.owner) and \
            ("DNAME" in self.types or "NS" in self.types and "SOA" not in self.types)


@dataclasses.dataclass(frozen=True)
class Nsec3:
    rr: Record
    hash: bytes
    next: bytes
    types: frozenset[str]
    opt_out: bool
    parameters: tuple[int, bytes]

    def covers(self, hashed: bytes) -> bool:
        if self.hash < self.next:
            return self.hash < hashed < self.next
        return self.hash < hashed or hashed < self.next


@functools.lru_cache(maxsize=1 << 17)
def nsec_of(rr: Record) -> Nsec:
    following, n = from_wire(rr.wire)
    return Nsec(rr, rr.owner, following, bitmap(rr.wire[n:]))


@functools.lru_cache(maxsize=1 << 17)
def nsec3_of(rr: Record) -> Nsec3:
    w = rr.wire
    salt = w[5:5 + w[4]]
    at = 5 + w[4]
    following = w[at + 1:at + 1 + w[at]]
    return Nsec3(rr, rr.owner[-1], base64.b32encode(following).translate(HEX32),
                 bitmap(w[at + 1 + w[at]:]), bool(w[1] & 1), (int.from_bytes(w[2:4], "big"), salt))


@functools.lru_cache(maxsize=1 << 18)
def nsec3_hash(name: Key, iterations: int, salt: bytes) -> bytes:
    """RFC 5155 5, in base32hex."""
    wire = b"".join(bytes([len(x)]) + x for x in reversed(name)) + b"\0"
    out = hashlib.sha1(wire + salt).digest()
    for _ in range(iterations):
        out = hashlib.sha1(out + salt).digest()
    return base64.b32encode(out).translate(HEX32)


class Zone:
    def __init__(self, apex: str, lines: list[str]):
        self.apex = key(apex)
        self.lines = set(lines)
        self.sets: dict[tuple[Key, str], set[str]] = {}  # RDATA of each RRset
        self.sigs: dict[tuple[Key, str], set[str]] = {}
        self.names: set[Key] = set()
        for line in self.lines:
            rr = record(line)
            if rr.type == "RRSIG":
                self.sigs.setdefault((rr.owner, rr.covered), set()).add(rr.rdata)
            self.sets.setdefault((rr.owner, rr.type), set()).add(rr.rdata)
            if rr.type != "NSEC3" and not (rr.type == "RRSIG" and rr.covered == "NSEC3"):
                self.names |= {rr.owner[:i] for i in range(len(self.apex), len(rr.owner) + 1)}
        self.hashes = {o[-1] for o, t in self.sets if t == "NSEC3"}
        self.signed = (self.apex, "SOA") in self.sigs
        self.parameters = None
        for rdata in self.sets.get((self.apex, "NSEC3PARAM"), ()):
            w = bytes.fromhex(rdata.split(" ")[2])
            self.parameters = (int.from_bytes(w[2:4], "big"), w[5:5 + w[4]])

    def unsound(self) -> str:
        """What is wrong with the chain of NSEC or NSEC3: then no server can prove anything."""
        rrs = [record(x) for x in self.lines]
        chain = sorted([(n.owner, n.next) for n in map(nsec_of, (r for r in rrs if r.type == "NSEC"))]
                       + [((n.hash,), (n.next,)) for n in map(nsec3_of, (r for r in rrs if r.type == "NSEC3"))])
        for (owner, following), (after, _) in zip(chain, chain[1:] + chain[:1]):
            if following != after:
                return f"behind {show(owner)} comes {show(after)}, not {show(following)}"
        return "" if chain or not self.signed else "signed, and no chain"

    def source(self, owner: Key) -> Key | None:
        """The name whose data answers for owner: itself, or the wildcard of its encloser."""
        if owner in self.names:
            return owner
        n = len(owner) - 1
        while owner[:n] not in self.names:
            n -= 1
        wild = owner[:n] + (b"*",)
        return wild if wild in self.names else None


class Answer:
    """One answer under the eyes of a validator."""

    def __init__(self, world: Validator, qname: Key, qtype: str, said: dict):
        self.world, self.qname, self.qtype, self.said = world, qname, qtype, said
        self.faults: list[str] = []
        self.used: set[str] = set()  # lines of NSEC and NSEC3 that something was proved by
        proof = [record(x) for x in said["proof"]]
        self.answer = [record(x) for x in said["answer"]]
        self.authority = [record(x) for x in said["authority"]]
        self.proof = [r for r in proof if r.type != "RRSIG"]
        self.sigs: dict[tuple[Key, str], list[Record]] = {}
        for r in proof:
            if r.type == "RRSIG":
                self.sigs.setdefault((r.owner, r.covered), []).append(r)
        self.sets: dict[tuple[Key, str], list[Record]] = {}
        for r in self.answer:
            self.sets.setdefault((r.owner, r.type), []).append(r)

    def fault(self, text: str) -> None:
        self.faults.append(text)

    # --- signatures --------------------------------------------------------------------------

    def signatures(self) -> None:
        """Each RRset that is signed in its zone has all of its signatures, and no other ones."""
        sets = dict(self.sets)
        for r in self.authority + self.proof:
            sets.setdefault((r.owner, r.type), []).append(r)
        dnames = [r.owner for r in self.answer if r.type == "DNAME"]
        for (owner, rtype), rrs in sets.items():
            if rtype == "RRSIG":
                continue
            synthesised = rtype == "CNAME" and any(
                within(owner, d) and owner != d for d in dnames)
            # Two NSEC are those of both sides of a cut: DS is asked for, and a wildcard's chain ends there.
            parts = [[r] for r in rrs] if rtype == "NSEC" else [rrs]
            want = [set()] if synthesised else [set().union(*chosen) for chosen in itertools.product(
                *(self.world.signatures(owner, rtype, part) for part in parts))]
            got = {r.rdata for r in self.sigs.get((owner, rtype), [])}
            if got not in want:
                self.fault(f"{rtype} at {rrs[0].line.split(' ')[0]} has {len(got)} signatures of "
                           f"{[len(w) for w in want]}, or other ones")
            ttls = {x.ttl for x in rrs}
            for r in self.sigs.get((owner, rtype), []):
                if r.ttl not in ttls:
                    self.fault(f"signature's TTL {r.ttl} differs from {ttls} of {rtype}")
        for (owner, rtype), rrs in self.sigs.items():
            if (owner, rtype) not in sets:
                self.fault(f"a signature over {rtype} that is not here: {rrs[0].line[:80]}")

    # --- the walk ----------------------------------------------------------------------------

    def walk(self) -> None:
        """Along the chain to the last name, then what is said of that."""
        name, seen = self.qname, set()
        while name not in seen:
            seen.add(name)
            here = [t for o, t in self.sets if o == name and t != "RRSIG" or
                    o == name and self.qtype == "RRSIG"]
            made = any(within(name, o) and o != name for o, t in self.sets if t == "DNAME")
            if self.qtype in here or self.qtype == "ANY" and here and not made:
                for t in here:
                    self.expansion(name, t)
                return
            if "CNAME" not in here or self.qtype == "CNAME":
                self.last(name)
                return
            if not made:
                self.expansion(name, "CNAME")
            name = key(self.sets[name, "CNAME"][0].rdata)

    def expansion(self, name: Key, rtype: str) -> None:
        """RFC 4035 5.3.4, RFC 5155 8.8: a wildcard's data are no closer name's."""
        sigs = self.sets.get((name, "RRSIG"), []) if rtype == "RRSIG" else \
            self.sigs.get((name, rtype), [])
        count = len(name) - (name[-1:] == (b"*",))
        for n, signer in {(r.labels, r.signer) for r in sigs}:
            if n >= count:
                continue
            zone = self.world.zones.get(signer)
            if not zone:
                good = False
            elif zone.parameters is None:
                good = any(c.encloser(name) == n for c in self.covering(name))
            else:
                good = bool(self.hash_covering(zone, name[:n + 1]))
            if not good:
                self.fault(f"{rtype} from a wildcard of {n} labels, and nothing says that there is "
                           "no closer name")

    def last(self, name: Key) -> None:
        soa = [r for r in self.authority if r.type == "SOA"]
        ns = [r for r in self.authority if r.type == "NS"]
        rcode = self.said["rcode"]
        if soa:
            zone = self.world.zones.get(soa[0].owner)
            if not zone or not within(name, zone.apex):
                self.fault("the SOA of another zone")
            elif zone.signed:
                self.negative(zone, name, rcode)
        elif rcode == "NXDOMAIN":
            self.fault("NXDOMAIN without a SOA")
        elif ns and rcode == "NOERROR":
            zone = self.world.above(ns[0].owner)
            if not within(name, ns[0].owner):
                self.fault("a referral to elsewhere")
            elif zone and zone.signed:
                self.cut(zone, ns[0].owner)

    def negative(self, zone: Zone, name: Key, rcode: str) -> None:
        hashed = zone.parameters is not None
        if rcode == "NXDOMAIN":
            good = self.hash_nxdomain(zone, name) if hashed else self.nxdomain(name)
        else:
            good = self.hash_nodata(zone, name) if hashed else self.nodata(zone, name)
        if not good:
            self.fault(f"{rcode} for {show(name)} {self.qtype} is not proved")

    def cut(self, zone: Zone, cut: Key) -> None:
        """RFC 4035 3.1.4: DS, or the proof that there is none."""
        if any(r.type == "DS" and r.owner == cut for r in self.proof):
            return
        if zone.parameters is None:
            good = any(n.owner == cut and self.is_cut(n) for n in self.nsecs())
        else:
            match, opt = self.hash_encloser(zone, cut)
            good = self.is_cut(match) if match and not opt else bool(opt and opt.opt_out)
        if not good:
            self.fault(f"no proof that {show(cut)} has no DS")

    def is_cut(self, n: Nsec | Nsec3) -> bool:
        if "NS" in n.types and "DS" not in n.types and "SOA" not in n.types:
            return self.use(n)
        return False

    def use(self, n: Nsec | Nsec3) -> bool:
        self.used.add(n.rr.line)
        return True

    def lacks(self, n: Nsec | Nsec3, name: Key, zone: Zone) -> bool:
        """NODATA by the types of a name (RFC 4035 5.4, RFC 5155 8.5, RFC 6840 4.1 and 4.3)."""
        if self.qtype in n.types or "CNAME" in n.types and self.qtype not in ("NSEC", "RRSIG"):
            return False
        if self.qtype == "DS":
            return ("SOA" not in n.types or name == zone.apex) and self.use(n)
        return ("NS" not in n.types or "SOA" in n.types) and self.use(n)

    # --- NSEC --------------------------------------------------------------------------------

    def nsecs(self) -> list[Nsec]:
        return [nsec_of(r) for r in self.proof if r.type == "NSEC"]

    def covering(self, name: Key) -> list[Nsec]:
        """Those that say: name is not there, and is no empty non-terminal."""
        return [n for n in self.nsecs() if n.covers(name) and not n.above(name)
                and not within(n.next, name) and self.use(n)]

    def nxdomain(self, name: Key) -> bool:
        return any(self.covering(name[:n.encloser(name)] + (b"*",)) for n in self.covering(name))

    def empty(self, name: Key) -> bool:
        """Is name shown to be an empty non-terminal?"""
        return any(n.covers(name) and not n.above(name) and within(n.next, name) and self.use(n)
                   for n in self.nsecs())

    def nodata(self, zone: Zone, name: Key) -> bool:
        if any(n.owner == name and self.lacks(n, name, zone) for n in self.nsecs()) or self.empty(name):
            return True
        for n in self.covering(name):
            wild = name[:n.encloser(name)] + (b"*",)
            if self.empty(wild) or any(w.owner == wild and self.lacks(w, wild, zone)
                                       for w in self.nsecs()):
                return True
        return False

    # --- NSEC3 -------------------------------------------------------------------------------

    def nsec3s(self, zone: Zone) -> list[Nsec3]:
        """Those of the zone's parameters (RFC 5155 8.2)."""
        all_of = [nsec3_of(r) for r in self.proof if r.type == "NSEC3"
                  and r.owner[:-1] == zone.apex]
        return [n for n in all_of if n.parameters == zone.parameters]

    def hash_covering(self, zone: Zone, name: Key) -> Nsec3 | None:
        hashed = nsec3_hash(name, *zone.parameters)
        return next((n for n in self.nsec3s(zone) if n.covers(hashed) and self.use(n)), None)

    def hash_match(self, zone: Zone, name: Key) -> Nsec3 | None:
        hashed = nsec3_hash(name, *zone.parameters)
        return next((n for n in self.nsec3s(zone) if n.hash == hashed), None)

    def hash_encloser(self, zone: Zone, name: Key) -> tuple[Nsec3 | None, Nsec3 | None]:
        """(match of name, None); or (match of the closest encloser, cover of the next closer name);
        or (None, None) (RFC 5155 8.3)."""
        for n in range(len(name), len(zone.apex) - 1, -1):
            match = self.hash_match(zone, name[:n])
            if not match:
                continue
            if n == len(name):
                return match, None
            if "DNAME" in match.types or "NS" in match.types and "SOA" not in match.types:
                return None, None
            cover = self.hash_covering(zone, name[:n + 1])
            self.use(match)
            self.encloser = name[:n]
            return (match, cover) if cover else (None, None)
        return None, None

    def hash_nxdomain(self, zone: Zone, name: Key) -> bool:
        match, cover = self.hash_encloser(zone, name)
        wild = self.encloser + (b"*",) if cover else ()
        if match and cover and self.hash_covering(zone, wild):
            return True
        # An encloser that opt-out has left without NSEC3 can't be shown, nor that a wildcard above
        # it does not apply (7.1): the most that can be said is this.
        return bool(cover and cover.opt_out and zone.source(name) is None
                    and name[:len(self.encloser) + 1] in zone.names
                    and self.hash_match(zone, wild))

    def hash_nodata(self, zone: Zone, name: Key) -> bool:
        match, cover = self.hash_encloser(zone, name)
        if not match:
            return False
        if not cover:
            return self.lacks(match, name, zone)  # 8.5, 8.6
        wild = self.encloser + (b"*",)
        at_wild = self.hash_match(zone, wild)
        if at_wild and self.lacks(at_wild, wild, zone):
            return True  # 8.7
        # 8.6; an empty non-terminal above unsigned delegations alone has none either (7.1). What has
        # an NSEC3 must be shown by it (7.2.3 to 7.2.5).
        real = name if name in zone.names else wild
        return cover.opt_out and real in zone.names \
            and nsec3_hash(real, *zone.parameters) not in zone.hashes


def show(name: Key) -> str:
    return ".".join(repr(x)[2:-1] for x in reversed(name)) + "."


class Validator:
    """The zones that one server holds."""

    def __init__(self, zones: dict[str, list[str]]):
        self.zones = {key(apex): Zone(apex, lines) for apex, lines in zones.items()}
        self.known: dict[str, tuple[list[str], set[str]]] = {}

    def above(self, name: Key) -> Zone | None:
        """The zone that name is delegated from."""
        return next((self.zones[name[:n]] for n in range(len(name) - 1, -1, -1)
                     if name[:n] in self.zones), None)

    def signatures(self, owner: Key, rtype: str, rrs: list[Record]) -> list[set[str]]:
        """The sets of signatures that may go with an RRset, by the zones that hold it."""
        out = []
        rdatas = {r.rdata for r in rrs}
        for zone in (self.zones.get(owner[:i]) for i in range(len(owner) + 1)):
            source = zone and (owner if rtype == "NSEC3" else zone.source(owner))
            if source and zone.sets.get((source, rtype)) == rdatas:
                out.append(zone.sigs.get((source, rtype), set()))
        return out or [set()]

    def check(self, q: str, said: dict) -> tuple[list[str], set[str]]:
        """(what is wrong with an answer, the NSEC and NSEC3 that its proof needs)"""
        qname, qtype, _class, how = q.split(" ")
        if "error" in said:
            return [said["error"]], set()
        faults = []
        lines = said["answer"] + said["authority"] + said["proof"]
        for part in (said["answer"], said["authority"], said["additional"], said["proof"]):
            if len(set(part)) != len(part):
                faults.append(f"a record twice: {[x for x in part if part.count(x) > 1][0][:120]}")
        if said["tc"]:
            return faults, set()
        if "do" not in how.split(","):
            for line in lines + said["additional"]:
                rtype = line.split(" ", 4)[3]
                if rtype in ("RRSIG", "NSEC", "NSEC3") and qtype not in (rtype, "ANY"):
                    faults.append(f"{rtype} without DO")
            faults += ["DS without DO" for x in said["authority"] if x.split(" ", 4)[3] == "DS"]
            return faults, set()
        for line in said["proof"]:
            if line.split(" ", 4)[3] in PROOFS and not any(line in z.lines for z in self.zones.values()):
                faults.append(f"no record of ours: {line[:120]}")
        answer = Answer(self, key(qname), qtype, said)
        answer.signatures()
        answer.walk()
        return faults + answer.faults, answer.used
