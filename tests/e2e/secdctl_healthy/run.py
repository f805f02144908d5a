"""secdctl healthy tells whether a server should get queries, in its exit status and one line that says why not."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess

from lab import Lab
from lab.scripted import IGNORE
from lab.zones import zone

SANITIZED = False
ANYCAST = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "secd-anycast"
SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000  # of ptrace(2)


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({
        "good.test.": zone("good.test.", refresh=3600),
        "short.test.": zone("short.test.", refresh=1, retry=1, expire=3)})
    silent = lab.scripted_primary({"never.test.": zone("never.test.")})
    for kind in ("SOA", "AXFR"):
        silent.on(kind, [IGNORE])
    stopped = new(lab, silent)
    secd = lab.secd({"good.test.": [primary], "short.test.": [primary], "never.test.": [silent]}, workers=2)
    for apex in ("good.test.", "short.test."):
        secd.wait_serial(apex, 1, 5)
    well(secd)
    usage(secd)
    announced = anycast(lab, secd)
    primary.stop()
    hangs(secd)
    expired(secd)
    withdrawn(lab, *announced)
    stands_still(*stopped)
    secd.stop()
    gone = secd.ctl("healthy")
    assert gone.returncode == 3 and "no daemon" in gone.stderr, gone


def ask(secd, *args: str) -> subprocess.Popen:
    """Beside others, which take their time."""
    return subprocess.Popen([secd.path.with_name("secdctl"), "-s", secd.socket, "healthy", *args],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def says(secd, status: int, why: str, *args: str) -> dict:
    """In both forms; what JSON has."""
    text = secd.ctl("healthy", *args)
    assert text.returncode == status, (args, text)
    if status == 0:
        assert text.stdout == "healthy  yes\n" and not text.stderr, text
    else:
        assert not text.stdout and text.stderr == f"secdctl: {why}\n", text
    got = secd.ctl_json("healthy", *args, status=status)
    assert got["healthy"] == (status == 0) and got["why"] == (why or None), got
    assert set(got) == {"now", "healthy", "why", "turning", "loading", "zones", "named"}, got
    return got


def new(lab: Lab, silent) -> tuple:
    """A server that holds nothing serves nobody. It is stopped then, all of it, and somebody asks it."""
    secd = lab.secd({"never.test.": [silent]})
    says(secd, 1, "no zone is served: 1 are empty, 0 expired", "--max-expired", "5")
    secd.child.signal(signal.SIGSTOP)
    return secd, ask(secd)


def stands_still(secd, asked: subprocess.Popen) -> None:
    out, err = asked.communicate(timeout=20)
    assert asked.returncode == 1 and not out and err == "secdctl: the daemon does not answer\n", (out, err)
    secd.child.signal(signal.SIGCONT)
    says(secd, 1, "no zone is served: 1 are empty, 0 expired")


def well(secd) -> None:
    got = says(secd, 0, "", "--zone", "GOOD.test", "--zone", "short.test.")
    assert got["zones"] == {"total": 3, "served": 2, "empty": 1, "expired": 0}, got
    assert got["turning"] and not got["loading"], got
    assert got["named"] == [{"zone": z, "state": "fresh", "served": True} for z in ("good.test.", "short.test.")], got
    assert secd.logged("control command") == 0, "it changes nothing"
    says(secd, 1, "never.test. is empty", "--max-empty", "0")
    got = says(secd, 1, "never.test. is empty", "--zone", "good.test.", "--zone", "never.test.")
    assert [z["served"] for z in got["named"]] == [True, False], got
    got = says(secd, 1, "a.b.: this server has no such zone", "--zone", "a.b")
    assert got["named"] == [{"zone": "a.b.", "state": None, "served": False}], got
    says(secd, 1, "this is no domain name: a..b", "--zone", "a..b")
    many = [secd.ctl("healthy") for _ in range(20)]  # each asks the workers anew
    assert all(m.returncode == 0 for m in many), many


def usage(secd) -> None:
    for args in (("--max-expired",), ("--max-expired", "-1"), ("--max-empty", "x"), ("--zone",), ("good.test.",)):
        got = secd.ctl("healthy", *args)
        assert got.returncode == 2 and "--max-expired N" in got.stderr, (args, got)


def expired(secd) -> None:
    secd.wait_log("zone expired", 10, zone="short.test.")
    got = says(secd, 1, "short.test. is expired")
    assert got["zones"] == {"total": 3, "served": 1, "empty": 1, "expired": 1}, got
    says(secd, 0, "", "--max-expired", "1", "--zone", "good.test.")
    got = says(secd, 1, "short.test. is expired", "--max-expired", "1", "--zone", "short.test.")
    assert got["named"] == [{"zone": "short.test.", "state": "expired", "served": False}], got


def anycast(lab: Lab, secd) -> tuple:
    """secd-anycast announces what is healthy; its commands write down what a routing daemon would do."""
    for args in ((), ("true",), ("-i", "0", "true", "true"), ("-x", "true", "true")):
        got = subprocess.run([ANYCAST, *args], capture_output=True, text=True, timeout=10, check=False)
        assert got.returncode == 2 and "UP DOWN" in got.stderr, (args, got)
    routes = lab.dir / "routes"
    env = {**os.environ, "PATH": f"{secd.path.parent}:{os.environ['PATH']}"}
    child = lab.spawn([str(ANYCAST), "-r", "1", "-f", "3", "-a", "2", "-s", str(secd.socket),
                       f"echo up >>{routes}", f"echo down >>{routes}; echo no router >&2; exit 7",
                       "--zone", "short.test."], lab.dir / "anycast.log", env=env)
    lab.wait(lambda: routes.exists() and "up" in routes.read_text(), 5, "the address is announced")
    assert routes.read_text().startswith("down\n"), routes.read_text()
    return child, routes


def withdrawn(lab: Lab, child, routes: pathlib.Path) -> None:
    """What failed is tried again; and the address is withdrawn at the end."""
    lab.wait(lambda: routes.read_text().splitlines()[-2:] == ["down", "down"], 10, "withdrawn, and again")
    text = child.text()
    assert "secd-anycast: down: short.test. is expired\n" in text, text
    assert "echo no router >&2; exit 7' failed: no router\n" in text, text
    count = routes.read_text().count("down")
    child.signal(signal.SIGTERM)
    assert child.wait(3) == 0 and "down: it ends" in child.text()
    assert routes.read_text().count("down") > count


def worker_of(secd) -> int:
    """The id of one of its worker threads."""
    tasks = f"/proc/{secd.child.pid}/task"
    return next(int(t) for t in os.listdir(tasks)
                if open(f"{tasks}/{t}/comm", encoding="ascii").read().strip() == "secd-worker")


def hangs(secd) -> None:
    """One worker of two stands still; and recovers."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    tid = worker_of(secd)
    assert libc.ptrace(SEIZE, tid, None, None) == 0, os.strerror(ctypes.get_errno())
    assert libc.ptrace(INTERRUPT, tid, None, None) == 0
    assert os.waitpid(tid, WALL)[0] == tid
    asked = [ask(secd, "--max-expired", "1", "-j") for _ in range(3)]
    for one in asked:
        out, err = one.communicate(timeout=10)
        assert one.returncode == 1 and err == "secdctl: a worker does not answer any more\n", (out, err)
        assert json.loads(out)["turning"] is False, out
    assert libc.ptrace(DETACH, tid, None, None) == 0
    says(secd, 0, "", "--max-expired", "1")
