"""The servers: settings for one worker on one core, started, watched, stopped.

Each follows the bench's primary as a secondary (gdnsd, which can't, reads master files). The
settings are the fastest that each server documents for a secondary: nothing logged, no rate
limit, minimal answers, no copy on disk where it can be left out.
"""
from __future__ import annotations

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import dnswire as w
from zones import Data

HOST = "127.0.0.1"


class BenchError(Exception):
    """What was to be measured did not come about."""


def free_port() -> int:
    """A port that is free for UDP and TCP now, and that nobody gets who asks for any: a server that
    ends and starts again wants to find it free."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            at = (HOST, random.randrange(lowest // 2, lowest))
            try:
                tcp.bind(at)
                udp.bind(at)
            except OSError:
                continue
            return at[1]
    raise BenchError("no free port")


def pinned(core: int | None, argv: list[str]) -> list[str]:
    """The command on one core, or wherever it likes; the kernel ends it with us."""
    on = [] if core is None else ["taskset", "-c", str(core)]
    return ["setpriv", "--pdeathsig", "KILL", *on, *argv]


class Server:
    """One server with one set of zones. A subclass says how it is set up."""

    name = ""
    binary = ""             # looked for in PATH and the sbin directories
    version_argv: list[str] = ["-V"]
    transfers = True        # follows a primary
    kinds: tuple[str, ...] = ("names", "tld", "tld-signed", "root", "zones")
    keeps = ""              # settings that say what it saves, where they are another class's choice
    lists = ""              # the file that its zones stand in, at the end, if one can be added there

    def __init__(self, where: pathlib.Path, data: Data, core: int, primary_port: int = 0):
        self.data, self.core, self.primary_port = data, core, primary_port
        self.port = free_port()
        self.dir = where / f"{self.name}-{self.port}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self._p: subprocess.Popen | None = None
        self.peak = 0  # octets, the most that sample() saw
        self.settings = ""
        self.given: set[pathlib.Path] = set()  # files that hold settings
        self.loaded_ns = 0  # when it first served everything, CLOCK_MONOTONIC

    # --- what a subclass says ----------------------------------------------------------------

    def configure(self) -> None:
        """Write the settings below self.dir."""

    def entry(self, apex: str) -> str:
        """A zone as it stands in the file that lists says."""
        raise NotImplementedError

    def argv(self) -> list[str]:
        raise NotImplementedError

    @classmethod
    def path(cls) -> str | None:
        return shutil.which(cls.binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    @classmethod
    def version(cls) -> str:
        out = subprocess.run([cls.path(), *cls.version_argv], capture_output=True, text=True,
                             check=False)
        found = re.search(r"\d+\.\d[\w.+:~-]*", out.stdout + out.stderr)
        return found[0] if found else "?"

    # --- life --------------------------------------------------------------------------------

    def write(self, file: str, text: str) -> pathlib.Path:
        path = self.dir / file
        path.write_text(text)
        self.given.add(path)
        self.settings = max(self.settings, text, key=len)
        return path

    def entries(self) -> str:
        return "".join(map(self.entry, self.data.apexes))

    def start(self) -> None:
        self.configure()
        self.launch()

    def launch(self, on_any_core: bool = False) -> None:
        """Start it on what its directory holds."""
        argv = pinned(None if on_any_core else self.core, self.argv())
        with open(self.dir / "output", "ab") as log:
            self._p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.dir, process_group=0)

    def reload(self) -> subprocess.Popen | None:
        """Have it read its settings again. If that takes a command, it runs on."""
        self._p.send_signal(signal.SIGHUP)
        return None

    def end(self, how: signal.Signals, deadline_s: float) -> None:
        """End it by one signal, with all that it has started; its directory stays."""
        group = self._p.pid
        try:
            self._p.send_signal(how)
            self._p.wait(deadline_s)
        except subprocess.TimeoutExpired as e:
            raise BenchError(f"{self.name} goes on {deadline_s:.0f} s after {how.name}") from e
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            self._p.wait()
        self._p = None

    def alive(self) -> bool:
        return self._p is not None and self._p.poll() is None

    def stop(self) -> None:
        """End it and whatever it has started; its directory goes, too."""
        if self._p:
            self._end_group()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _end_group(self) -> None:
        for sig, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            try:
                os.killpg(self._p.pid, sig)
            except ProcessLookupError:
                break
            try:
                self._p.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        try:  # children that outlived their parent
            os.killpg(self._p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._p = None

    def log_end(self) -> str:
        try:
            return (self.dir / "output").read_text(errors="replace")[-1500:]
        except OSError:
            return ""

    # --- watching ----------------------------------------------------------------------------

    def pids(self) -> list[int]:
        """Its processes, all of one group."""
        if not self._p:
            return []
        out, todo = [], [self._p.pid]
        while todo:
            pid = todo.pop()
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    todo += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children")
                                .read_text().split())
            except OSError:
                continue
            out.append(pid)
        return out

    def hold(self) -> None:
        """Keep every thread on the core, also of a server that chooses cores for itself."""
        for pid in self.pids():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    if os.sched_getaffinity(int(task)) != {self.core}:
                        os.sched_setaffinity(int(task), {self.core})
            except OSError:
                continue

    def cpu_ns(self) -> int:
        """CPU time of all its processes, and of children that have ended."""
        total = 0
        for pid in self.pids():
            try:
                total += time.clock_gettime_ns(~pid << 3 | 2)  # the process's CPU clock
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += (int(fields[13]) + int(fields[14])) * 10_000_000
            except OSError:
                continue
        return total

    def memory(self) -> int:
        """Octets of memory held now; what processes share counts once."""
        total = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024
            except (OSError, TypeError):
                continue
        return total

    def memory_peak(self) -> int:
        """The most it ever held: the kernel's mark if it is one process, else what we saw."""
        pids = self.pids()
        self.sample()
        if len(pids) != 1:
            return self.peak
        text = pathlib.Path(f"/proc/{pids[0]}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+)", text, re.M)[1]) * 1024

    def sample(self) -> None:
        self.peak = max(self.peak, self.memory())

    def settle(self, deadline_s: float = 10) -> None:
        """Until it has nothing left to do (a fiftieth of the core)."""
        end, before = time.monotonic() + deadline_s, self.cpu_ns()
        while time.monotonic() < end:
            time.sleep(0.25)
            now = self.cpu_ns()
            if now - before < 5_000_000:
                return
            before = now

    def save(self) -> None:
        """Until what it saves is saved."""
        self.settle()

    # --- asking ------------------------------------------------------------------------------

    def apex(self, i: int = 0) -> bytes:
        return w.name(self.data.apexes[i])

    def wait_serial(self, serial: int, deadline_s: float, *, apex: bytes | None = None,
                    pause_s: float = 0.002, sampling: bool = False) -> int:
        """Ask for the SOA until it has the serial: when that was (CLOCK_MONOTONIC, ns)."""
        apex = self.apex() if apex is None else apex
        end, ident, seen = time.monotonic() + deadline_s, 0, time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((HOST, self.port))
            s.settimeout(0.25)
            while time.monotonic() < end:
                if not self.alive():
                    raise BenchError(f"{self.name} has ended: {self.log_end()}")
                ident = ident + 1 & 0xffff
                try:
                    s.send(w.soa_query(apex, ident))
                    answer = s.recv(4096)
                    while answer[:2] != ident.to_bytes(2, "big"):
                        answer = s.recv(4096)
                    if w.soa_serial(answer) == serial:
                        return time.monotonic_ns()
                except (TimeoutError, ConnectionError):
                    pass
                time.sleep(pause_s)
                if sampling and time.monotonic() - seen > 0.2:
                    self.sample()
                    seen = time.monotonic()
        raise BenchError(f"{self.name} did not serve serial {serial} within {deadline_s:.0f} s: "
                         f"{self.log_end()}")

    def wait_all(self, serial: int, deadline_s: float) -> int:
        """The same for every zone: when the last of them was served."""
        waiting = dict(enumerate(map(w.name, self.data.apexes)))
        end = time.monotonic() + deadline_s
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((HOST, self.port))
            s.settimeout(0.1)
            while waiting and time.monotonic() < end:
                before = len(waiting)
                todo = list(waiting.items())
                for start in range(0, len(todo), 100):
                    self.ask_some(s, todo[start:start + 100], serial, waiting)
                    if len(waiting) == before:
                        break  # none of the first hundred: it is not that far yet
                if waiting:
                    time.sleep(0.05)
        if waiting:
            raise BenchError(f"{self.name} serves {len(self.data.apexes) - len(waiting)} of "
                             f"{len(self.data.apexes)} zones after {deadline_s:.0f} s")
        return time.monotonic_ns()

    @staticmethod
    def ask_some(s: socket.socket, chunk: list[tuple[int, bytes]], serial: int,
                  waiting: dict[int, bytes]) -> None:
        """Ask for each zone of chunk; take those that are served off waiting."""
        asked = {}
        try:
            for number, apex in chunk:
                asked[number & 0xffff] = number
                s.send(w.soa_query(apex, number & 0xffff))
            for _ in chunk:
                answer = s.recv(4096)
                number = asked.get(int.from_bytes(answer[:2], "big"))
                if number is not None and w.soa_serial(answer) == serial:
                    waiting.pop(number, None)
        except (TimeoutError, ConnectionError):
            pass


class Reflector(Server):
    """The floor."""

    name = "reflector"
    transfers = False
    binary = "reflector"
    tools = pathlib.Path()

    @classmethod
    def path(cls) -> str | None:
        return str(cls.tools.absolute() / "reflector")

    @classmethod
    def version(cls) -> str:
        return "-"

    def argv(self) -> list[str]:
        return [self.path(), f"{HOST}@{self.port}"]


class Secd(Server):
    """secd: one worker; the rest is its default."""

    name = "secd"
    lists = "zones"
    file = pathlib.Path()
    max_rate = 0         # of questions to the primary; 0: any
    max_refresh = ""     # of all zones; "": as their SOA says

    @classmethod
    def path(cls) -> str | None:
        return str(cls.file.absolute())

    def entry(self, apex: str) -> str:
        return f"{apex or '.'} all\n"

    def configure(self) -> None:
        (self.dir / "state").mkdir()
        self.write("zones", self.entries())
        refresh = f"max-refresh = {self.max_refresh}\n" if self.max_refresh else ""
        user = "user = root\n" if os.geteuid() == 0 else ""
        self.write("secd.ini", f"""\
[server]
listen = {HOST}@{self.port}
workers = 1
{user}state-dir = {self.dir / "state"}
control =
[log]
level = warn
[primary bench]
address = {HOST}@{self.primary_port}
max-rate = {self.max_rate}
[group all]
primaries = bench
{refresh}[include]
zone-list = zones
""")

    def argv(self) -> list[str]:
        return [self.path(), "-c", str(self.dir / "secd.ini")]


class Knot(Server):
    """Knot DNS: no journal, no zone file, no check that is not asked for."""

    name, binary = "knot", "knotd"
    keeps = "journal-content: none\n    zonefile-load: none\n    zonefile-sync: -1"
    lists = "knot.conf"

    def entry(self, apex: str) -> str:
        return f"  - domain: {apex or '.'}\n"

    def configure(self) -> None:
        self.write("knot.conf", f"""\
server:
    rundir: {self.dir}
    listen: {HOST}@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: 1232
    tcp-remote-io-timeout: 0
database:
    storage: {self.dir}
log:
  - target: stderr
    any: error
remote:
  - id: bench
    address: {HOST}@{self.primary_port}
acl:
  - id: bench
    address: {HOST}
    action: notify
template:
  - id: default
    storage: {self.dir}
    master: bench
    acl: bench
    {self.keeps}
    semantic-checks: off
zone:
{self.entries()}""")

    def argv(self) -> list[str]:
        return [self.path(), "-c", str(self.dir / "knot.conf")]


class Nsd(Server):
    """NSD: one server process, no database, no zone files written, reload at once."""

    name, binary, version_argv = "nsd", "nsd", ["-v"]
    keeps = "zonefiles-write: 0"
    zonefile = ""           # of a zone, if it has one
    control = "control-enable: no"
    lists = "nsd.conf"

    def entry(self, apex: str) -> str:
        return f'zone:\n    name: "{apex or "."}"\n    include-pattern: bench\n'

    def configure(self) -> None:
        self.write("nsd.conf", f"""\
server:
    ip-address: {HOST}@{self.port}
    do-ip6: no
    username: ""
    chroot: ""
    zonesdir: "{self.dir}"
    database: ""
    zonelistfile: "{self.dir}/zone.list"
    xfrdfile: "{self.dir}/xfrd.state"
    xfrdir: "{self.dir}"
    pidfile: "{self.dir}/nsd.pid"
    server-count: 1
    tcp-count: 100
    verbosity: 0
    minimal-responses: yes
    refuse-any: yes
    round-robin: no
    rrl-ratelimit: 0
    answer-cookie: no
    receive-buffer-size: 4194304
    send-buffer-size: 4194304
    {self.keeps}
    xfrd-reload-timeout: 0
    xfrd-tcp-max: 128
    ipv4-edns-size: 1232
remote-control:
    {self.control}
pattern:
    name: bench
    {self.zonefile}
    request-xfr: {HOST}@{self.primary_port} NOKEY
    allow-notify: {HOST} NOKEY
{self.entries()}""")

    def argv(self) -> list[str]:
        return [self.path(), "-d", "-c", str(self.dir / "nsd.conf")]


class Bind(Server):
    """BIND: one thread, minimal answers, zone copies in raw form (a secondary needs a file to
    take differences)."""

    name, binary = "bind", "named"

    def configure(self) -> None:
        zones = "".join(
            f'zone "{a or "."}" {{ type secondary; primaries {{ {HOST} port {self.primary_port}; '
            f'}}; file "z{i}"; }};\n' for i, a in enumerate(self.data.apexes))
        self.write("named.conf", f"""\
options {{
    directory "{self.dir}";
    listen-on port {self.port} {{ {HOST}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion no;
    minimal-responses yes;
    minimal-any yes;
    max-udp-size 1232;
    dnssec-validation no;
    empty-zones-enable no;
    masterfile-format raw;
    {self.keeps}
    notify no;
    request-ixfr yes;
    zone-statistics none;
    transfers-in 100;
    transfers-per-ns 100;
    serial-query-rate 10000;
    max-records 0;
    max-journal-size 1g;
}};
controls {{ }};
logging {{ channel errors {{ stderr; severity error; }}; category default {{ errors; }}; }};
{zones}""")

    def argv(self) -> list[str]:
        return [self.path(), "-f", "-n", "1", "-U", "1", "-c", str(self.dir / "named.conf")]


class Yadifa(Server):
    """YADIFA: one thread for the address, no statistics, no rate limit."""

    name, binary = "yadifa", "yadifad"

    def configure(self) -> None:
        for sub in ("log", "data", "keys", "xfr"):
            (self.dir / sub).mkdir()
        zones = "".join(f"""<zone>
    domain {a or "."}
    file z{i}
    type secondary
    primary {HOST} port {self.primary_port}
    allow-notify any
</zone>
""" for i, a in enumerate(self.data.apexes))
        self.write("yadifad.conf", f"""\
<main>
    daemon off
    chroot off
    logpath "{self.dir}/log"
    pidfile "{self.dir}/yadifad.pid"
    datapath "{self.dir}/data"
    keyspath "{self.dir}/keys"
    xfrpath "{self.dir}/xfr"
    edns0-max-size 1232
    max-tcp-queries 100
    user {os.getuid()}
    group {os.getgid()}
    port {self.port}
    listen {HOST}
    statistics off
    queries-log-type 0
    allow-query any
    allow-notify any
    thread-count-by-address 1
    thread-affinity-base {self.core}
    network-model multi
</main>
<rrl>
    enabled false
</rrl>
<channels>
    errors {self.dir}/log/errors.log 0644
</channels>
<loggers>
    * crit errors
</loggers>
{zones}""")

    def argv(self) -> list[str]:
        return [self.path(), "--nodaemon", "-c", str(self.dir / "yadifad.conf")]


class Gdnsd(Server):
    """gdnsd: one UDP thread; no secondary, no DNSSEC, so it reads what master files can hold."""

    name, binary = "gdnsd", "gdnsd"
    transfers = False
    kinds = ("names", "tld", "zones")

    @classmethod
    def version(cls) -> str:
        out = subprocess.run([cls.path()], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d[\w.+-]*", out.stdout + out.stderr)
        return found[0] if found else "?"

    def configure(self) -> None:
        (self.dir / "zones").symlink_to(self.data.zone_files())
        self.write("config", f"""\
options => {{
    listen => {HOST},
    dns_port => {self.port},
    udp_threads => 1,
    tcp_threads => 1,
    max_edns_response => 1232,
    disable_cookies => true,
    run_dir => "{self.dir}/run",
    state_dir => "{self.dir}/state",
}}
""")
        (self.dir / "run").mkdir()
        (self.dir / "state").mkdir()

    def argv(self) -> list[str]:
        return [self.path(), "-c", str(self.dir), "start"]


PEERS: tuple[type[Server], ...] = (Knot, Nsd, Bind, Yadifa, Gdnsd)
