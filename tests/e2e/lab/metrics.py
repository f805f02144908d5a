"""What secd measures: Prometheus text, by secdctl or by HTTP, and promtool's opinion of it."""
from __future__ import annotations

import http.client
import re
import subprocess

LINE = re.compile(r'^([a-z_]+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ESCAPE = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Metrics(dict):
    """(name, label=value ...) -> value."""

    def __init__(self, text: str):
        super().__init__()
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            found = LINE.match(line)
            assert found, f"no line of metrics: {line}"
            labels = {k: re.sub(r"\\[\\\"n]", lambda m: ESCAPE[m[0]], v)
                      for k, v in LABEL.findall(found[2] or "")}
            key = self.key(found[1], labels)
            assert key not in self, f"twice: {line}"
            self[key] = float(found[3])

    @staticmethod
    def key(name: str, labels: dict) -> tuple:
        return (name, *sorted(labels.items()))

    def of(self, name: str, **labels) -> float | None:
        """The value of one series; None: there is none."""
        return self.get(self.key(name, labels))

    def all(self, name: str) -> dict[tuple, float]:
        """Labels -> value of all series of this name."""
        return {k[1:]: v for k, v in self.items() if k[0] == name}

    def since(self, before: Metrics, name: str, **labels) -> float:
        return self.of(name, **labels) - before.of(name, **labels)


def check(text: str) -> None:
    """promtool finds nothing to say against it."""
    got = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                         capture_output=True, timeout=30, check=False)
    assert got.returncode == 0 and not got.stdout and not got.stderr, got


def of(secd) -> Metrics:
    got = secd.ctl("metrics")
    assert got.returncode == 0 and not got.stderr, got
    return Metrics(got.stdout)


def fetch(port: int, path: str = "/metrics", method: str = "GET", addr: str = "127.0.0.1",
          timeout: float = 10) -> tuple[int, dict, str]:
    """(status, headers, body) by HTTP."""
    c = http.client.HTTPConnection(addr, port, timeout=timeout)
    try:
        c.request(method, path)
        r = c.getresponse()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read().decode()
    finally:
        c.close()
