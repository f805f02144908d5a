"""DNS on the wire, as little as the benchmark needs: records and messages made fast, a SOA read."""
from __future__ import annotations

import struct

A, NS, SOA, MX, AAAA, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM = \
    1, 2, 6, 15, 28, 43, 46, 47, 48, 50, 51
AXFR, IXFR = 252, 251
APEX = b"\xc0\x0c"  # a pointer to the question's name: in a transfer the apex (not the root's)
MESSAGE = 16000     # octets at which a message of a transfer is closed, as many primaries do
TTL = 3600


def name(text: str) -> bytes:
    """Wire form of a name of plain letters, digits and hyphens."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def label(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def rr(owner: bytes, rdtype: int, rdata: bytes, ttl: int = TTL) -> bytes:
    return owner + struct.pack("!HHIH", rdtype, 1, ttl, len(rdata)) + rdata


def soa(serial: int, owner: bytes = APEX) -> bytes:
    """The SOA of every zone here."""
    rdata = name("ns1.nic.example") + name("hostmaster.nic.example") \
        + struct.pack("!5I", serial, 7200, 600, 1209600, 300)
    return rr(owner, SOA, rdata)


def messages(apex: bytes, records, rdtype: int = AXFR) -> bytes:
    """The records as framed messages of one transfer: id 0, the question in each."""
    question = apex + struct.pack("!HH", rdtype, 1)
    out, body, size = [], [], 0

    def close():
        head = struct.pack("!6H", 0, 0x8400, 1, len(body), 0, 0)
        out.append(struct.pack("!H", len(head) + len(question) + size) + head + question)
        out.extend(body)

    for record in records:
        body.append(record)
        size += len(record)
        if size > MESSAGE:
            close()
            body, size = [], 0
    if body:
        close()
    return b"".join(out)


def pack_entry(kind: bytes, apex: bytes, start: int, serial: int, records: list[bytes]) -> bytes:
    """An entry of a pack (pack.h). The records are all but the SOAs of a whole zone, or all of a
    difference."""
    first = soa(serial, APEX if apex != b"\0" else apex)
    if kind == b"A":
        count = len(records) + 1
        body = messages(apex, [first, *records, first])
    else:
        count = len(records)
        body = messages(apex, records, IXFR)
    return (kind + struct.pack("!BHIII", len(apex), len(first), start, serial, count)
            + struct.pack("!Q", len(body)) + apex + first + body)


def query(number: int, qname: bytes, rdtype: int, do: bool = False) -> bytes:
    """A framed query with EDNS, as resolvers send it; its id is its number."""
    opt = b"\0\0\x29\x04\xd0\0\0" + (b"\x80\0" if do else b"\0\0") + b"\0\0"
    msg = struct.pack("!6H", number & 0xffff, 0, 1, 0, 0, 1) + qname \
        + struct.pack("!HH", rdtype, 1) + opt
    return struct.pack("!H", len(msg)) + msg


def soa_query(apex: bytes, ident: int) -> bytes:
    return struct.pack("!6H", ident, 0, 1, 0, 0, 0) + apex + struct.pack("!HH", SOA, 1)


def skip_name(msg: bytes, pos: int) -> int:
    while msg[pos]:
        if msg[pos] >= 0xc0:
            return pos + 2
        pos += 1 + msg[pos]
    return pos + 1


def soa_serial(msg: bytes) -> int | None:
    """The serial in an answer to soa_query(); None when it is no authoritative answer."""
    try:
        flags, _qd, an = struct.unpack_from("!HHH", msg, 2)
        if flags & 0x840f != 0x8400 or an == 0:
            return None
        pos = skip_name(msg, skip_name(msg, 12) + 4)
        rdtype, _cls, _ttl, rdlen = struct.unpack_from("!HHIH", msg, pos)
        end = pos + 10 + rdlen
        return struct.unpack_from("!I", msg, end - 20)[0] if rdtype == SOA else None
    except (IndexError, struct.error):
        return None
