"""secd itself: its settings written, the daemon started, watched and stopped."""
from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import dns.message
import dns.name
import dns.rcode

from . import dnsio
from .logs import Line, LogFile

MANY_ZONES = 200  # above this they go to a list file
PLAIN_NAME = re.compile(r"^[A-Za-z0-9._*/-]{1,150}$")  # what may stand as a key of [zones]
SANITIZER = re.compile(r"(Address|Leak|Thread|Memory)Sanitizer|runtime error:")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1:exitcode=99:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=0:exitcode=66:second_deadlock_stack=1",
}


def default_path() -> pathlib.Path:
    """SECD of the environment, or build/secd."""
    root = pathlib.Path(__file__).resolve().parents[3]
    return pathlib.Path(os.environ.get("SECD", root / "build" / "secd")).absolute()


@functools.cache
def sanitized(path: pathlib.Path) -> bool:
    """Was the binary built with a sanitizer? Then deadlines are longer."""
    data = path.read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


class Secd:
    """A secd that follows zones: apex -> list of primaries (things with name, addr and port)."""

    name = "secd"

    def __init__(self, lab, zones: dict, *, listen=None, ini_extra: str = "",
                 group_opts: dict | None = None, server_opts: dict | None = None,
                 primary_opts: dict | None = None, workers: int = 1,
                 user: str | None = None, build: str | os.PathLike | None = None):
        """listen     (addr, port), a list of those, or a port; by default 127.0.0.1 and a port
                   of the kernel's choice. addr and port are those of the first.
        group_opts, server_opts, primary_opts: options for the group that all zones are in
                   (timers, limits), for [server], and for each primary (notify-from).
        ini_extra  text for the end of the file; may begin with a section of its own.
        user       whom it becomes, or "" to say nothing; by default it stays who it is: root says so.
        build      another binary than the lab's."""
        self.lab = lab
        self.path = pathlib.Path(build).absolute() if build else lab.secd_path
        if not self.path.exists():
            raise AssertionError(f"there is no {self.path}")
        self.slow = 5.0 if sanitized(self.path) else 1.0  # factor for deadlines in time itself
        self.listen = self._listen(listen)
        self.addr, self.port = self.listen[0]
        self.zones = zones
        self.user = user if user is not None else "root" if os.geteuid() == 0 else ""
        self.dir: pathlib.Path = lab.dir / lab.unique("secd")
        self.dir.mkdir()
        self.state = self.dir / "state"  # its state-dir
        self.ini = self.dir / "secd.ini"
        self.log = LogFile(self.dir / "log")
        self.child = None
        self.wrap: list[str] = []  # a command that starts it
        self.env: dict[str, str] = {}
        self._expected_errors: list[tuple[str, dict]] = []
        self._starts = 0
        self.write_ini(ini_extra=ini_extra, group_opts=group_opts, server_opts=server_opts,
                       primary_opts=primary_opts, workers=workers)

    def _listen(self, listen) -> list[tuple[str, int]]:
        if listen is None:
            return [("127.0.0.1", self.lab.port())]
        if isinstance(listen, int):
            return [("127.0.0.1", listen)]
        return [listen] if isinstance(listen, tuple) else list(listen)

    # --- the settings ------------------------------------------------------------------------

    def write_ini(self, *, ini_extra: str = "", group_opts: dict | None = None,
                  server_opts: dict | None = None, primary_opts: dict | None = None,
                  workers: int = 1) -> None:
        """Write secd.ini (again); the daemon reads it when it starts."""
        names: dict[int, str] = {}
        primaries = []
        for servers in self.zones.values():
            for p in servers:
                if id(p) not in names:
                    names[id(p)] = f"{p.name}{len(primaries) + 1}"
                    primaries.append(p)
        out = ["[server]",
               "listen = " + ", ".join(f"{a}@{p}" for a, p in self.listen),
               f"workers = {workers}", f"state-dir = {self.state}",
               "control = secd.sock"]
        out += [f"user = {self.user}"] if self.user else []
        out += [f"{k} = {v}" for k, v in (server_opts or {}).items()]
        out += ["", "[log]", "target = stderr", "level = debug", ""]
        for p in primaries:
            out += [f"[primary {names[id(p)]}]", f"address = {p.addr}@{p.port}"]
            out += [f"{k} = {v}" for k, v in (primary_opts or {}).items()] + [""]
        lines = {apex: ",".join(names[id(p)] for p in servers)
                 for apex, servers in self.zones.items()}
        if group_opts:
            groups: dict[str, str] = {}
            for apex, who in lines.items():
                if who not in groups:
                    groups[who] = f"g{len(groups) + 1}"
                    out += [f"[group {groups[who]}]", f"primaries = {who}"]
                    out += [f"{k} = {v}" for k, v in group_opts.items()] + [""]
                lines[apex] = groups[who]
        listed = {a: w for a, w in lines.items()
                  if len(lines) > MANY_ZONES or not PLAIN_NAME.match(a)}
        out.append("[zones]")
        out += [f"{apex} = {who}" for apex, who in lines.items() if apex not in listed]
        if listed:
            path = self.dir / "zones.list"
            path.write_text("".join(f"{a} {w}\n" for a, w in listed.items()), encoding="utf-8")
            out += ["", "[include]", f"zone-list = {path}"]
        self.ini.write_text("\n".join(out) + "\n" + ini_extra, encoding="utf-8")

    # --- its life ----------------------------------------------------------------------------

    def start(self, wait: bool = True) -> None:
        """Start it, unless it runs; wait until it listens."""
        if self.child and self.child.alive():
            return
        for _addr, port in self.listen:
            self.lab.release(port)
        self._starts += 1
        self.child = self.lab.spawn(
            [*self.wrap, str(self.path), "-c", str(self.ini)], self.log.path, cwd=self.dir,
            env={**os.environ, **SANITIZER_ENV, **self.env})
        if wait:
            self.wait_ready(10)

    def start_fails(self, deadline_s: float = 10) -> Line:
        """It ends with status 1 and says why: that line."""
        count = self.logged("secd failed")
        self.expect_error("secd failed")
        self.start(wait=False)
        self._starts -= 1
        status = self.child.wait(deadline_s * self.slow)
        assert status == 1, f"exit status {status}:\n{self.tail()}"
        lines = self.lines("secd failed")
        assert len(lines) == count + 1, self.tail()
        return lines[-1]

    def wait_ready(self, deadline_s: float) -> None:
        """Until it says that it started (as often as it was started)."""
        def ready() -> bool:
            if not self.child.alive():
                raise AssertionError(f"secd ended with {self.child.status} while starting:\n"
                                     + self.tail())
            return self.logged("secd started") >= self._starts
        self.lab.wait(ready, deadline_s * self.slow, "secd started")

    def stop(self) -> float:
        """SIGTERM: exit status 0 within 1 s (5 s under a sanitizer), no sanitizer's report, no
        unexpected error in the log. Returns the seconds that it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            status = self.child.wait(1.0 * self.slow)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {self.slow} s after SIGTERM:\n"
                                 + self.tail()) from None
        took = time.monotonic() - began
        self._hold_ports()
        self._look_over()
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.tail()}"
        return took

    def _look_over(self) -> None:
        lines = self.log.read()
        reports = [o for o in self.log.other if SANITIZER.search(o)]
        assert not reports, f"sanitizer: {reports[:3]}\n{self.tail()}"
        errors = [ln.text for ln in lines if ln.level == "error"
                  and not any(ln.matches(e, k) for e, k in self._expected_errors)]
        assert not errors, f"unexpected errors in the log: {errors[:5]}"

    def expect_error(self, event: str, **keys) -> None:
        """Lines of level error that match are no fault of this run."""
        self._expected_errors.append((event, keys))

    def kill(self) -> None:
        """SIGKILL, and gone."""
        if self.child:
            self.child.kill_group()
            self._hold_ports()

    def _hold_ports(self) -> None:
        for addr, port in self.listen:
            if port:
                self.lab.hold(addr, port)

    def restart(self) -> None:
        self.stop()
        self.start()

    def signal(self, sig: int) -> None:
        assert self.child and self.child.alive(), \
            f"secd is gone ({self.child and self.child.status}):\n{self.tail()}"
        self.child.signal(sig)

    def alive(self) -> bool:
        return bool(self.child and self.child.alive())

    def finish(self) -> None:
        """The lab's end of a good run."""
        if self.child is None or self.child.status == -signal.SIGKILL:
            return  # never started, or the scenario killed it
        if self.child.alive():
            self.stop()
        else:
            self._look_over()
            assert self.child.status == 0, f"secd ended with {self.child.status}:\n{self.tail()}"

    def close(self) -> None:
        self.kill()

    # --- questions ---------------------------------------------------------------------------

    def query(self, name, rdtype="A", *, tcp: bool = False, edns: bool = True, do: bool = False,
              payload: int = 1232, rd: bool = False, **opts) -> dns.message.Message:
        return dnsio.ask(self.addr, self.port, name, rdtype, tcp=tcp, edns=edns, do=do,
                         payload=payload, rd=rd, **opts)

    def rcode(self, name, rdtype="A", **opts) -> str:
        """The rcode as text: "NOERROR", "SERVFAIL" ..."""
        return dns.rcode.to_text(self.query(name, rdtype, **opts).rcode())

    def serial(self, apex: str) -> int | None:
        """What is served for apex; None when it is not."""
        return dnsio.serial(self.addr, self.port, apex, timeout=1.0)

    def tcp(self, **opts) -> dnsio.Tcp:
        """A TCP connection to it."""
        return dnsio.Tcp(self.addr, self.port, **opts)

    def wait_serial(self, apex: str, serial: int, deadline_s: float) -> None:
        seen: list = []

        def there() -> bool:
            self._must_live()
            seen[:] = [self.serial(apex)]
            return seen[0] == serial
        try:
            self.lab.wait(there, deadline_s, f"serial {serial} of {apex}")
        except AssertionError as e:
            raise AssertionError(f"{e}; last seen {seen}\n{self.tail()}") from None

    def wait_rcode(self, apex: str, rdtype: str, rcode: str | int, deadline_s: float) -> None:
        want = dns.rcode.Rcode.make(rcode)

        def there() -> bool:
            self._must_live()
            return self.query(apex, rdtype, timeout=1.0).rcode() == want
        self.lab.wait(there, deadline_s, f"{dns.rcode.to_text(want)} for {apex} {rdtype}")

    def _must_live(self) -> None:
        assert self.alive(), f"secd is gone ({self.child.status}):\n{self.tail()}"

    # --- the control socket ------------------------------------------------------------------

    @property
    def socket(self) -> pathlib.Path:
        """Of secdctl."""
        return self.dir / "secd.sock"

    def ctl(self, *words: str, args: tuple = (), timeout: float = 20,
            **opts) -> subprocess.CompletedProcess:
        """Run secdctl with this verb and its arguments; args are options in front of them, opts
        go to subprocess.run."""
        argv = [str(self.path.with_name("secdctl")), "-s", str(self.socket), *args, *words]
        return subprocess.run(argv, capture_output=True, timeout=timeout * self.slow, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, **SANITIZER_ENV},
                              **{"text": True, **opts})

    def ctl_json(self, *words: str, status: int = 0, **opts) -> dict:
        """The same in JSON, which is returned; the exit status is checked."""
        got = self.ctl(*words, args=("--json",), **opts)
        assert got.returncode == status, f"{words}: {got.returncode}: {got.stdout}{got.stderr}"
        return json.loads(got.stdout)

    def offline(self, *args: str, timeout: float = 60,
                **opts) -> subprocess.CompletedProcess:
        """Run secd itself with its settings and these arguments, beside the daemon or without."""
        return subprocess.run([str(self.path), "-c", str(self.ini), *args], capture_output=True,
                              timeout=timeout * self.slow, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, **SANITIZER_ENV},
                              **{"text": True, "cwd": self.dir, **opts})

    # --- the log -----------------------------------------------------------------------------

    def lines(self, event: str, **keys) -> list[Line]:
        """The log lines of an event whose keys match (see logs.Line.matches)."""
        self.log.read()
        return [ln for ln in self.log.by_event.get(event, ()) if ln.matches(event, keys)]

    def logged(self, event: str, **keys) -> int:
        """How many such lines there are."""
        return len(self.lines(event, **keys))

    def wait_log(self, event: str, deadline_s: float, count: int = 1, **keys) -> Line:
        """Wait for the count-th such line, and return it."""
        def there():
            found = self.lines(event, **keys)
            if len(found) >= count:
                return found[count - 1]
            self._must_live()
            return None
        try:
            return self.lab.wait(there, deadline_s, f"{count} x log {event!r} {keys}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.tail()}") from None

    def tail(self, lines: int = 15) -> str:
        """The end of the log, for a message."""
        if not self.log.path.exists():
            return "(no log)"
        text = self.log.path.read_text(errors="replace").splitlines()
        return "\n".join("    " + t[:300] for t in text[-lines:])


def check_config(path: pathlib.Path, ini: pathlib.Path) -> subprocess.CompletedProcess:
    """Run secd -t on a settings file."""
    return subprocess.run([str(path), "-t", "-c", str(ini)], capture_output=True, text=True,
                          timeout=20, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **SANITIZER_ENV})
