"""Questions and answers on the wire, and what makes two answers equal."""
from __future__ import annotations

import socket
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

TIMEOUT_S = 3.0


def make(name, rdtype="A", *, edns=True, do=False, payload=1232, rd=False, rdclass="IN",
         options=None) -> dns.message.Message:
    """A query as dnspython makes it."""
    q = dns.message.make_query(name, rdtype, rdclass, use_edns=0 if edns else False,
                               want_dnssec=do and edns, payload=payload if edns else None,
                               options=options if edns else None)
    q.flags = dns.flags.RD if rd else 0
    return q


def family(addr: str) -> int:
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def udp_raw(addr: str, port: int, wire: bytes, *, timeout: float = TIMEOUT_S,
            source: str | None = None) -> bytes:
    """Send one datagram and return the first one back. TimeoutError when none comes."""
    with socket.socket(family(addr), socket.SOCK_DGRAM) as s:
        if source:
            s.bind((source, 0))
        s.connect((addr, port))
        s.settimeout(timeout)
        s.send(wire)
        return s.recv(65535)


class Tcp:
    """A TCP connection that carries DNS messages."""

    def __init__(self, addr: str, port: int, *, timeout: float = TIMEOUT_S,
                 source: str | None = None, rcvbuf: int | None = None):
        self.sock = socket.socket(family(addr), socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect((addr, port))
        self._have = b""

    def send(self, *wires: bytes) -> None:
        self.sock.sendall(b"".join(struct.pack("!H", len(w)) + w for w in wires))

    def _take(self, n: int) -> bytes | None:
        while len(self._have) < n:
            got = self.sock.recv(65536)
            if not got:
                return None
            self._have += got
        out, self._have = self._have[:n], self._have[n:]
        return out

    def recv(self) -> bytes | None:
        """The next message; None when the peer has closed. TimeoutError when neither comes."""
        head = self._take(2)
        if head is None:
            return None
        return self._take(struct.unpack("!H", head)[0])

    def closed(self, timeout: float = TIMEOUT_S) -> bool:
        """Does the peer close (or reset) within timeout, with nothing more to say?"""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Tcp:
        return self

    def __exit__(self, *_exc) -> None:
        self.close()


def tcp_raw(addr: str, port: int, wire: bytes, *, timeout: float = TIMEOUT_S,
            source: str | None = None) -> bytes:
    with Tcp(addr, port, timeout=timeout, source=source) as c:
        c.send(wire)
        got = c.recv()
        if got is None:
            raise ConnectionResetError("closed without an answer")
        return got


def ask(addr: str, port: int, name, rdtype="A", *, tcp=False, timeout: float = TIMEOUT_S,
        source: str | None = None, **opts) -> dns.message.Message:
    """One question, its answer. The id and the question must be ours; TC is left as it is."""
    q = make(name, rdtype, **opts)
    send = tcp_raw if tcp else udp_raw
    wire = send(addr, port, q.to_wire(), timeout=timeout, source=source)
    r = dns.message.from_wire(wire)
    assert r.id == q.id, f"answer has id {r.id}, not {q.id}"
    if r.question:
        assert r.question == q.question, f"answer to another question: {r.question}"
    return r


def axfr(addr: str, port: int, apex, *, timeout: float = 30.0) -> list:
    """All rrsets of a zone as a primary sends them, the closing SOA included."""
    q = make(apex, "AXFR", edns=False)
    out: list = []
    end = time.monotonic() + timeout
    soas = 0
    with Tcp(addr, port, timeout=timeout) as c:
        c.send(q.to_wire())
        while soas < 2 and time.monotonic() < end:
            wire = c.recv()
            if wire is None:
                raise ConnectionResetError("transfer cut short")
            r = dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True)
            assert r.rcode() == 0, dns.rcode.to_text(r.rcode())
            for rrset in r.answer:
                soas += rrset.rdtype == dns.rdatatype.SOA
                out.append(rrset)
    return out


def serial(addr: str, port: int, apex, **opts) -> int | None:
    """The serial that a server answers for apex, or None (other rcode, no SOA, no AA)."""
    r = ask(addr, port, apex, "SOA", **opts)
    if r.rcode() != 0 or not r.flags & dns.flags.AA:
        return None
    for rrset in r.answer:
        if rrset.rdtype == dns.rdatatype.SOA and rrset.name == dns.name.from_text(str(apex)):
            return rrset[0].serial
    return None


def _section(rrsets, ttl: bool, types=None) -> set:
    out = set()
    for rrset in rrsets:
        if types is None or rrset.rdtype in types:
            for rdata in rrset:
                out.add((rrset.name.canonicalize(), rrset.rdclass, rrset.rdtype,
                         rrset.ttl if ttl else 0, rdata.to_digestable(dns.name.root)))
    return out


# What the authority section must hold; servers differ in whether an answer's own NS stand there.
_PROOF = {dns.rdatatype.SOA, dns.rdatatype.DS, dns.rdatatype.NSEC, dns.rdatatype.NSEC3,
          dns.rdatatype.RRSIG}


def differ(a: dns.message.Message, b: dns.message.Message, *, ttl: bool = True) -> str:
    """What two answers say differently, or "": rcode, AA, TC, the records of the answer
    section, and of the authority section (NS count there in referrals only). Order and case of
    owners are no difference."""
    if a.rcode() != b.rcode():
        return f"rcode {dns.rcode.to_text(a.rcode())} / {dns.rcode.to_text(b.rcode())}"
    mask = dns.flags.AA | dns.flags.TC
    if a.flags & mask != b.flags & mask:
        return f"flags {dns.flags.to_text(a.flags)} / {dns.flags.to_text(b.flags)}"
    types = _PROOF if a.flags & dns.flags.AA else None
    for what, x, y in (("answer", _section(a.answer, ttl), _section(b.answer, ttl)),
                       ("authority", _section(a.authority, ttl, types),
                        _section(b.authority, ttl, types))):
        if x != y:
            return f"{what} {sorted(map(str, x - y))} / {sorted(map(str, y - x))}"
    return ""


def compare(a, b, questions, **opts) -> None:
    """Ask a and b (anything with addr, port and name) the same: AssertionError with every
    question whose answers differ."""
    wrong = []
    for name, rdtype in questions:
        for tcp in (False, True):
            got = differ(ask(a.addr, a.port, name, rdtype, tcp=tcp, **opts),
                         ask(b.addr, b.port, name, rdtype, tcp=tcp, **opts))
            if got:
                wrong.append(f"{name} {rdtype}{' tcp' if tcp else ''}: {got}")
    assert not wrong, f"{a.name} / {b.name}:\n" + "\n".join(wrong)
