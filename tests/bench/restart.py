"""Restarts without a primary: what each server has saved, and how soon all of it is served again.

Each server follows the bench's primary until it serves a set and has saved it in its own way. Then
the primary ends, and then the server, by SIGTERM. In each life after that it has its directory
alone. Its files are read before, so that they are in the page cache, whatever the kernel has made
of them meanwhile: what is measured is the server, not the disk.
"""
from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import dnswire
import measure
import servers
import zones
from report import Results
from servers import HOST, BenchError, Server

SETS = ("names", "zones")
SAMPLE = 256      # zones that are watched while a server comes back
PATIENCE_S = 120  # for a server to end, and to have written its files

# The lives of a round: what a row is called, whether on any core, and how that life ends.
LIVES = (("", False, signal.SIGTERM),)
OUR_LIVES = (("", False, signal.SIGKILL), (", killed before", False, signal.SIGTERM),
             (", on any core", True, signal.SIGTERM))


# --- what the peers save, with the settings that come back soonest --------------------------------


class KeptKnot(servers.Knot):
    """The whole zone in the journal, which is read faster than a zone file."""

    keeps = """journal-content: all
    zonefile-load: none
    zonefile-sync: -1
    journal-max-usage: 2G"""


class KeptNsd(servers.Nsd):
    """Zone files, written within seconds of a change."""

    keeps = "zonefiles-write: 2"
    zonefile = 'zonefile: "%s.zone"'

    def save(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while not all((self.dir / f"{a}.zone").exists() for a in self.data.apexes):
            if time.monotonic() > end:
                raise BenchError(f"{self.name} has not written its zone files")
            time.sleep(0.5)
        self.settle(PATIENCE_S)


class KeptBind(servers.Bind):
    """Files in raw form; those that are not written yet are on its way out."""

    keeps = "flush-zones-on-shutdown yes;"


class Pdns(servers.Server):
    """PowerDNS with LMDB, a secondary. To transfer the many small zones takes it longer than we
    wait: 2 ms each when there are 20,000, and more the more there are."""

    name, binary, version_argv = "pdns", "pdns_server", ["--version"]
    kinds = ("names", "tld", "tld-signed", "root")

    @classmethod
    def path(cls) -> str | None:
        have = shutil.which("pdnsutil") and any(
            pathlib.Path("/usr/lib").glob("*/pdns/liblmdbbackend.so"))
        return super().path() if have else None

    def configure(self) -> None:
        self.write("pdns.conf", f"""\
launch=lmdb
lmdb-filename={self.dir}/db
local-address={HOST}
local-port={self.port}
socket-dir={self.dir}
secondary=yes
secondary-check-signature-freshness=no
receiver-threads=1
distributor-threads=1
xfr-max-received-mbytes=2000
xfr-cycle-interval=5
zone-cache-refresh-interval=0
loglevel=3
""")
        for apex in self.data.apexes:
            out = subprocess.run(["pdnsutil", f"--config-dir={self.dir}", "create-secondary-zone",
                                  apex or ".", f"{HOST}:{self.primary_port}"],
                                 capture_output=True, text=True, check=False)
            if out.returncode != 0:
                raise BenchError(f"pdnsutil: {out.stderr[-500:]}")

    def argv(self) -> list[str]:
        return [self.path(), f"--config-dir={self.dir}"]


PEERS: tuple[type[Server], ...] = (KeptKnot, KeptNsd, KeptBind, servers.Yadifa, Pdns)


# --- sizes ----------------------------------------------------------------------------------------


def wire_size(data: zones.Data) -> int:
    """Octets of all records, with their names in full. In a pack each owner but the root's ends
    with a pointer to the apex, and no other name is compressed (pack.h)."""
    total = 0
    with open(data.pack, "rb") as f:
        while head := f.read(24):
            kind, apex, soa, _start, serial, records, size = struct.unpack("!cBHIIIQ", head)
            body = f.read(apex + soa + size)[apex + soa:]
            if kind != b"A" or serial != 1:
                continue
            pos = 0
            while pos < size:
                length, = struct.unpack_from("!H", body, pos)
                total += length - 12 - apex - 4
                pos += 2 + length
            total += records * (apex - 2) - soa  # the SOA ends it, too
    return total


def disk_size(server: Server) -> int:
    """Octets that its files take on disk, but for those of its settings."""
    return sum(f.lstat().st_blocks * 512 for f in server.dir.rglob("*")
               if f not in server.given and f.name != "output" and not f.is_dir())


# --- coming back ----------------------------------------------------------------------------------


def sample(server: Server) -> list[bytes]:
    """Zones from all over the set, its first and its last among them."""
    apexes = server.data.apexes
    chosen = apexes[::max(1, len(apexes) // SAMPLE)]
    return [dnswire.name(a) for a in dict.fromkeys([*chosen, apexes[-1]])]


def come_back(server: Server, deadline_s: float) -> tuple[int, int]:
    """Ask for a sample of the zones until all of them are served: when the first one was and when
    the last (CLOCK_MONOTONIC, ns). Asking for every zone all the time would be most of the work."""
    waiting, first, ident, end = sample(server), 0, 0, time.monotonic() + deadline_s
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((HOST, server.port))
        s.settimeout(0.25)
        while waiting:
            if not server.alive():
                raise BenchError(f"{server.name} has ended: {server.log_end()}")
            if time.monotonic() > end:
                raise BenchError(f"{server.name} is not back within {deadline_s:.0f} s: "
                                 f"{server.log_end()}")
            ident = ident + 1 & 0xffff
            try:
                s.send(dnswire.soa_query(waiting[0], ident))
                answer = s.recv(4096)
                while answer[:2] != ident.to_bytes(2, "big"):
                    answer = s.recv(4096)
                if dnswire.soa_serial(answer) == 1:
                    first = first or time.monotonic_ns()
                    waiting.pop(0)
                    continue
            except (TimeoutError, ConnectionError):
                pass
            if not first:
                waiting.append(waiting.pop(0))
            time.sleep(0.0005)
    return first, time.monotonic_ns()


def warm(server: Server) -> None:
    """Have its files in the page cache."""
    for path in server.dir.rglob("*"):
        if path.is_file():
            with open(path, "rb", buffering=0) as f:
                while f.read(1 << 20):
                    pass


def late(server: Server, deadline_s: float) -> bool:
    """Ask for every zone until all are served: was one of them not, at first?"""
    waiting, end = dict(enumerate(map(dnswire.name, server.data.apexes))), 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((HOST, server.port))
        s.settimeout(0.25)
        while waiting:
            if end and time.monotonic() > end:
                raise BenchError(f"{server.name} lacks {len(waiting)} of "
                                 f"{len(server.data.apexes)} zones after {deadline_s:.0f} s")
            todo = list(waiting.items())
            for start in range(0, len(todo), 100):
                server.ask_some(s, todo[start:start + 100], 1, waiting)
            if waiting and not end:
                end = time.monotonic() + deadline_s
    return end > 0


def live(opts: measure.Options, results: Results, server: Server, label: str,
         on_any_core: bool) -> None:
    """Start it on what it has saved, and measure until all of that is served."""
    name, about = server.name + label, f"restart {server.data.kind}"
    began = time.monotonic_ns()
    server.launch(on_any_core)
    first, last = come_back(server, opts.deadline)
    cpu = server.cpu_ns()
    if late(server, opts.deadline):
        last, cpu = time.monotonic_ns(), server.cpu_ns()
    results.add(about, "start until the first answer", "s", name, (first - began) / 1e9)
    results.add(about, "start until all are served", "s", name, (last - began) / 1e9)
    results.add(about, "cpu until all are served", "s", name, cpu / 1e9)
    server.settle()
    results.add(about, "memory after it", "MB", name, server.memory() / 1e6)


def turn_of(opts: measure.Options, results: Results, server: Server) -> None:
    """Its lives of a round. One that is not measured comes before, for a restart follows a life of
    the same server: a virtual machine may have to fetch from its host, page by page, the memory
    that another one gave back some time ago."""
    warm(server)
    server.launch()
    come_back(server, opts.deadline)
    server.end(signal.SIGTERM, PATIENCE_S)
    for label, on_any_core, how in OUR_LIVES if server.name == "secd" else LIVES:
        live(opts, results, server, label, on_any_core)
        server.end(how, PATIENCE_S)


def fill(opts: measure.Options, cls: type[Server], data: zones.Data,
         stack: contextlib.ExitStack) -> Server:
    """A server that has ended and holds the set on disk."""
    with measure.primary_of(opts, data) as primary:
        server = cls(opts.work, data, opts.core, primary.port)
        stack.callback(server.stop)
        server.configure()
        server.launch()
        measure.first_load(opts, server, primary)
        server.save()
    server.end(signal.SIGTERM, PATIENCE_S)
    return server


def sizes(results: Results, server: Server, wire: int) -> None:
    """What it holds on disk and in memory beside the set itself."""
    about, name = f"restart {server.data.kind}", server.name
    memory, disk = results.median(about, "memory after it", name), disk_size(server)
    results.add(about, "size on disk", "MB", name, disk / 1e6)
    results.add(about, "size on disk, of wire size", "", name, disk / wire)
    results.add(about, "memory after it, of wire size", "", name, memory * 1e6 / wire)


def restart_set(opts: measure.Options, results: Results, kinds: list[type[Server]],
                data: zones.Data) -> None:
    about, kept = f"restart {data.kind}", []
    with contextlib.ExitStack() as stack:
        for cls in kinds:
            if data.kind not in cls.kinds:
                continue
            results.say(f"{about}: {cls.name} loads")
            try:
                kept.append(fill(opts, cls, data, stack))
                results.settings[f"{cls.name}, {about}"] = kept[-1].settings
            except BenchError as e:
                results.note(f"{about}: {cls.name} left out: {e}")
        os.sync()  # what is still to be written then is not written while another is measured
        for round_no in range(opts.rounds):
            results.say(f"{about}: round {round_no + 1} of {opts.rounds}")
            first = round_no % max(1, len(kept))
            for server in kept[first:] + kept[:first]:
                try:
                    turn_of(opts, results, server)
                except BenchError as e:
                    results.note(f"{about}: {server.name} does not come back: {e}")
                    kept.remove(server)
                    server.stop()
        wire = wire_size(data)
        results.note(f"{about}: all records take {wire:,} octets on the wire")
        for server in kept:
            sizes(results, server, wire)


def restart(opts: measure.Options, results: Results, kinds: list[type[Server]]) -> None:
    """The measure: kinds are secd and the peers of PEERS that are wanted."""
    for kind in SETS:
        if kind in opts.sets:
            restart_set(opts, results, [k for k in kinds if k.transfers], opts.data(kind))
