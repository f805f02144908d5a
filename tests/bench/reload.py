"""One zone more: written into the settings of a server that runs, which is told to read them again.

All servers have the many small zones from one primary, but for the last few: each round adds one of
these, which the primary has from the start. A client asks all the while, one question at a time, for
the new zone and for others in turn. BIND is left out, since it does not come up with so many zones
in time, and so is YADIFA, which by SIGHUP does not come to serve a zone that is new to it.
Not measured is how NSD and Knot DNS add a zone by a command, without reading all settings again. The
CPU is also that of the answers to the client: some milliseconds.
"""
from __future__ import annotations

import contextlib
import copy
import itertools
import os
import shutil
import socket
import subprocess
import time

import dnswire
import measure
import restart
import servers
from report import Results
from servers import HOST, BenchError, Server

ABOUT = "reload zones"
TRY_S = 0.25     # for an answer; then the question is asked again
PAUSE_S = 0.001  # between questions, so that answering them is little of what the server does
AFTER_S = 0.2    # the client goes on once the zone is served: more may still be under way


class ToldNsd(servers.Nsd):
    """With a control socket. nsd-control has settings of its own: to read all zones takes it time."""

    @property
    def control(self) -> str:
        return f'control-enable: yes\n    control-interface: "{self.dir}/control"'

    @classmethod
    def path(cls) -> str | None:
        return super().path() if cls.control_path() else None

    @staticmethod
    def control_path() -> str | None:
        return shutil.which("nsd-control", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def configure(self) -> None:
        super().configure()
        self.write("control.conf", f"remote-control:\n    {self.control}\n")

    def reload(self) -> subprocess.Popen | None:
        argv = [self.control_path(), "-c", str(self.dir / "control.conf"), "reconfig"]
        with open(self.dir / "output", "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


PEERS: tuple[type[Server], ...] = (servers.Knot, ToldNsd)


def serves(s: socket.socket, apex: bytes, ident: int) -> bool:
    """One question: is the answer there in time, with the zone's first version?"""
    try:
        s.send(dnswire.soa_query(apex, ident))
        answer = s.recv(4096)
        while answer[:2] != ident.to_bytes(2, "big"):
            answer = s.recv(4096)
        return dnswire.soa_serial(answer) == 1
    except (TimeoutError, ConnectionError):
        return False


def watch(server: Server, added: bytes, deadline_s: float) -> tuple[int, int]:
    """Ask until a while after the zone is served: when that was (CLOCK_MONOTONIC, ns), and how long
    at most one of the others was not answered for, from the first try on (ns)."""
    served, silence, end = 0, 0, time.monotonic() + deadline_s
    others, idents = itertools.cycle(restart.sample(server)), itertools.cycle(range(1 << 16))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((HOST, server.port))
        s.settimeout(TRY_S)
        while time.monotonic() < end:
            since, other = time.monotonic_ns(), next(others)
            if not served and serves(s, added, next(idents)):
                served, end = time.monotonic_ns(), time.monotonic() + AFTER_S
            while not serves(s, other, next(idents)):
                if not server.alive():
                    raise BenchError(f"{server.name} has ended: {server.log_end()}")
                if time.monotonic() > end + deadline_s:
                    raise BenchError(f"{server.name} does not answer any more")
            silence = max(silence, time.monotonic_ns() - since)
            time.sleep(PAUSE_S)
    if not served:
        raise BenchError(f"{server.name} did not serve the zone within {deadline_s:.0f} s: "
                         f"{server.log_end()}")
    return served, silence


def add_zone(opts: measure.Options, results: Results, server: Server, apex: str) -> None:
    """Write it into the settings, have them read, and measure until it is served."""
    server.settle()
    with open(server.dir / server.lists, "a", encoding="ascii") as f:
        f.write(server.entry(apex))
    cpu, began = server.cpu_ns(), time.monotonic_ns()
    command = server.reload()
    served, silence = watch(server, dnswire.name(apex), opts.deadline)
    if command and command.wait(opts.deadline):
        raise BenchError(f"{server.name} was told in vain: {server.log_end()}")
    server.settle()
    results.add(ABOUT, "one zone added, until it is served", "s", server.name, (served - began) / 1e9)
    results.add(ABOUT, "longest silence meanwhile", "s", server.name, silence / 1e9)
    results.add(ABOUT, "cpu spent on it", "s", server.name, (server.cpu_ns() - cpu) / 1e9)


def load_all(opts: measure.Options, results: Results, kinds: list[type[Server]], added: int,
             stack: contextlib.ExitStack) -> list[Server]:
    """The servers beside each other, with all zones but the last."""
    data, running = copy.copy(opts.data("zones")), []
    primary = stack.enter_context(measure.primary_of(opts, data))
    data.apexes = data.apexes[:-added]
    for cls in kinds:
        results.say(f"{ABOUT}: {cls.name} loads")
        try:
            server = measure.start(opts, cls, data, primary)
            stack.callback(server.stop)
            measure.first_load(opts, server, primary)
            server.settle(restart.PATIENCE_S)
            results.settings[f"{cls.name}, {ABOUT}"] = server.settings
            running.append(server)
        except BenchError as e:
            results.note(f"{ABOUT}: {cls.name} left out: {e}")
    return running


def rounds(opts: measure.Options, results: Results, running: list[Server]) -> None:
    for round_no, apex in enumerate(opts.data("zones").apexes[-opts.rounds:]):
        results.say(f"{ABOUT}: round {round_no + 1} of {opts.rounds}")
        turn = round_no % max(1, len(running))
        for server in running[turn:] + running[:turn]:
            try:
                server.hold()
                add_zone(opts, results, server, apex)
            except BenchError as e:
                results.note(f"{ABOUT}: {server.name} left out from round {round_no + 1} on: {e}")
                running.remove(server)


def reload(opts: measure.Options, results: Results, kinds: list[type[Server]]) -> None:
    """The measure: kinds are secd and the peers of PEERS that are wanted. The client keeps off the
    servers' core, as load and primary do."""
    ours = os.sched_getaffinity(0)
    with contextlib.ExitStack() as stack:
        running = load_all(opts, results, [k for k in kinds if k.transfers], opts.rounds, stack)
        os.sched_setaffinity(0, {opts.load_core})
        stack.callback(os.sched_setaffinity, 0, ours)
        rounds(opts, results, running)
