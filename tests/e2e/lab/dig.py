"""What BIND's dig and Knot's kdig make of an answer, in their own words."""
from __future__ import annotations

import re
import subprocess

COOKIE = re.compile(r"COOKIE: ([0-9A-Fa-f]+)")


def _run(tool: str, server, args: tuple[str, ...]) -> str:
    out = _run_once(tool, server, args)
    # Its own port can be the server's, which are both shared by SO_REUSEPORT: it gets its query back.
    return _run_once(tool, server, args) if "query response not set" in out else out


def _run_once(tool: str, server, args: tuple[str, ...]) -> str:
    got = subprocess.run([tool, "+norec", "+time=3", f"@{server.addr}", "-p", str(server.port),
                          *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=20, check=False)
    return got.stdout + got.stderr


def dig(server, *args: str) -> str:
    """It sends an OPT and a client's cookie unless told otherwise."""
    return _run("dig", server, args)


def kdig(server, *args: str) -> str:
    """It sends no OPT unless something needs one."""
    return _run("kdig", server, args)


def has(out: str, *parts: str) -> None:
    """AssertionError, with all that was printed, when one of the parts does not stand there."""
    for part in parts:
        assert part in out, f"no {part!r} in:\n{out}"


def has_not(out: str, *parts: str) -> None:
    for part in parts:
        assert part not in out, f"{part!r} in:\n{out}"


def cookie(out: str) -> str:
    """The cookie that was printed, client's and server's, in lower case."""
    found = COOKIE.search(out)
    assert found, f"no cookie in:\n{out}"
    return found[1].lower()


def number(out: str, pattern: str) -> int:
    """The number that the pattern's group matches."""
    found = re.search(pattern, out)
    assert found, f"no {pattern!r} in:\n{out}"
    return int(found[1])
