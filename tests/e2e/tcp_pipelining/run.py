"""Many queries on one TCP connection, in one piece or byte by byte, are all answered."""
import socket

import dns.message

from lab import Lab
from lab.dnsio import make
from lab.wire import frame
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(extra="\n".join(f"h{i} A 10.0.0.{i}"
                                                         for i in range(200)))})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)

    def queries():
        out = [make(f"h{i}.example.", "A") for i in range(200)]
        for i, q in enumerate(out):
            q.id = i
        return out

    def collect(conn, qs):
        left = {q.id: q for q in qs}
        while left:
            got = conn.recv()
            assert got is not None, f"closed with {len(left)} answers to come"
            r = dns.message.from_wire(got)
            q = left.pop(r.id)
            assert r.question == q.question
            assert r.answer[0][0].address == f"10.0.0.{r.id}"

    with secd.tcp() as conn:  # all in one write
        conn.send(*(q.to_wire() for q in queries()))
        collect(conn, queries())
        # and again on the same connection, in pieces that end anywhere
        data = b"".join(frame(q.to_wire()) for q in queries())
        while data:
            n = lab.rng.randrange(1, 90)
            conn.sock.sendall(data[:n])
            data = data[n:]
        collect(conn, queries())
    with secd.tcp() as conn:  # byte by byte
        conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"".join(frame(q.to_wire()) for q in queries()[:3]):
            conn.sock.sendall(bytes([byte]))
        collect(conn, queries()[:3])
    with secd.tcp() as conn:  # a half-closed connection still gets its answers
        conn.send(*(q.to_wire() for q in queries()))
        conn.sock.shutdown(socket.SHUT_WR)
        collect(conn, queries())
        assert conn.closed()
