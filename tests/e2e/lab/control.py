"""The control socket, without secdctl: for what no honest client does."""
from __future__ import annotations

import pathlib
import socket


class Control:
    """One connection. Use as a context manager."""

    def __init__(self, path: pathlib.Path, timeout: float = 15.0, rcvbuf: int | None = None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, request: str) -> None:
        """A request without its protocol: "text status"."""
        self.send(f"secd/1 {request}\n".encode())

    def rest(self) -> bytes:
        """All that comes until the daemon closes."""
        out = b""
        while True:
            try:
                got = self.sock.recv(1 << 16)
            except ConnectionResetError:
                got = b""
            if not got:
                return out
            out += got

    def answer(self) -> tuple[bytes, str]:
        """(content, last line) of an answer, whose frames are checked."""
        return parse(self.rest())

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, kind, value, trace) -> None:
        self.close()


def parse(raw: bytes) -> tuple[bytes, str]:
    """The same of octets. The last line is empty when the answer was cut short."""
    if not raw:
        return b"", ""
    head, _, raw = raw.partition(b"\n")
    assert head == b"secd/1", head
    content = b""
    while raw.startswith(b"data "):
        line, _, raw = raw.partition(b"\n")
        n = int(line[5:])
        content += raw[:n]
        raw = raw[n:]
    assert raw == b"" or raw.endswith(b"\n"), raw
    return content, raw.decode().rstrip("\n")
