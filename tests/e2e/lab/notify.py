"""A supervisor: what secd tells it, and when."""
from __future__ import annotations

import os
import socket
import time


class Supervisor:
    """What comes to NOTIFY_SOCKET, by its time."""

    def __init__(self, lab, abstract: bool = False):
        self.lab = lab
        self.name = f"\0secd-{os.getpid()}-{lab.unique('notify')}" if abstract \
            else str(lab.dir / lab.unique("notify"))
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.name)
        self.sock.setblocking(False)
        self.told: list[tuple[float, str]] = []

    def watch(self, secd, **env: str) -> None:
        secd.env |= {"NOTIFY_SOCKET": self.name.replace("\0", "@"), **env}

    def read(self) -> list[str]:
        while True:
            try:
                text = self.sock.recv(4096).decode()
            except BlockingIOError:
                return [line for _, line in self.told]
            self.told += [(time.monotonic(), line) for line in text.splitlines()]

    def wait(self, start: str, deadline_s: float, count: int = 1) -> None:
        self.lab.wait(lambda: sum(x.startswith(start) for x in self.read()) >= count, deadline_s,
                      f"{count} {start}")
