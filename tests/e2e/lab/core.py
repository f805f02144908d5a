"""Lab: what one scenario owns, and the order in which it all ends."""
from __future__ import annotations

import pathlib
import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from typing import Any

import dns.message

from . import dnsio
from .procs import Child
from .secd import Secd, default_path

PAUSE_S = 0.005  # between two looks at a condition


class LabError(Exception):
    """The laboratory itself could not do what it was asked for."""


class Lab:
    """One scenario's private world. Use as a context manager, or call close()."""

    def __init__(self, name: str = "lab", seed: int | None = None, soak: bool = False):
        self.name = name
        self.seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
        self.rng = random.Random(self.seed)
        self.soak = soak
        self.secd_path = default_path()
        prefix = "secd-e2e-" + name.replace("/", "-")[:24] + "-"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.dir.chmod(0o755)
        self._children: list[Child] = []
        self._held: dict[int, list[socket.socket]] = {}
        self._at_end: list[Any] = []  # objects with close(), closed newest first
        self._made: dict[str, int] = {}

    def times(self, usual: int, soak: int) -> int:
        """How often something is repeated: a sanitized build is many times slower, and a quarter of the
        moments finds what it alone can find."""
        from .secd import sanitized
        if self.soak:
            return soak
        return max(2, usual // 4) if sanitized(self.secd_path) else usual

    # --- the parts ---------------------------------------------------------------------------

    def knot(self, zones, notify=(), **opts):
        """A knotd that serves zones (apex -> zone file or its text); it runs when this returns."""
        from .peers import Knot
        return self._primary(Knot, zones, notify, opts)

    def nsd(self, zones, notify=(), **opts):
        """The same with NSD."""
        from .peers import Nsd
        return self._primary(Nsd, zones, notify, opts)

    def named(self, zones, notify=(), **opts):
        """The same with BIND's named."""
        from .peers import Named
        return self._primary(Named, zones, notify, opts)

    def yadifa(self, zones, notify=(), **opts):
        """The same with YADIFA."""
        from .peers import Yadifa
        return self._primary(Yadifa, zones, notify, opts)

    def pdns(self, zones, notify=(), **opts):
        """The same with PowerDNS."""
        from .peers import Pdns
        return self._primary(Pdns, zones, notify, opts)

    def _primary(self, kind, zones, notify, opts):
        start = opts.pop("start", True)
        primary = kind(self, zones, list(notify), **opts)
        if start:
            primary.start()
            primary.wait_ready(15)
        return primary

    def secd(self, zones, **opts):
        """A secd that follows zones (apex -> list of primaries); it listens when this returns,
        unless start=False. Arguments: see Secd."""
        start = opts.pop("start", True)
        daemon = Secd(self, zones, **opts)
        self._at_end.append(daemon)
        if start:
            daemon.start()
        return daemon

    def scripted_primary(self, script=None, **opts):
        """A primary that does what no honest one does; see ScriptedPrimary."""
        from .scripted import ScriptedPrimary
        primary = ScriptedPrimary(self, script or {}, **opts)
        self._at_end.append(primary)
        primary.start()
        return primary

    # --- helpers -----------------------------------------------------------------------------

    def query(self, addr: str, port: int, name, rdtype="A", **opts) -> dns.message.Message:
        """Ask one question; the options are those of dnsio.ask()."""
        return dnsio.ask(addr, port, name, rdtype, **opts)

    def wait(self, condition: Callable[[], Any], deadline_s: float, what: str) -> Any:
        """Poll until condition() is truthy, and return that; AssertionError at the deadline.
        A query that times out within condition() counts as "not yet"."""
        end = time.monotonic() + deadline_s
        last: Exception | None = None
        while True:
            began = time.monotonic()
            try:
                got = condition()
                if got:
                    return got
                last = None
            except (TimeoutError, ConnectionError) as e:
                last = e
            if time.monotonic() >= end:
                raise AssertionError(f"not within {deadline_s} s: {what}"
                                     + (f" (last: {last!r})" if last else ""))
            # A costly look must not take the machine from what it waits for.
            time.sleep(max(PAUSE_S, time.monotonic() - began))

    def stays(self, condition: Callable[[], Any], for_s: float, what: str) -> None:
        """Look again and again for for_s seconds: condition() must be truthy each time."""
        end = time.monotonic() + for_s
        while True:
            assert condition(), f"did not stay so for {for_s} s: {what}"
            if time.monotonic() >= end:
                return
            time.sleep(PAUSE_S)

    def port(self, *addrs: str) -> int:
        """A port that is free for UDP and TCP on the addresses (127.0.0.1). It stays bound, so
        that nobody else gets it, until the process that wants it starts."""
        for _ in range(200):
            socks: list[socket.socket] = []
            port = 0
            try:
                for addr in addrs or ("127.0.0.1",):
                    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        s = socket.socket(family, kind)
                        socks.append(s)
                        s.bind((addr, port))
                        port = s.getsockname()[1]
            except OSError:
                for s in socks:
                    s.close()
                continue
            self._held[port] = socks
            return port
        raise LabError("no free port")

    def release(self, port: int) -> None:
        """Let go of a port() right before its user binds it."""
        for s in self._held.pop(port, []):
            s.close()

    @staticmethod
    def nobody() -> tuple[str, int]:
        """Where nobody listens, and no scenario that runs beside this one will."""
        return "127.9.9.9", 9

    def hold(self, addr: str, port: int) -> None:
        """Bind a port again whose user has ended, as far as it can be had: it will start once more, and
        no client of anybody's shall have the port meanwhile."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((addr, port))
            except OSError:
                s.close()
                continue
            self._held.setdefault(port, []).append(s)

    def unique(self, stem: str) -> str:
        """stem, stem-2, stem-3, ...: names for files and directories."""
        n = self._made[stem] = self._made.get(stem, 0) + 1
        return stem if n == 1 else f"{stem}-{n}"

    def spawn(self, argv: list[str], log: pathlib.Path, **opts) -> Child:
        """Start a process in its own group; what it prints goes to log. It ends with the lab."""
        child = Child(argv, log, **opts)
        self._children.append(child)
        return child

    # --- the end -----------------------------------------------------------------------------

    def finish(self) -> None:
        """End of a good run: every secd must stop as it should. Raises when one does not."""
        for thing in reversed(self._at_end):
            if hasattr(thing, "finish"):
                thing.finish()

    def close(self, keep: bool) -> None:
        """End everything, at once. The directory goes, unless keep."""
        for thing in reversed(self._at_end):
            thing.close()
        for child in self._children:
            child.kill_group()
        for port in list(self._held):
            self.release(port)
        if keep:
            print(f"kept: {self.dir}", flush=True)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, kind, value, trace) -> None:
        good = False
        try:
            if kind is None:
                self.finish()
                good = True
        finally:
            self.close(keep=not good)
