"""A primary that can do what no honest one does.

It serves SOA and AXFR of the zones it is given, over UDP and TCP on one port. on() overrides
what happens for one kind of request: the handler gets the Request and returns the steps to
take, or None to go on as usual. A kind is a query type, alone or with the transport:
"SOA", "SOA udp", "SOA tcp", "AXFR".

    p = lab.scripted_primary({"example.": zone(serial=2)})
    p.on("AXFR", lambda r: [Send(r.axfr_messages()[0]), CLOSE])
    p.on("SOA udp", lambda r: [Raw(r.soa(flags=wire.TC))])

With key=(name, algorithm, secret in base64) every answer is signed: each Send, in order. Answers
that are to be signed otherwise are made by a handler with r.signer(), and sent as Plain(message).

Steps: Send(message), Plain(message: not signed), Raw(bytes: no length in front), Drip(bytes, pause), Wait(seconds), and
CLOSE, RESET, STALL (say nothing more, hold the connection), IGNORE (no answer).
"""
from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic

import dns.exception
import dns.message
import dns.opcode
import dns.rdatatype
import dns.tsigkeyring

from . import dnsio, wire
from .tsig import Signer


@dataclass(frozen=True)
class Send:
    """A whole message; over TCP its length goes in front."""
    msg: bytes


@dataclass(frozen=True)
class Plain:
    """A whole message that is sent as it is, whatever key the primary has."""
    msg: bytes


@dataclass(frozen=True)
class Raw:
    """Bytes as they are."""
    data: bytes


@dataclass(frozen=True)
class Drip:
    """Bytes as they are, one at a time, with a pause (seconds) after each."""
    data: bytes
    pause: float = 0.0


@dataclass(frozen=True)
class Wait:
    seconds: float


CLOSE, RESET, STALL, IGNORE = "close", "reset", "stall", "ignore"


@dataclass
class Request:
    """One query as it came, and help to answer it."""
    primary: ScriptedPrimary
    via: str  # "udp" or "tcp"
    wire: bytes
    peer: tuple
    kind: str = ""
    apex: str = ""
    ident: int = 0
    question: bytes = b""
    msg: dns.message.Message | None = None
    records: list[bytes] = field(default_factory=list)  # of the zone now, the SOA first
    time: float = field(default_factory=monotonic)

    def signer(self) -> Signer:
        """For an answer to this request."""
        return Signer(self.primary.key, self.msg.mac or b"" if self.msg else b"")

    def answer(self, answers: Iterable[bytes] = (), *, flags: int = wire.AA, rcode: int = 0,
               ident: int | None = None, question: bytes | None = None, **parts) -> bytes:
        """A message with this request's id and question, unless told otherwise; question=b""
        leaves it out. flags are those beside QR."""
        q = self.question if question is None else question
        return wire.message(self.ident if ident is None else ident, wire.QR | flags | rcode,
                            [q] if q else [], answers, **parts)

    def soa(self, **opts) -> bytes:
        """The SOA answer."""
        return self.answer(self.records[:1], **opts)

    def axfr_messages(self, records: list[bytes] | None = None, per_message: int = 100,
                      **opts) -> list[bytes]:
        """The zone, or these records as they are, cut into messages."""
        if records is None:
            records = self.records + self.records[:1]
        return [self.answer(records[i:i + per_message], **opts)
                for i in range(0, len(records), per_message)]

    def axfr(self, records: list[bytes] | None = None, per_message: int = 100,
             **opts) -> list[Send]:
        return [Send(m) for m in self.axfr_messages(records, per_message, **opts)]


Handler = Callable[[Request], "list | None"]


class ScriptedPrimary:
    """See the module. Handlers run in the primary's own thread."""

    name = "scripted"

    def __init__(self, lab, zones: dict[str, str], *, addr: str = "127.0.0.1",
                 key: tuple[str, str, str] | None = None):
        self.lab, self.addr, self.port = lab, addr, lab.port(addr)
        self.set_key(key)
        self.requests: list[Request] = []
        self.connections = 0  # TCP, accepted so far
        self._records: dict[str, list[bytes]] = {}
        self._handlers: dict[str, Handler] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends: asyncio.Event | None = None
        for apex, text in zones.items():
            self.set_zone(apex, text)

    # --- the script --------------------------------------------------------------------------

    def set_key(self, key: tuple[str, str, str] | None) -> None:
        """Sign with this key from now on; what is signed otherwise, or though there is none, is refused."""
        self.key = key
        self._keyring = dns.tsigkeyring.from_text({key[0]: (key[1], key[2])}) if key else None

    def set_zone(self, apex: str, text: str) -> None:
        """Serve this text as the zone from now on."""
        self.set_records(apex, wire.records(text, apex))

    def set_records(self, apex: str, records: list[bytes]) -> None:
        """The same, of records in wire form, the SOA first."""
        with self._lock:
            self._records[apex.lower()] = records

    def on(self, kind: str, handler: Handler | list | None) -> None:
        """Override a kind of request with a handler or fixed steps; None: as usual again."""
        with self._lock:
            if handler is None:
                self._handlers.pop(kind, None)
            elif callable(handler):
                self._handlers[kind] = handler
            else:
                self._handlers[kind] = lambda _r, steps=list(handler): steps

    def log(self, apex: str | None = None) -> list[str]:
        """What was asked so far: "SOA udp", "SOA tcp", "AXFR tcp" ..., in order."""
        return [f"{r.kind} {r.via}" for r in list(self.requests) if apex in (None, r.apex)]

    def count(self, kind: str) -> int:
        """How many requests of a kind ("AXFR", "SOA udp") came so far."""
        return sum(kind in (r.kind, f"{r.kind} {r.via}") for r in list(self.requests))

    def wait_for(self, kind: str, deadline_s: float, count: int = 1) -> None:
        self.lab.wait(lambda: self.count(kind) >= count, deadline_s,
                      f"{count} x {kind} asked of the scripted primary; had {self.log()}")

    def notify(self, to, apex: str, serial: int | None = None, *, source: str | None = None,
               tcp: bool = False, timeout: float = dnsio.TIMEOUT_S) -> dns.message.Message:
        """Send NOTIFY for apex to a Secd (or anything with addr and port); the answer to it.
        source is the loopback address it comes from. With a serial, its SOA is the hint."""
        return notify(to.addr, to.port, apex, serial, source=source, tcp=tcp, timeout=timeout)

    # --- its life ----------------------------------------------------------------------------

    def start(self) -> None:
        if self._thread:
            return
        self.lab.release(self.port)
        ready: list = []
        done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready, done), daemon=True)
        self._thread.start()
        done.wait(5)
        if ready != ["ok"]:
            raise OSError(f"scripted primary on {self.addr}@{self.port}: {ready}")

    def stop(self) -> None:
        """Close the sockets and every connection. start() opens the same port again."""
        if self._thread:
            self._loop.call_soon_threadsafe(self._ends.set)
            self._thread.join(5)
            self._thread = None

    kill = close = stop

    def wait_ready(self, deadline_s: float = 5) -> None:
        self.start()

    def _run(self, ready: list, done: threading.Event) -> None:
        try:
            asyncio.run(self._main(ready, done))
        except OSError as e:
            ready[:] = [e]
        finally:
            done.set()

    async def _main(self, ready: list, done: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ends = asyncio.Event()
        outer = self

        class Udp(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, addr):
                task = outer._loop.create_task(outer._serve_udp(self.transport, data, addr))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        tasks: set[asyncio.Task] = set()

        async def serve_tcp(reader, writer):
            task = asyncio.current_task()
            tasks.add(task)
            try:
                await self._serve_tcp(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.transport.abort()

        udp, _ = await self._loop.create_datagram_endpoint(Udp, local_addr=(self.addr, self.port))
        tcp = await asyncio.start_server(serve_tcp, self.addr, self.port, backlog=1000)
        ready.append("ok")
        done.set()
        await self._ends.wait()
        tcp.close()
        udp.abort()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- requests ----------------------------------------------------------------------------

    def _read(self, data: bytes, via: str, peer: tuple) -> Request:
        r = Request(self, via, data, peer)
        try:
            r.msg = dns.message.from_wire(data, keyring=self._keyring or False)
        except (dns.exception.DNSException, AttributeError):  # the latter: signed, and there is no key
            r.kind, r.ident = "UNREADABLE", int.from_bytes(data[:2], "big")
        else:
            r.ident = r.msg.id
            if r.msg.question:
                q = r.msg.question[0]
                end = 12 + len(q.name.to_wire()) + 4
                r.question = data[12:end]
                r.apex = q.name.to_text().lower()
                r.kind = dns.rdatatype.to_text(q.rdtype)
            if r.msg.opcode() != dns.opcode.QUERY:
                r.kind = dns.opcode.to_text(r.msg.opcode())
        with self._lock:
            r.records = list(self._records.get(r.apex, ()))
        self.requests.append(r)
        return r

    def _steps(self, r: Request) -> list:
        """What to do about a request, signed where it must be."""
        if not self.key:
            return self._bare_steps(r)
        signer = r.signer()
        return [Plain(signer.sign(s.msg)) if isinstance(s, Send) else s
                for s in self._bare_steps(r)]

    def _bare_steps(self, r: Request) -> list:
        with self._lock:
            handler = self._handlers.get(f"{r.kind} {r.via}") or self._handlers.get(r.kind)
        steps = handler(r) if handler else None
        if steps is not None:
            return steps
        if r.kind == "NOTIFY":
            return [Send(r.answer(flags=wire.AA | 4 << 11))]
        if not r.records:
            return [Send(r.answer(flags=0, rcode=5))]
        if r.kind == "SOA":
            return [Send(r.soa())]
        if r.kind == "AXFR" and r.via == "tcp":
            return r.axfr()
        return [Send(r.answer(flags=0, rcode=5))]

    async def _serve_udp(self, transport, data: bytes, peer: tuple) -> None:
        for step in self._steps(self._read(data, "udp", peer)):
            if isinstance(step, (Send, Plain)):
                transport.sendto(step.msg, peer)
            elif isinstance(step, Raw):
                transport.sendto(step.data, peer)
            elif isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            else:
                return

    async def _serve_tcp(self, reader, writer) -> None:
        self.connections += 1
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = writer.get_extra_info("peername")
        while True:
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            r = self._read(await reader.readexactly(size), "tcp", peer)
            for step in self._steps(r):
                if isinstance(step, (Send, Plain)):
                    writer.write(wire.frame(step.msg))
                elif isinstance(step, Raw):
                    writer.write(step.data)
                elif isinstance(step, Drip):
                    for i in range(len(step.data)):
                        writer.write(step.data[i:i + 1])
                        await writer.drain()
                        await asyncio.sleep(step.pause)
                elif isinstance(step, Wait):
                    await writer.drain()
                    await asyncio.sleep(step.seconds)
                elif step == CLOSE:
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
                    return
                elif step == RESET:
                    await writer.drain()
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return
                elif step == STALL:
                    await self._hold(reader)
                    return
                elif step == IGNORE:
                    break
                await writer.drain()

    @staticmethod
    async def _hold(reader) -> None:
        """Say nothing until the peer closes."""
        while await reader.read(65536):
            pass


def notify_wire(apex: str, serial: int | None = None, *, ident: int = 0x4e4f, qtype="SOA",
                flags: int = wire.AA) -> bytes:
    """A NOTIFY (RFC 1996 3)."""
    answers = [wire.soa(apex, serial)] if serial is not None else []
    return wire.message(ident, 4 << 11 | flags, [wire.question(apex, qtype)], answers)


def notify(addr: str, port: int, apex: str, serial: int | None = None, *,
           source: str | None = None, tcp: bool = False,
           timeout: float = dnsio.TIMEOUT_S) -> dns.message.Message:
    send = dnsio.tcp_raw if tcp else dnsio.udp_raw
    got = send(addr, port, notify_wire(apex, serial), timeout=timeout, source=source)
    return dns.message.from_wire(got)
