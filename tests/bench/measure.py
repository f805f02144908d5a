"""What is measured, and how: see scripts/bench. Each measure adds rows to the results."""
from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import dnswire
import servers
import zones
from report import Results
from servers import HOST, BenchError, Server

# Sets and what is asked of them, and what every answer's rcode must be (None: several).
QUERIES = {
    "names": {"uniform": 0, "zipf": 0, "nxdomain": 3},
    "tld": {"referral": 0, "nxdomain": 3},
    "tld-signed": {"referral": 0, "signed-referral": 0, "nxdomain": 3},
    "root": {"mix": None},
    "zones": {"existing": 0},
}
TRANSFERS = ("names", "tld", "tld-signed")  # one zone each, big


@dataclasses.dataclass
class Options:
    """How big, how often, where. The defaults are a whole run."""

    tools: pathlib.Path
    work: pathlib.Path          # a directory of this run alone
    cache: pathlib.Path         # made zones
    kinds: list[type[Server]]   # the servers, the reflector and secd first
    names: int = 1_000_000
    small_zones: int = 100_000
    made_queries: int = zones.QUERIES  # in a file
    count: int = 400_000        # answers that one figure is taken over
    warm_up: int = 50_000
    window: int = 256           # below what a default socket buffer holds
    rounds: int = 5
    rate: int = 20_000          # paced queries a second, and for how long
    seconds: float = 12
    sets: tuple[str, ...] = tuple(QUERIES)
    transfers: tuple[str, ...] = TRANSFERS
    notifies: int = 500         # during a sweep
    deadline: float = 240       # for a server to have loaded a set
    counted: int = 20_000       # queries under callgrind
    counted_names: int = 100_000
    core: int = 0
    load_core: int = 1

    def data(self, kind: str, size: int = 0) -> zones.Data:
        size = size or (self.small_zones if kind == "zones" else self.names)
        files = any(not k.transfers and k.name != "reflector" for k in self.kinds)
        return zones.get(self.cache, kind, size, self.made_queries, files)


class Primary:
    """The primary, as a process that obeys."""

    def __init__(self, opts: Options, data: zones.Data):
        self.port = servers.free_port()
        self._p = subprocess.Popen(
            servers.pinned(opts.load_core, [str(opts.tools / "primary"), f"{HOST}@{self.port}",
                                            str(data.pack)]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self._p.stdout.readline():
            raise BenchError("the primary did not start")

    def tell(self, command: str) -> dict:
        self._p.stdin.write(command + "\n")
        self._p.stdin.flush()
        return json.loads(self._p.stdout.readline())

    def notify(self, server: Server, apex: str) -> int:
        """NOTIFY: when the first was sent (CLOCK_MONOTONIC, ns)."""
        said = self.tell(f"notify {HOST}@{server.port} {apex or '.'}")
        if not said["acknowledged"]:
            raise BenchError(f"{server.name} does not acknowledge NOTIFY")
        return said["at_ns"]

    def stop(self) -> None:
        self._p.kill()
        self._p.wait()


@contextlib.contextmanager
def primary_of(opts: Options, data: zones.Data):
    primary = Primary(opts, data)
    try:
        yield primary
    finally:
        primary.stop()


def start(opts: Options, kind: type[Server], data: zones.Data, primary: Primary) -> Server:
    """The server, started; it may have nothing loaded yet. The caller stops it."""
    server = kind(opts.work, data, opts.core, primary.port)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server


def first_load(opts: Options, server: Server, primary: Primary) -> None:
    """Until it serves the first version of all its zones. One that has not asked after some
    seconds (a start that raced with something) is told to."""
    if server.name == "reflector":
        time.sleep(0.3)
        return
    patience = min(8.0, opts.deadline)
    try:
        server.loaded_ns = server.wait_serial(1, patience, sampling=True)
    except BenchError:
        if not server.alive():
            raise
        if server.transfers and len(server.data.apexes) == 1:
            primary.notify(server, server.data.apexes[0])
        server.loaded_ns = server.wait_serial(1, opts.deadline, sampling=True)
    if len(server.data.apexes) > 1:
        server.loaded_ns = server.wait_all(1, opts.deadline)
    server.hold()


def load_argv(opts: Options, server: Server, queries: pathlib.Path, *more: str) -> list[str]:
    """The load generator against a server; a little ahead of others of its core, if we may."""
    argv = [str(opts.tools / "load"), "-s", f"{HOST}@{server.port}", "-q", str(queries),
            "-p", ",".join(map(str, server.pids())), *more]
    if os.geteuid() == 0:
        argv = ["nice", "-n", "-10", *argv]
    return servers.pinned(opts.load_core, argv)


def loaded(argv: list[str]) -> dict:
    out = subprocess.run(argv, capture_output=True, text=True, check=False)
    if out.returncode != 0 or not out.stdout:
        raise BenchError(out.stderr.strip() or f"load ended with {out.returncode}")
    return json.loads(out.stdout)


def ask(opts: Options, results: Results, server: Server, what: str, round_no: int) -> None:
    """One figure: CPU per answer in a closed loop."""
    kind = server.data.kind
    measure = f"queries {kind} {what}"
    want = QUERIES[kind][what]
    said = loaded(load_argv(opts, server, server.data.queries(what), "-n", str(opts.count),
                            "-k", str(opts.warm_up), "-w", str(opts.window),
                            "-o", str(round_no * opts.count)))
    results.add(measure, "cpu per answer", "us", server.name, said["cpu_ns_per_answer"] / 1e3)
    if server.name == "reflector":
        return
    results.detail(measure, server.name, "octets per answer",
                   round(said["bytes"] / said["answered"]))
    other = {int(k): n for k, n in said["rcode"].items() if want is not None and int(k) != want}
    if other:
        results.note(f"{measure}: {server.name}: rcodes other than {want}: {other} of "
                     f"{said['answered']}")
    if said["lost"] > said["answered"] // 100:
        results.note(f"{measure}: {server.name}: {said['lost']} lost beside "
                     f"{said['answered']} answered")


def query_set(opts: Options, results: Results, kind: str) -> None:
    """All servers beside each other with one set; then rounds of all questions."""
    data = opts.data(kind)
    running: list[Server] = []
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(primary_of(opts, data))
        for cls in opts.kinds:
            if cls.name != "reflector" and kind not in cls.kinds:
                continue
            results.say(f"{kind}: {cls.name} loads")
            server = None
            try:
                primary.tell("stats")
                began = time.monotonic_ns()
                server = start(opts, cls, data, primary)
                stack.callback(server.stop)
                if cls.transfers and kind in TRANSFERS:
                    transfer_in(opts, results, server, primary)
                else:
                    first_load(opts, server, primary)
                    server.settle()
                if kind == "zones" and cls.name != "reflector":
                    count_zones(opts, results, server, began)
                running.append(server)
                if len(data.apexes) == 1:
                    results.settings.setdefault(cls.name, server.settings)
            except BenchError as e:
                results.note(f"{kind}: {cls.name} left out: {e}")
                if server:
                    server.stop()
        for what in QUERIES[kind]:
            for round_no in range(opts.rounds):
                results.say(f"{kind} {what}: round {round_no + 1} of {opts.rounds}")
                # Each round begins with another, so that none always follows the same one.
                turn = round_no % len(running)
                for server in running[turn:] + running[:turn]:
                    try:
                        server.hold()
                        ask(opts, results, server, what, round_no)
                    except BenchError as e:
                        results.note(f"{kind} {what}: {server.name} left out from round "
                                     f"{round_no + 1} on: {e} {server.log_end()}")
                        running.remove(server)


def count_zones(opts: Options, results: Results, server: Server, began: int) -> None:
    """The first full sync has ended."""
    results.add("zones", "started until all are served", "s", server.name,
                (server.loaded_ns - began) / 1e9)
    results.add("zones", "cpu until all are served", "s", server.name, server.cpu_ns() / 1e9)
    results.add("zones", "memory per zone", "B", server.name, server.memory() / opts.small_zones)


def queries(opts: Options, results: Results) -> None:
    for kind in opts.sets:
        query_set(opts, results, kind)


# --- a sweep: secd alone --------------------------------------------------------------------------


class Swept(servers.Secd):
    """All zones are due again within seconds: more than the primary's rate allows, where it has one."""

    max_refresh = "10"


class SweptSlowly(Swept):
    max_rate = 5000


def sweep(opts: Options, results: Results) -> None:
    """Small zones that are asked for all the time: how many questions a second, and how long a NOTIFY
    among them takes until its change is served."""
    data = opts.data("zones")
    for cls in (Swept, SweptSlowly):
        measure = f"sweep, {f'{cls.max_rate} a second' if cls.max_rate else 'any rate'}"
        results.say(measure)
        with primary_of(opts, data) as primary, contextlib.ExitStack() as stack:
            server = start(opts, cls, data, primary)
            stack.callback(server.stop)
            first_load(opts, server, primary)
            time.sleep(min(10.0, opts.seconds))  # by then all are due again
            primary.tell("stats")
            began, cpu, waits = time.monotonic(), server.cpu_ns(), []
            for apex in data.changing[:opts.notifies]:
                primary.tell(f"release {apex}")
                told = primary.notify(server, apex)
                served = server.wait_serial(2, 20, apex=dnswire.name(apex), pause_s=0.0005)
                waits.append((served - told) / 1e6)
            waits.sort()
            for key, share in (("p50", 0.5), ("p99", 0.99)):
                results.add(measure, f"NOTIFY until served, {key}", "ms", server.name,
                            waits[int(share * (len(waits) - 1))])
            took = time.monotonic() - began
            results.add(measure, "polls a second", "", server.name,
                        primary.tell("stats")["soas"] / took)
            results.add(measure, "cpu of a second", "s", server.name,
                        (server.cpu_ns() - cpu) / 1e9 / took)


# --- transfers, differences, loss: one life of a server each --------------------------------------


def transfer_in(opts: Options, results: Results, server: Server, primary: Primary) -> None:
    """From the first AXFR at the primary until the zone is served; memory behind it."""
    data = server.data
    first_load(opts, server, primary)
    stats = primary.tell("stats")
    measure = f"transfer {data.kind}"
    server.settle()
    results.add(measure, "AXFR until served", "s", server.name,
                (server.loaded_ns - stats["first_ns"]) / 1e9)
    results.add(measure, "cpu", "s", server.name, server.cpu_ns() / 1e9)
    results.add(measure, "memory per record", "B", server.name, server.memory() / data.records)
    results.add(measure, "memory per record at most", "B", server.name,
                server.memory_peak() / data.records)


def differences(_opts: Options, results: Results, server: Server, primary: Primary) -> None:
    """Versions 2, 3, ...: NOTIFY until served, CPU, and memory that stays."""
    data = server.data
    for serial, size in enumerate(data.deltas, 2):
        measure = f"ixfr of {size}"
        server.settle()
        memory, cpu = server.memory(), server.cpu_ns()
        primary.tell(f"serial {serial}")
        primary.tell("stats")
        told = primary.notify(server, data.apexes[0])
        served = server.wait_serial(serial, 60, pause_s=0.0005)
        stats = primary.tell("stats")
        server.settle()
        results.add(measure, "NOTIFY until served", "ms", server.name, (served - told) / 1e6)
        results.add(measure, "cpu", "ms", server.name, (server.cpu_ns() - cpu) / 1e6)
        results.add(measure, "memory growth", "kB", server.name, (server.memory() - memory) / 1e3)
        if stats["axfrs"]:
            results.note(f"{measure}: {server.name} took a whole AXFR")


def paced(opts: Options, server: Server) -> subprocess.Popen:
    argv = load_argv(opts, server, server.data.queries("uniform"), "-r", str(opts.rate),
                     "-t", str(opts.seconds))
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def loss(opts: Options, results: Results, server: Server, primary: Primary) -> None:
    """A fixed rate of queries, quiet and while the whole zone is replaced by AXFR."""
    data = server.data
    serial = len(data.deltas) + 2
    for when in ("quiet", "replaced"):
        server.settle()
        with paced(opts, server) as load:
            try:
                if when == "replaced":
                    time.sleep(opts.seconds / 8)
                    primary.tell(f"serial {serial}")
                    told = primary.notify(server, data.apexes[0])
                    served = server.wait_serial(serial, opts.seconds * 5, pause_s=0.01)
                    results.add("loss", "NOTIFY until served", "s", server.name,
                                (served - told) / 1e9)
                    if load.poll() is not None:
                        results.note(f"loss: {server.name}: replaced only after the load's end")
                out, err = load.communicate(timeout=opts.seconds + 60)
            finally:
                load.kill()
        if load.returncode != 0:
            raise BenchError(err.strip())
        said = json.loads(out)
        results.add("loss", f"lost, {when}", "", server.name, said["lost"])
        for key in ("p50", "p99", "p999"):
            results.add("loss", f"{key}, {when}", "us", server.name, said[f"{key}_us"])


def lives(opts: Options, results: Results, kind: str, parts: list) -> None:
    """Rounds of: start each server anew with one set, and measure the parts on it."""
    data = opts.data(kind)
    failed = set()
    for round_no in range(opts.rounds):
        for cls in opts.kinds:
            if not cls.transfers or cls in failed:
                continue
            results.say(f"transfer {kind}: {cls.name}, round {round_no + 1} of {opts.rounds}")
            with contextlib.ExitStack() as stack:
                primary = stack.enter_context(primary_of(opts, data))
                try:
                    server = start(opts, cls, data, primary)
                    stack.callback(server.stop)
                    for part in parts:
                        part(opts, results, server, primary)
                    results.settings.setdefault(cls.name, server.settings)
                except BenchError as e:
                    failed.add(cls)
                    results.note(f"transfer {kind}: {cls.name} left out: {e}")


# --- without sockets ------------------------------------------------------------------------------


def instructions(opts: Options, results: Results) -> None:
    """secd's own code in one process: instructions of the query path, time, and the build."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        results.note("instructions: valgrind is not installed")
    for kind, what in (("names", "uniform"), ("names", "nxdomain"), ("tld", "referral"),
                       ("tld-signed", "signed-referral")):
        if kind not in opts.sets:
            continue
        results.say(f"in process: {kind} {what}")
        if valgrind:
            small = opts.data(kind, opts.counted_names)
            results.add(f"in process {kind} {what}", "instructions per query", "", "secd",
                        count_instructions(opts, small, what))
        data = opts.data(kind)
        for _ in range(opts.rounds):
            out = subprocess.run(servers.pinned(opts.core, inproc_argv(opts, data, what,
                                                                       opts.count)),
                                 capture_output=True, text=True, check=False)
            if out.returncode != 0:
                raise BenchError(f"inproc: {out.stderr}")
            said = json.loads(out.stdout)
            measure = f"in process {kind} {what}"
            results.add(measure, "time per query", "ns", "secd", said["query_ns"])
            if what not in ("uniform", "referral", "signed-referral"):
                continue
            for size, us in said["deltas"].items():
                results.add(f"in process delta of {size}", "applied and published", "us", "secd", us)
            results.add(f"in process {kind}", "read and check a record", "ns", "secd",
                        said["feed_ns"])
            results.add(f"in process {kind}", "seal, per record", "ns", "secd", said["seal_ns"])
            results.add(f"in process {kind}", "gates, per record", "ns", "secd", said["check_ns"])
            results.add(f"in process {kind}", "pack, per record", "ns", "secd", said["pack_ns"])
            results.add(f"in process {kind}", "unpack, seal and gates, per record", "ns", "secd",
                        said["unpack_ns"])
            results.add(f"in process {kind}", "store per record", "B", "secd",
                        said["bytes_per_record"])


def inproc_argv(opts: Options, data: zones.Data, what: str, count: int) -> list[str]:
    return [str(opts.tools / "inproc"), str(data.pack), str(data.queries(what)), str(count)]


def count_instructions(opts: Options, data: zones.Data, what: str) -> float:
    """Of answer_batch() alone, per query."""
    argv = ["valgrind", "--tool=callgrind", "--toggle-collect=answer_batch",
            f"--callgrind-out-file={opts.work / 'callgrind.out'}",
            *inproc_argv(opts, data, what, opts.counted)]
    out = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", out.stderr)
    if out.returncode != 0 or not found:
        raise BenchError(f"callgrind: {out.stderr[-500:]}")
    return int(found[1]) / opts.counted
