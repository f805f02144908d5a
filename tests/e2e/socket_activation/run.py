"""Sockets that whoever starts secd has bound are used as they are, one for each worker, over reloads, without any right to bind; others are told and closed."""
import json
import os
import pathlib
import socket
import sys

from lab import Lab, dnsio
from lab.zones import zone

SANITIZED = False
PARENT = pathlib.Path(__file__).with_name("parent.py")
NOBODY = 65534


class Passed:
    """A secd with a parent like systemd."""

    def __init__(self, lab: Lab, sockets: list, *, workers: int = 2, share: bool = True, env=None,
                 then=(), **opts):
        self.lab = lab
        primary = lab.scripted_primary({"example.": zone()})
        self.secd = lab.secd({"example.": [primary]}, start=False, workers=workers, **opts)
        self.told = self.secd.dir / "inodes"
        self.sockets = sockets
        self.said = {"share": share, "told": str(self.told), "env": env or {
            "LISTEN_PID": "PID", "LISTEN_FDS": str(len(sockets)),
            "LISTEN_FDNAMES": ":".join(f"n{i}" for i in range(len(sockets)))}}
        self.then = list(then)
        self.wrap()

    def wrap(self) -> None:
        said = json.dumps({"sockets": self.sockets, **self.said})
        self.secd.wrap = [sys.executable, str(PARENT), said, *self.then]

    def start(self):
        self.secd.start()
        self.secd.wait_serial("example.", 1, 5)
        return self.secd

    def inodes(self) -> list[int]:
        """Of what was passed."""
        return [int(n) for n in self.told.read_text().split()]

    def held(self) -> set[int]:
        """Of the sockets that secd has open."""
        out = set()
        for fd in pathlib.Path(f"/proc/{self.secd.child.pid}/fd").iterdir():
            try:
                name = os.readlink(fd)
            except FileNotFoundError:
                continue
            if name.startswith("socket:["):
                out.add(int(name[8:-1]))
        return out


def answers(lab: Lab, addr: str, port: int) -> None:
    """By UDP and TCP, of flows enough to meet each socket of the group."""
    for i in range(40):
        assert dnsio.serial(addr, port, "example.", tcp=i % 2 == 0) == 1


def bound(addr: str, port: int) -> list[tuple[str, str]]:
    """Lines of the kernel's tables for it: (protocol, inode)."""
    want = f"{int.from_bytes(socket.inet_aton(addr), 'little'):08X}:{port:04X}"
    out = []
    for name, state in (("udp", "07"), ("tcp", "0A")):
        for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[1] == want and cells[3] == state:
                out.append((name, cells[9]))
    return out


def run(lab: Lab) -> None:
    used(lab)
    others(lab)
    few(lab)
    powerless(lab)
    nothing(lab)


def used(lab: Lab) -> None:
    """Two of each for two workers, beside an address that secd binds; a reload goes on with them."""
    port, own = lab.port(), lab.port("127.0.0.2")
    sockets = [("udp", "127.0.0.1", port), ("udp", "127.0.0.1", port),
               ("tcp", "127.0.0.1", port), ("tcp", "127.0.0.1", port)]
    p = Passed(lab, sockets, listen=[("127.0.0.1", port), ("127.0.0.2", own)])
    secd = p.start()
    passed = p.inodes()
    line = secd.lines("sockets passed")[0]
    assert (line.keys["udp"], line.keys["tcp"]) == ("2", "2"), line.text
    assert secd.logged("sockets passed") == 1 and not secd.logged("socket unused")

    def as_passed(more: int = 0) -> None:
        assert set(passed) <= p.held(), (passed, p.held())
        there = bound("127.0.0.1", port)
        assert len(there) == 4 + more and set(map(str, passed)) <= {i for _, i in there}, there
        for addr, at in secd.listen:
            answers(lab, addr, at)
    as_passed()
    environ = pathlib.Path(f"/proc/{secd.child.pid}/environ").read_bytes()
    assert b"LISTEN_FDS=4" in environ, "the parent said so"

    secd.write_ini(workers=2, server_opts={"version": "two"})
    assert secd.ctl_json("reload")["loaded"]
    as_passed()
    secd.write_ini(workers=3)  # bound beside them: it is the same user
    assert secd.ctl_json("reload")["loaded"]
    as_passed(more=2)
    secd.write_ini(workers=2)
    assert secd.ctl_json("reload")["loaded"]
    answers(lab, "127.0.0.1", port)
    lab.wait(lambda: len(bound("127.0.0.1", port)) == 4, 5, "the third worker's sockets are closed")
    as_passed()
    secd.expect_error("settings refused")
    secd.write_ini(workers=1)
    said = secd.ctl("reload")
    assert said.returncode == 1 and "workers: 2 sockets were passed for 127.0.0.1@" in said.stderr, said
    as_passed()

    secd.listen = secd.listen[1:]
    secd.addr, secd.port = secd.listen[0]
    secd.write_ini(workers=1)
    said = secd.ctl("reload")
    assert said.returncode == 0, said
    lab.wait(lambda: not bound("127.0.0.1", port), 5, "what the settings have lost is closed")
    assert not set(passed) & p.held()
    answers(lab, "127.0.0.2", own)
    secd.stop()


def others(lab: Lab) -> None:
    """What no listen names is told by its name, and closed; one too many for the workers is a fault."""
    port, stray = lab.port(), lab.port()
    lab.release(stray)
    sockets = [("udp", "127.0.0.1", stray), ("udp", "127.0.0.1", port), ("tcp", "127.0.0.1", stray)]
    p = Passed(lab, sockets, workers=1, listen=port)
    secd = p.start()
    assert p.inodes()[1] in p.held() and not {p.inodes()[0], p.inodes()[2]} & p.held()
    lines = secd.lines("socket unused", addr=f"127.0.0.1@{stray}")
    assert [ln.keys["name"] for ln in lines] == ["n0", "n2"], secd.tail()
    assert not bound("127.0.0.1", stray)
    answers(lab, "127.0.0.1", port)
    secd.stop()
    p.sockets = [sockets[1]] * 3
    p.said["env"]["LISTEN_FDS"] = "3"
    p.wrap()
    why = secd.start_fails().keys["why"]
    assert "3 UDP sockets were passed for 1 workers" in why and "write workers = 3" in why, why
    secd.write_ini(workers=3)
    p.start()
    answers(lab, "127.0.0.1", port)


def few(lab: Lab) -> None:
    """Where no more can be bound beside them, it is said what to do."""
    port = lab.port()
    sockets = [("udp", "127.0.0.1", port), ("tcp", "127.0.0.1", port)]
    p = Passed(lab, sockets, share=False, listen=port)
    why = p.secd.start_fails().keys["why"]
    assert "1 UDP and 1 TCP sockets were passed for 2 workers" in why and "workers = 1" in why, why
    p.secd.write_ini(workers=1)
    secd = p.start()
    answers(lab, "127.0.0.1", port)
    secd.write_ini(workers=2)
    secd.ctl("reload")
    line = secd.wait_log("settings partly", 5)
    assert "sockets were passed for 2 workers" in line.keys["why"], line.text
    answers(lab, "127.0.0.1", port)


def powerless(lab: Lab) -> None:
    """A low port of who may bind none."""
    if os.geteuid() != 0:
        print("powerless: skipped, only root can bind for another", flush=True)
        return
    addr, port = "127.0.0.5", 0
    for port in lab.rng.sample(range(200, 1024), 300):
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind((addr, port))
            break
        except OSError:
            continue
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    p = Passed(lab, [("udp", addr, port), ("tcp", addr, port)], workers=1, listen=[(addr, port)],
               user="", then=drop)
    os.chown(p.secd.dir, NOBODY, NOBODY)
    secd = p.start()
    status = pathlib.Path(f"/proc/{secd.child.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status and f"Uid:\t{NOBODY}\t" in status, status
    answers(lab, addr, port)
    # ... and beside a user that root becomes: what it binds itself can't stand beside root's.
    secd.stop()
    p.then = []
    p.wrap()
    secd.user = "nobody"
    secd.write_ini(workers=1)
    p.start()
    answers(lab, addr, port)
    assert secd.logged("privileges dropped") == 1 and set(p.inodes()) <= p.held()
    secd.stop()
    secd.write_ini(workers=2)
    assert "no more can be bound beside them" in secd.start_fails().keys["why"], secd.tail()
    secd.write_ini(workers=1)
    p.start()


def nothing(lab: Lab) -> None:
    """What is meant for another process, and what is no number, changes nothing; the latter is told."""
    stray = lab.port()
    lab.release(stray)
    for env, why in (({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, None),
                     ({"LISTEN_FDS": "1"}, None),
                     ({"LISTEN_PID": "PID", "LISTEN_FDS": "many"}, "LISTEN_FDS is 'many'"),
                     ({"LISTEN_PID": "PID", "LISTEN_FDS": "-1"}, "LISTEN_FDS is '-1'"),
                     ({"LISTEN_PID": "x", "LISTEN_FDS": "1"}, "LISTEN_PID is 'x'"),
                     ({"LISTEN_PID": "PID", "LISTEN_FDS": "9"}, "not open: 8")):
        p = Passed(lab, [("udp", "127.0.0.1", stray)], env=env)
        secd = p.start()
        lines = secd.lines("sockets garbled")
        assert [why in ln.keys["why"] for ln in lines] == ([True] if why else []), secd.tail()
        assert not secd.logged("sockets passed")
        assert secd.logged("socket unused") == (env.get("LISTEN_FDS") == "9")
        answers(lab, secd.addr, secd.port)
        secd.stop()
