"""A primary whose zones change as fast as they are asked for, by AXFR and IXFR, and the text of each
version, made from its serial alone."""
from __future__ import annotations

import random
import struct
import threading
import time

from . import dnsio, wire
from .scripted import Request, Send, notify_wire

TXT_S = 250  # octets of a string
MESSAGE = 40_000  # octets of records in a message, about


class Zone:
    """hosts records of so many octets; each version changes the next step of them."""

    def __init__(self, apex: str, hosts: int, step: int, octets: int = 40, refresh: int = 3600):
        assert hosts % step == 0
        self.apex, self.hosts, self.step, self.octets = apex, hosts, step, octets
        self.refresh = refresh
        self.owners = [wire.name(f"h{i}.{apex}") for i in range(hosts)]

    def _since(self, block: int, serial: int) -> int:
        """The version in which the block of hosts was changed last."""
        return serial - (serial - block) % (self.hosts // self.step)

    def _strings(self, i: int, serial: int) -> list[str]:
        text = f"{i} of {self._since(i // self.step, serial)} ".ljust(self.octets, "x")
        return [text[at:at + TXT_S] for at in range(0, len(text), TXT_S)]

    def soa_text(self, serial: int) -> str:
        return (f"ns1.{self.apex} hostmaster.{self.apex} {serial} {self.refresh} "
                f"{min(self.refresh, 600)} 86400 300")

    def soa(self, serial: int) -> bytes:
        return wire.rr(self.apex, "SOA", self.soa_text(serial))

    def record(self, i: int, serial: int) -> bytes:
        rdata = b"".join(bytes([len(s)]) + s.encode() for s in self._strings(i, serial))
        return self.owners[i] + struct.pack("!HHIH", 16, 1, 300, len(rdata)) + rdata

    def whole(self, serial: int) -> list[bytes]:
        return [self.soa(serial), wire.rr(self.apex, "NS", "ns.elsewhere.test."),
                *(self.record(i, serial) for i in range(self.hosts)), self.soa(serial)]

    def changes(self, old: int, new: int) -> list[bytes]:
        """The records of an IXFR (RFC 1995 4)."""
        out = [self.soa(new)]
        for s in range(old, new):
            block = (s + 1) % (self.hosts // self.step)
            some = range(block * self.step, (block + 1) * self.step)
            out += [self.soa(s), *(self.record(i, s) for i in some),
                    self.soa(s + 1), *(self.record(i, s + 1) for i in some)]
        return [*out, self.soa(new)]

    def lines(self, serial: int) -> list[str]:
        """What a dump of the version holds, in any order."""
        return [f"{self.apex}\t300\tIN\tSOA\t{self.soa_text(serial)}",
                f"{self.apex}\t300\tIN\tNS\tns.elsewhere.test.",
                *(f"h{i}.{self.apex}\t300\tIN\tTXT\t"
                  + " ".join(f'"{s}"' for s in self._strings(i, serial))
                  for i in range(self.hosts))]


def serial_of(lines: list[str]) -> int:
    """Of a dump."""
    return int(lines[0].split("\t")[4].split()[2])


class Stream:
    """A ScriptedPrimary (primary) with these zones; run() lets them change until stop(). whole: the
    share of IXFRs that it answers with the whole zone."""

    def __init__(self, lab, zones: list[Zone], still: list[Zone] = (), seed: int = 0,
                 whole: float = 0.1):
        self.zones = {z.apex: z for z in [*zones, *still]}
        self.moving = [z.apex for z in zones]
        self.serials = {z.apex: 1 for z in self.zones.values()}
        self.rng = random.Random(seed)
        self.whole = whole
        self.primary = lab.scripted_primary({})
        for kind, handler in (("SOA", self._soa), ("AXFR", self._axfr), ("IXFR", self._ixfr)):
            self.primary.on(kind, handler)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _soa(self, r: Request) -> list:
        return [Send(r.answer([self.zones[r.apex].soa(self.serials[r.apex])]))]

    @staticmethod
    def _cut(r: Request, records: list[bytes]) -> list:
        out, part, size = [], [], 0
        for record in records:
            if part and size + len(record) > MESSAGE:
                out.append(Send(r.answer(part)))
                part, size = [], 0
            part.append(record)
            size += len(record)
        return [*out, Send(r.answer(part))]

    def _axfr(self, r: Request) -> list:
        return self._cut(r, self.zones[r.apex].whole(self.serials[r.apex]))

    def _ixfr(self, r: Request) -> list:
        old, new = r.msg.authority[0][0].serial, self.serials[r.apex]
        zone = self.zones[r.apex]
        if old >= new:
            return [Send(r.answer([zone.soa(new)]))]
        if new - old > 30 or self.rng.random() < self.whole:
            return self._axfr(r)
        return self._cut(r, zone.changes(old, new))

    def run(self, secd, per_s: float) -> None:
        """A change and its NOTIFY so often, in a thread."""
        self._stop.clear()

        def work() -> None:
            import socket
            with socket.socket(dnsio.family(secd.addr), socket.SOCK_DGRAM) as s:
                s.bind((self.primary.addr, 0))
                while not self._stop.wait(1 / per_s):
                    apex = self.rng.choice(self.moving)
                    self.serials[apex] += self.rng.randrange(1, 4)
                    try:
                        s.sendto(notify_wire(apex, self.serials[apex]), (secd.addr, secd.port))
                    except ConnectionError:  # it is being killed
                        pass
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._thread = None


class Watch:
    """Asks for serials again and again, in a thread: the highest that was answered of each zone."""

    def __init__(self, secd, apexes: list[str]):
        self.secd, self.apexes = secd, apexes
        self.seen: dict[str, int] = {}
        self.asked = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            for apex in self.apexes:
                if self._stop.is_set():
                    return
                try:
                    serial = dnsio.serial(self.secd.addr, self.secd.port, apex, timeout=0.3)
                except (TimeoutError, ConnectionError):
                    time.sleep(0.002)
                    continue
                self.asked += 1
                if serial is not None:
                    self.seen[apex] = max(serial, self.seen.get(apex, 0))

    def stop(self) -> dict[str, int]:
        self._stop.set()
        self._thread.join()
        return self.seen
