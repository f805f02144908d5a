"""Primaries that are broken, each in its own way, beside a good one: what an operator meets."""
from __future__ import annotations

import socket
import struct
import threading
import time

from . import wire
from .scripted import Drip, Plain, Raw, Send
from .tsig import unsigned_error
from .zones import zone

KEY = ("k", "hmac-sha256", "c2VjZCBsaXZlIGNoZWNrLCBubyBzZWNyZXQ=")


def at(server) -> tuple[str, int]:
    return server.addr, server.port


class TruncatesOnly:
    """UDP that sends everybody to a TCP port where nobody listens."""

    def __init__(self, lab):
        self.addr, self.port = "127.0.0.1", lab.port()
        udp = next(s for s in lab._held[self.port] if s.type == socket.SOCK_DGRAM)
        threading.Thread(target=self.serve, args=(udp.dup(),), daemon=True).start()

    @staticmethod
    def serve(udp: socket.socket) -> None:
        while True:
            try:
                query, peer = udp.recvfrom(4096)
                end = query.index(b"\0", 12) + 5
                udp.sendto(query[:2] + struct.pack("!HHHHH", 0x8600, 1, 0, 0, 0) + query[12:end],
                           peer)
            except OSError:
                return


def scripted(lab, apex: str, serial: int = 7, **opts):
    return lab.scripted_primary({apex: zone(apex, serial)}, **opts)


def wrong_clock(r):
    """It signs its answer, which says that ours is wrong by 412 s (RFC 8945 5.2.3)."""
    told = int(time.time()) + 412
    return [Plain(r.signer().sign(r.answer(rcode=9), error=18,
                                  other=struct.pack("!HI", told >> 32, told & 0xffffffff)))]


def rows(lab) -> list[tuple[str, list[tuple[str, int]], bool]]:
    """(apex, addresses of its primaries, is it asked with KEY?)"""
    out = []

    def row(apex: str, *servers, key: bool = False) -> None:
        out.append((apex, list(servers), key))

    row("good.", at(scripted(lab, "good.")))
    row("signed.", at(scripted(lab, "signed.", key=KEY)), key=True)
    row("closed.", lab.nobody())
    refuses = scripted(lab, "refuses.")
    refuses.on("AXFR", lambda r: [Send(r.answer(flags=0, rcode=5))])
    row("refuses.", at(refuses))
    clock = scripted(lab, "clock.", key=KEY)
    for kind in ("SOA", "AXFR"):
        clock.on(kind, wrong_clock)
    row("clock.", at(clock), key=True)
    badkey = scripted(lab, "badkey.", key=KEY)
    for kind in ("SOA", "AXFR"):
        badkey.on(kind, lambda r: [Plain(unsigned_error(r.answer(rcode=9), KEY, 17))])
    row("badkey.", at(badkey), key=True)
    lame = scripted(lab, "lame.")
    lame.on("SOA", lambda r: [Send(r.soa(flags=0))])
    lame.on("AXFR", lambda r: [Send(r.answer(flags=0, rcode=9))])
    row("lame.", at(lame))
    row("older.", at(scripted(lab, "older.", 5)), at(scripted(lab, "older.", 7)))
    row("half.", at(scripted(lab, "half.", 1)), at(scripted(lab, "half.", 1 + 2 ** 31)))
    garbage = scripted(lab, "garbage.")
    garbage.on("SOA udp", lambda r: [Raw(r.soa()[:-7])])
    garbage.on("SOA tcp", lambda r: [Raw(wire.frame(r.soa()[:-7]))])
    garbage.on("AXFR", lambda r: [Raw(wire.frame(r.answer([b"\0\0\1"])))])
    row("garbage.", at(garbage))
    slow = scripted(lab, "slow.")
    slow.on("AXFR", lambda r: [Drip(wire.frame(r.axfr_messages()[0]), .2)])
    row("slow.", at(slow))
    row("truncates.", at(TruncatesOnly(lab)))
    expired = scripted(lab, "expired.")
    for kind in ("SOA", "AXFR"):
        expired.on(kind, lambda r: [Send(r.answer(flags=0, rcode=2))])
    row("expired.", at(expired))
    old = scripted(lab, "old.")  # knows no EDNS
    for kind in ("SOA", "AXFR"):
        old.on(kind, lambda r: [Send(r.answer(rcode=1))] if r.msg.edns >= 0 else None)
    row("old.", at(old))
    return out
