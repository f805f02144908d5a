"""Thousands of mutated packets, over UDP and TCP, are answered or dropped, and never end secd."""
import socket

import dns.message

from lab import Lab, wire
from lab.dnsio import make
from lab.scripted import notify_wire
from lab.zones import RICH, questions, zone


def seeds() -> list[bytes]:
    out = [make(n, t, do=i % 2 == 0, edns=i % 3 != 0).to_wire()
           for i, (n, t) in enumerate(questions("example."))]
    out += [notify_wire("example.", 3), make("version.bind.", "TXT", rdclass="CH").to_wire(),
            make("example.", "AXFR").to_wire(), make("example.", "IXFR").to_wire(),
            wire.message(9, 5 << 11, [wire.question("example.", "SOA")]), b"", b"\0" * 12,
            wire.message(9, 0, [b"\x3f" + b"a" * 63 + b"\xc0\x0c\0\1\0\1"])]
    return out


def mutate(rng, msg: bytes) -> bytes:
    m = bytearray(msg)
    for _ in range(rng.randrange(1, 5)):
        way = rng.randrange(7)
        at = rng.randrange(len(m)) if m else 0
        if way == 0 and m:
            m[at] = rng.randrange(256)
        elif way == 1 and m:
            m[at] ^= 1 << rng.randrange(8)
        elif way == 2:
            del m[at:]
        elif way == 3:
            m[at:at] = rng.randbytes(rng.randrange(1, 20))
        elif way == 4 and m:
            del m[at:at + rng.randrange(1, 12)]
        elif way == 5 and len(m) >= 12:  # a count
            m[4 + rng.randrange(8)] = rng.choice((0, 1, 2, 255))
        elif way == 6:
            m += m[12:] if len(m) < 2000 else b""
    return bytes(m)


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(extra=RICH)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    base = seeds()
    probe = make("www.example.", "A")
    rounds = 100 if lab.soak else 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((secd.addr, secd.port))
        s.settimeout(3)
        for _ in range(rounds):
            for _ in range(400):
                s.send(mutate(lab.rng, lab.rng.choice(base)))
                s.setblocking(False)
                try:
                    while True:
                        got = s.recv(65535)
                        assert len(got) >= 12 and got[2] & 0x80, got
                except BlockingIOError:
                    pass
                s.settimeout(3)
            secd_answers(secd, probe)
    for _ in range(rounds * 10):
        with secd.tcp() as conn:
            try:
                for _ in range(10):
                    conn.send(mutate(lab.rng, lab.rng.choice(base)))
                if lab.rng.random() < 0.5:
                    conn.sock.sendall(lab.rng.randbytes(lab.rng.randrange(1, 50)))
                conn.sock.shutdown(socket.SHUT_WR)
                while conn.recv() is not None:
                    pass
            except (ConnectionError, TimeoutError, OSError):
                pass
    secd_answers(secd, probe)
    assert secd.alive()


def secd_answers(secd, probe: dns.message.Message) -> None:
    r = secd.query(probe.question[0].name, "A")
    assert r.rcode() == 0 and r.answer, r
