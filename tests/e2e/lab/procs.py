"""Processes in groups of their own, so that nothing outlives its scenario."""
from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import time


class Child:
    """A process, its group and its log file."""

    def __init__(self, argv: list[str], log: pathlib.Path, cwd: pathlib.Path | None = None,
                 env: dict[str, str] | None = None):
        self.argv = [str(a) for a in argv]
        self.log = log
        self._over = False
        with open(log, "ab") as out:
            self._p = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, cwd=cwd or log.parent, env=env,
                                       process_group=0)
        self.pid = self._p.pid

    def alive(self) -> bool:
        return self._p.poll() is None

    @property
    def status(self) -> int | None:
        """Exit status, -N for signal N, None while it runs."""
        return self._p.poll()

    def signal(self, sig: int) -> None:
        if self.alive():
            self._p.send_signal(sig)

    def wait(self, deadline_s: float) -> int:
        """Exit status; subprocess.TimeoutExpired when it still runs."""
        end = time.monotonic() + deadline_s
        while True:
            status = self._p.poll()
            if status is not None:
                return status
            if time.monotonic() >= end:
                raise subprocess.TimeoutExpired(self.argv, deadline_s)
            time.sleep(0.002)

    def kill_group(self) -> None:
        """SIGKILL for the whole group, and reap the leader. Once: later its number may be
        somebody else's."""
        if self._over:
            return
        self._over = True
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._p.wait()

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def kill_in(directory: pathlib.Path) -> None:
    """SIGKILL for every process that works in the directory or below it."""
    for proc in pathlib.Path("/proc").iterdir():
        try:
            if proc.name.isdigit() and (proc / "cwd").readlink().is_relative_to(directory):
                os.kill(int(proc.name), signal.SIGKILL)
        except OSError:  # it's gone already, or not ours
            pass
