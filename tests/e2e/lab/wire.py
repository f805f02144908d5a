"""DNS messages from raw parts, for what dnspython would refuse to build."""
from __future__ import annotations

import struct

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080


def name(text) -> bytes:
    return dns.name.from_text(str(text)).to_wire()


def question(qname, qtype, qclass: int = 1) -> bytes:
    return name(qname) + struct.pack("!HH", dns.rdatatype.RdataType.make(qtype), qclass)


def message(ident: int, flags: int, questions=(), answers=(), authority=(), additional=(),
            counts: tuple | None = None) -> bytes:
    """A message of ready parts; counts, if given, lie in the header."""
    parts = (list(questions), list(answers), list(authority), list(additional))
    head = counts or tuple(len(p) for p in parts)
    return struct.pack("!HHHHHH", ident, flags, *head) + b"".join(b"".join(p) for p in parts)


def rr(owner, rdtype, rdata, *, ttl: int = 300, rdclass: int = 1,
       rdlen: int | None = None) -> bytes:
    """One record: owner is text or wire, rdata presentation form or wire; rdlen may lie."""
    code = dns.rdatatype.RdataType.make(rdtype)
    if isinstance(rdata, str):
        rdata = dns.rdata.from_text(dns.rdataclass.IN, code, rdata,
                                    origin=dns.name.root, relativize=False).to_wire()
    if not isinstance(owner, bytes):
        owner = name(owner)
    return (owner + struct.pack("!HHIH", code, rdclass, ttl, len(rdata) if rdlen is None else rdlen)
            + rdata)


def soa(apex, serial: int, *, refresh: int = 3600, retry: int = 600, expire: int = 86400,
        minimum: int = 300, ttl: int = 300) -> bytes:
    return rr(apex, "SOA", f"ns1.{apex} hostmaster.{apex} {serial} {refresh} {retry} {expire} "
                           f"{minimum}", ttl=ttl)


def records(text: str, apex: str) -> list[bytes]:
    """Each record of a zone text in wire form, the SOA first."""
    zone = dns.zone.from_text(text, origin=apex, relativize=False, check_origin=False)
    first, rest = [], []
    for owner, ttl, rdata in zone.iterate_rdatas():
        wire = rr(owner.to_wire(), rdata.rdtype, rdata.to_wire(), ttl=ttl)
        (first if rdata.rdtype == dns.rdatatype.SOA else rest).append(wire)
    return first + rest


def frame(msg: bytes) -> bytes:
    """With its length in front, as TCP carries it."""
    return struct.pack("!H", len(msg)) + msg
