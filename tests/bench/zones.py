"""The benchmark's zones and queries, from a fixed seed.

    names       one zone of as many names, an A record each; four versions that differ from the
                one before by 10, 1,000, 100,000 records and as much as one wants by AXFR
    tld         delegations of two NS each, one in twenty with glue of its own
    tld-signed  the same, one in ten with DS; NSEC3 with opt-out
    root        1,400 delegations with glue and DS; NSEC
    zones       as many zones of 6 records

Signatures are random octets of the right length: no server of this benchmark looks into them,
and zones are made in seconds instead of minutes. NSEC and NSEC3 chains are real.
"""
from __future__ import annotations

import base64
import hashlib
import itertools
import json
import pathlib
import random
import shutil
import struct
import zlib

import dnswire as w

SEED = 20
DELTAS = (10, 1000, 100_000)  # records that versions 2, 3 and 4 remove and add, in all
QUERIES = 1_000_000
ROOT_SIZE = 1400
NIC = w.name("ns1.nic.example")
KINDS = ("names", "tld", "tld-signed", "root", "zones")


class Data:
    """One made set: where its files are and what is in it."""

    def __init__(self, where: pathlib.Path):
        self.dir = where
        info = json.loads((where / "info.json").read_text())
        self.kind: str = info["kind"]
        self.apexes: list[str] = info["apexes"]  # without the final dot; "" is the root
        self.changing: list[str] = info.get("changing", [])  # zones that have a second version
        self.records: int = info["records"]      # of the first version, of all zones
        self.wire: int = info["wire"]            # octets of its transfer
        self.last: str = info["last"]            # the last name of the last zone
        self.deltas: list[int] = info["deltas"]  # sizes of the steps to version 2, 3, ...
        self.pack = where / "pack"

    def queries(self, what: str) -> pathlib.Path:
        return self.dir / f"{what}.queries"

    def zone_files(self) -> pathlib.Path | None:
        """A directory of master files, for a server that does not transfer."""
        path = self.dir / "zonefiles"
        return path if path.is_dir() else None


def labels(rng: random.Random, count: int) -> list[bytes]:
    """Distinct labels of 5 to 12 characters, sorted."""
    seen: set[bytes] = set()
    while len(seen) < count:
        raw = base64.b32hexencode(rng.randbytes(5 * 4096)).lower()  # 8 characters per 5 octets
        tail = base64.b32hexencode(rng.randbytes(5 * 4096)).lower()
        for i in range(0, len(raw), 8):
            size = tail[i] & 7
            seen.add(raw[i:i + 5] + tail[i + 1:i + 1 + size])
    return sorted(sorted(seen)[:: max(1, len(seen) // count)][:count])


class Writer:
    """Where one set is being made."""

    def __init__(self, kind: str, where: pathlib.Path, queries: int):
        self.kind, self.dir, self.count = kind, where, queries
        self.rng = random.Random(SEED + zlib.crc32(kind.encode()))
        self.info = {"kind": kind, "deltas": []}

    def pack(self, entries) -> None:
        with open(self.dir / "pack", "wb") as f:
            for entry in entries:
                f.write(entry)

    def queries(self, what: str, questions, do: bool = False) -> None:
        """questions yields wire names, of type A, or pairs of name and type."""
        with open(self.dir / f"{what}.queries", "wb") as f:
            f.write(b"".join(
                w.query(i, q, w.A, do) if isinstance(q, bytes) else w.query(i, q[0], q[1], do)
                for i, q in enumerate(itertools.islice(questions, self.count))))

    def done(self, apexes: list[str], records: int, wire: int, last: str) -> None:
        self.info |= {"apexes": apexes, "records": records, "wire": wire, "last": last}
        (self.dir / "info.json").write_text(json.dumps(self.info))


def text_head(apex: str) -> str:
    return (f"$ORIGIN {apex}.\n$TTL {w.TTL}\n@ SOA ns1.nic.example. hostmaster.nic.example. 1 "
            f"7200 600 1209600 300\n@ NS ns1.nic.example.\n")


def absent(rng: random.Random, tail: bytes):
    """Names that do not exist: 14 characters, longer than any that does."""
    while True:
        yield w.label(base64.b32hexencode(rng.randbytes(10)).lower()[:14]) + tail


def random_picks(rng: random.Random, things: list):
    while True:
        yield from rng.choices(things, k=10_000)


def make_names(out: Writer, size: int, files: bool) -> None:
    rng, apex = out.rng, w.name("bench.example")
    names = labels(rng, size)
    addrs = [0x0a000000 + i for i in range(size)]
    heads = [w.label(n) + b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04" for n in names]
    ns = w.rr(w.APEX, w.NS, NIC)
    rows = [h + struct.pack("!I", a) for h, a in zip(heads, addrs)]
    first = w.pack_entry(b"A", apex, 0, 1, [ns, *rows])
    entries = [first]
    for old, wanted in enumerate(DELTAS, 1):
        chosen = sorted(rng.sample(range(size), min(wanted, size // 2) // 2))
        gone = [rows[i] for i in chosen]
        for i in chosen:
            addrs[i] = addrs[i] ^ 0x01000000 * old
            rows[i] = heads[i] + struct.pack("!I", addrs[i])
        delta = [w.soa(old + 1), w.soa(old), *gone, w.soa(old + 1), *(rows[i] for i in chosen),
                 w.soa(old + 1)]
        entries += [w.pack_entry(b"I", apex, old, old + 1, delta),
                    w.pack_entry(b"A", apex, 0, old + 1, [ns, *rows])]
        out.info["deltas"].append(2 * len(chosen))
    entries.append(w.pack_entry(b"A", apex, 0, len(DELTAS) + 2, [ns, *rows]))
    out.pack(entries)

    full = [w.label(n) + apex for n in names]
    out.queries("uniform", random_picks(rng, full))
    ranked = full.copy()
    rng.shuffle(ranked)
    weights = list(itertools.accumulate(1 / i for i in range(1, size + 1)))
    out.queries("zipf", iter(rng.choices(ranked, cum_weights=weights, k=out.count)))
    out.queries("nxdomain", absent(rng, apex))
    if files:
        where = out.dir / "zonefiles"
        where.mkdir()
        with open(where / "bench.example", "w", encoding="ascii") as f:
            f.write(text_head("bench.example"))
            f.writelines(f"{n.decode()} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n"
                         for i, n in enumerate(names))
    out.done(["bench.example"], size + 2, len(first), names[-1].decode() + ".bench.example")


class Signer:
    """Records that look signed."""

    def __init__(self, rng: random.Random, apex: bytes):
        self.rng, self.apex = rng, apex
        self.owner = w.APEX if apex != b"\0" else apex
        self.key = struct.pack("!HBB", 257, 3, 13) + rng.randbytes(64)
        self.tag = struct.pack("!H", rng.getrandbits(16))
        self.when = struct.pack("!II", 2_145_916_800, 1_704_067_200)  # 2038, 2024

    def rrsig(self, owner: bytes, covered: int, count: int) -> bytes:
        rdata = (struct.pack("!HBBI", covered, 13, count, w.TTL) + self.when + self.tag
                 + self.apex + self.rng.randbytes(64))
        return w.rr(owner, w.RRSIG, rdata)

    def ds(self, owner: bytes, count: int) -> list[bytes]:
        rdata = self.rng.randbytes(2) + b"\x0d\x02" + self.rng.randbytes(32)
        return [w.rr(owner, w.DS, rdata), self.rrsig(owner, w.DS, count)]

    def at_apex(self, count: int) -> list[bytes]:
        return [self.rrsig(self.owner, w.SOA, count), self.rrsig(self.owner, w.NS, count),
                w.rr(self.owner, w.DNSKEY, self.key), self.rrsig(self.owner, w.DNSKEY, count)]


def bitmap(*types: int) -> bytes:
    bits = bytearray(32)
    for t in types:
        bits[t >> 3] |= 0x80 >> (t & 7)
    used = bytes(bits).rstrip(b"\0")
    return bytes([0, len(used)]) + used


def nsec3_chain(signer: Signer, owners: list[bytes], count: int) -> list[bytes]:
    """NSEC3 with opt-out, no salt, no iterations, over the apex and these full names."""
    apex = hashlib.sha1(signer.apex).digest()
    hashes = sorted([apex, *(hashlib.sha1(o).digest() for o in owners)])
    at_apex = bitmap(w.NS, w.SOA, w.RRSIG, w.DNSKEY, w.NSEC3PARAM)
    at_cut = bitmap(w.NS, w.DS, w.RRSIG)
    out = [w.rr(w.APEX, w.NSEC3PARAM, b"\1\0\0\0\0"), signer.rrsig(w.APEX, w.NSEC3PARAM, count)]
    for i, h in enumerate(hashes):
        owner = w.label(base64.b32hexencode(h).lower()) + w.APEX
        after = hashes[(i + 1) % len(hashes)]
        rdata = b"\1\1\0\0\0\x14" + after + (at_apex if h == apex else at_cut)
        out += [w.rr(owner, w.NSEC3, rdata), signer.rrsig(owner, w.NSEC3, count + 1)]
    return out


def delegation(rng: random.Random, i: int, owner: bytes) -> list[bytes]:
    """Two NS; one delegation in twenty with glue of its own."""
    if i % 20 == 0:
        hosts = [b"\3ns1" + owner, b"\3ns2" + owner]
        addr = struct.pack("!I", 0x0b000000 + i)
        return [w.rr(owner, w.NS, h) for h in hosts] + [w.rr(h, w.A, addr) for h in hosts]
    host = w.name(f"host{rng.randrange(1000)}.example")
    return [w.rr(owner, w.NS, b"\3ns1" + host), w.rr(owner, w.NS, b"\3ns2" + host)]


def delegation_text(i: int, n: str) -> str:
    """The same in a master file."""
    if i % 20 == 0:
        return "".join(f"{n} NS ns{k}.{n}\nns{k}.{n} A 11.0.0.1\n" for k in (1, 2))
    return "".join(f"{n} NS ns{k}.host{i % 1000}.example.\n" for k in (1, 2))


def deeper(rng: random.Random, names: list[bytes]):
    """The names themselves and, every other time, www below them."""
    for i, n in enumerate(random_picks(rng, names)):
        yield b"\3www" + n if i & 1 else n


def make_tld(out: Writer, size: int, files: bool) -> None:
    signed = out.kind == "tld-signed"
    rng, apex = out.rng, w.name("tld")
    names = labels(rng, size)
    signer = Signer(rng, apex)
    rows = [w.rr(w.APEX, w.NS, NIC)] + (signer.at_apex(1) if signed else [])
    secure, insecure = [], []
    text = []
    for i, n in enumerate(names):
        owner = w.label(n) + w.APEX
        rows += delegation(rng, i, owner)
        if files and not signed:
            text.append(delegation_text(i, n.decode()))
        if signed and rng.random() < 0.1:
            rows += signer.ds(owner, 2)
            secure.append(w.label(n) + apex)
        else:
            insecure.append(w.label(n) + apex)
    if signed:
        rows += nsec3_chain(signer, secure, 1)
    first = w.pack_entry(b"A", apex, 0, 1, rows)
    out.pack([first])
    out.queries("referral", deeper(rng, insecure), do=signed)
    out.queries("nxdomain", absent(rng, apex), do=signed)
    if signed:
        out.queries("signed-referral", deeper(rng, secure), do=True)
    if text:
        (out.dir / "zonefiles").mkdir()
        (out.dir / "zonefiles" / "tld").write_text(text_head("tld") + "".join(text))
    out.done(["tld"], len(rows) + 1, len(first), names[-1].decode() + ".tld")


def make_root(out: Writer, size: int, _files: bool) -> None:
    rng, apex = out.rng, b"\0"
    size = min(size, ROOT_SIZE)
    names = labels(rng, size)
    signer = Signer(rng, apex)
    rows = [w.rr(apex, w.NS, NIC), *signer.at_apex(0),
            w.rr(apex, w.NSEC, w.label(names[0]) + b"\0"
                 + bitmap(w.NS, w.SOA, w.RRSIG, w.NSEC, w.DNSKEY)),
            signer.rrsig(apex, w.NSEC, 0)]
    for i, n in enumerate(names):
        owner = w.label(n) + apex
        for k in range(4):
            host = w.label(b"abcd"[k:k + 1]) + b"\3nic" + owner
            rows += [w.rr(owner, w.NS, host), w.rr(host, w.A, struct.pack("!I", 0x0b000000 + i)),
                     w.rr(host, w.AAAA, b"\x20\1\x0d\xb8" + rng.randbytes(12))]
        after = w.label(names[i + 1]) + b"\0" if i + 1 < size else b"\0"
        rows += [*signer.ds(owner, 1),
                 w.rr(owner, w.NSEC, after + bitmap(w.NS, w.DS, w.RRSIG, w.NSEC)),
                 signer.rrsig(owner, w.NSEC, 1)]
    first = w.pack_entry(b"A", apex, 0, 1, rows)
    out.pack([first])
    out.queries("mix", root_mix(rng, [w.label(n) + b"\0" for n in names]), do=True)
    out.done([""], len(rows) + 1, len(first), names[-1].decode())


def root_mix(rng: random.Random, tlds: list[bytes]):
    """What root servers see: four in ten below TLDs, few of them much asked for; five in ten for
    names that do not exist; the rest at the apex."""
    weights = list(itertools.accumulate(1 / i for i in range(1, len(tlds) + 1)))
    nowhere = absent(rng, b"\0")
    while True:
        for tld in rng.choices(tlds, cum_weights=weights, k=1000):
            dice = rng.random()
            if dice < 0.4:
                yield b"\3www\7example" + tld
            elif dice < 0.9:
                yield next(nowhere)
            else:
                yield (b"\0", w.NS if dice < 0.96 else w.DNSKEY)


CHANGING = 50  # each such zone has a second version


def make_zones(out: Writer, size: int, files: bool) -> None:
    rng = out.rng
    texts = [f"{n.decode()}.t{rng.randrange(10)}" for n in labels(rng, size)]
    tail = [w.rr(w.APEX, w.NS, NIC), w.rr(w.APEX, w.NS, w.name("ns2.nic.example")),
            w.rr(w.APEX, w.MX, b"\0\x0a" + w.name("mx.nic.example"))]
    entries = []
    for i, text in enumerate(texts):
        addr = struct.pack("!I", 0x0a000000 + i)
        rows = [*tail, w.rr(w.APEX, w.A, addr), w.rr(b"\3www" + w.APEX, w.A, addr)]
        entries.append(w.pack_entry(b"A", w.name(text), 0, 1, rows))
        if i % CHANGING == 0:
            new = rows.pop()
            entries += [w.pack_entry(b"I", w.name(text), 1, 2, [w.soa(2), w.soa(1), new, w.soa(2),
                                                                w.soa(2)]),
                        w.pack_entry(b"A", w.name(text), 0, 2, rows)]
    out.pack(entries)
    wires = [w.name(t) for t in texts]
    out.queries("existing", deeper(rng, wires))
    out.info["changing"] = texts[::CHANGING]
    if files:
        where = out.dir / "zonefiles"
        where.mkdir()
        for text in texts:
            (where / text).write_text(text_head(text) + "@ NS ns2.nic.example.\n@ MX 10 "
                                      "mx.nic.example.\n@ A 10.0.0.1\nwww A 10.0.0.1\n")
    out.done(texts, 6 * size, sum(map(len, entries)), "www." + texts[-1])


MAKERS = {"names": make_names, "tld": make_tld, "tld-signed": make_tld, "root": make_root,
          "zones": make_zones}


def stamp() -> str:
    """Changes when what is made would change."""
    here = pathlib.Path(__file__).parent
    return hashlib.sha1(b"".join((here / f).read_bytes() for f in ("zones.py", "dnswire.py"))
                        ).hexdigest()


def get(cache: pathlib.Path, kind: str, size: int, queries: int, files: bool) -> Data:
    """The set from the cache, or made now."""
    where = cache / f"{kind}-{size}-{queries}{'-files' if files else ''}"
    mark = where / "stamp"
    if mark.exists() and mark.read_text() == stamp():
        return Data(where)
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    MAKERS[kind](Writer(kind, where, queries), size, files)
    mark.write_text(stamp())
    return Data(where)
