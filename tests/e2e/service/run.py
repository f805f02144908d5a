"""A supervisor is told when secd is ready, how its zones stand, that it works and that it ends; and the units for systemd are sound."""
import os
import pathlib
import signal
import socket
import subprocess
import time

from lab import Lab
from lab.notify import Supervisor
from lab.scripted import IGNORE, Send
from lab.zones import zone

SANITIZED = False
ROOT = pathlib.Path(__file__).resolve().parents[3]
EXPOSURE = 3.0  # by systemd-analyze security; 10 is the worst


def run(lab: Lab) -> None:
    ready(lab)
    nobody(lab)
    watched(lab)
    unit(lab)


def ready(lab: Lab) -> None:
    """When the state is loaded, though no primary answers well; and for a first start at once."""
    primary = lab.scripted_primary({"example.": zone(refresh=3600)})
    secd = lab.secd({"example.": [primary]}, start=False)
    first, second = Supervisor(lab), Supervisor(lab, abstract=True)
    for kind in ("SOA", "AXFR"):
        primary.on(kind, lambda r: [Send(r.answer(flags=0, rcode=5))])
    first.watch(secd)
    secd.start()
    first.wait("READY=1", 3 * secd.slow)
    first.wait("STATUS=1 zones: 0 fresh, 0 behind, 1 empty", 3)
    for kind in ("SOA", "AXFR"):
        primary.on(kind, None)
    secd.wait_serial("example.", 1, 15)
    first.wait("STATUS=1 zones: 1 fresh", 12 * secd.slow)
    secd.stop()
    first.wait("STOPPING=1", 1)
    assert "WATCHDOG=1" not in first.read(), first.told

    primary.on("SOA", [IGNORE])
    second.watch(secd)
    secd.start()
    second.wait("READY=1", 3 * secd.slow)
    second.wait("STATUS=1 zones: 1 fresh", 1)
    told = second.read()
    assert told.index("READY=1") < len(told) - 1
    assert told[0].startswith(("EXTEND_TIMEOUT_USEC=", "READY=1")), told
    secd.stop()


def nobody(lab: Lab) -> None:
    """One that is not there, or has a name that can't be, costs nothing."""
    primary = lab.scripted_primary({"example.": zone()})
    for name in ("/nowhere/at/all", "relative", "@", "/" + "x" * 200, ""):
        secd = lab.secd({"example.": [primary]}, start=False)
        secd.env |= {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "nonsense"}
        secd.start()
        secd.wait_serial("example.", 1, 5)
        secd.stop()


def watched(lab: Lab) -> None:
    """As long as all threads that answer turn, and no longer."""
    primary = lab.scripted_primary({"example.": zone(refresh=3600)})
    secd = lab.secd({"example.": [primary]}, start=False, workers=2)
    sup = Supervisor(lab)
    sup.watch(secd, WATCHDOG_USEC="400000")
    secd.start()
    secd.wait_serial("example.", 1, 5)
    sup.wait("WATCHDOG=1", 5 * secd.slow, count=5)
    times = [at for at, line in sup.told if line == "WATCHDOG=1"]
    assert times[-1] - times[0] > 0.6, times
    secd.child.signal(signal.SIGSTOP)
    sup.read()
    count = len(sup.told)
    until = time.monotonic() + 1
    lab.wait(lambda: time.monotonic() > until, 5, "a while")
    assert len(sup.read()) <= count + 1
    secd.child.signal(signal.SIGCONT)
    sup.wait("WATCHDOG=1", 5 * secd.slow, count=8)

    stray = lab.secd({"example.": [primary]}, start=False)
    other = Supervisor(lab)
    other.watch(stray, WATCHDOG_USEC="100000", WATCHDOG_PID="1")  # meant for somebody else
    stray.start()
    other.wait("READY=1", 5)
    until = time.monotonic() + 0.5
    lab.wait(lambda: time.monotonic() > until, 5, "a while")
    assert "WATCHDOG=1" not in other.read()


def unit(lab: Lab) -> None:
    """What make install puts in place is what systemd takes, and shuts in what it runs."""
    root = lab.dir / "root"
    got = subprocess.run(["make", "-s", "install", f"DESTDIR={root}", "PREFIX=/usr/local"],
                         cwd=ROOT, capture_output=True, text=True, check=False)
    assert got.returncode == 0, got.stderr
    path = root / "usr/local/lib/systemd/system/secd.service"
    text = path.read_text().replace("/usr/local/sbin", str(root / "usr/local/sbin"))
    path.write_text(text)
    got = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True,
                         check=False)
    ours = [x for x in got.stderr.splitlines() if "secd.service" in x]
    assert not ours, got.stderr
    socket_unit = path.with_suffix(".socket")
    got = subprocess.run(["systemd-analyze", "verify", "--man=no", socket_unit], capture_output=True,
                         text=True, check=False)
    ours = [x for x in got.stderr.splitlines() if "secd." in x]
    assert not ours, got.stderr
    assert socket_unit.read_text().count("ListenDatagram=") == 4
    got = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", path],
                         capture_output=True, text=True, check=False)
    line = [x for x in got.stdout.splitlines() if "Overall exposure level" in x]
    assert line, got
    other = root / "usr/local/lib/systemd/system/secd-anycast.service"
    other.write_text(other.read_text().replace("/usr/local/sbin", str(root / "usr/local/sbin")))
    got = subprocess.run(["systemd-analyze", "verify", "--man=no", other], capture_output=True, text=True,
                         check=False)
    assert not [x for x in got.stderr.splitlines() if "secd-anycast.service" in x], got.stderr
    score = float(line[0].split(":")[1].split()[0])
    print(line[0].strip(), flush=True)
    assert score < EXPOSURE, line
    for name in ("sysusers.d", "tmpfiles.d"):
        assert (root / "usr/local/lib" / name / "secd.conf").read_text().startswith("# etc/"), name
