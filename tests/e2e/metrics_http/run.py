"""Prometheus gets its metrics by HTTP beside whoever else comes there, and those hold up nobody."""
import http.client
import os
import resource
import socket
import time

from lab import Lab, metrics
from lab.scripted import IGNORE
from lab.zones import zone

TIME_LIMIT = 60
ZONES = 2000
CLIENTS = 16  # CTL_HTTP_CLIENTS of ctl/http.h


def run(lab: Lab) -> None:
    port, port6 = lab.port(), lab.port("::1")
    primary = lab.scripted_primary({"example.": zone(refresh=1, retry=1, expire=3)})
    primary.on("AXFR", lambda r: None if r.apex == "example." else [IGNORE])
    secd = lab.secd({"example.": [primary], "empty.example.": [primary]},
                    server_opts={"metrics-listen": f"127.0.0.1@{port}, ::1@{port6}"}, start=False)
    start(lab, secd, port, port6)
    secd.wait_serial("example.", 1, 5)
    for addr, at in (("127.0.0.1", port), ("::1", port6)):
        assert secd.logged("metrics listening", addr=f"{addr}@{at}") == 1
    requests(secd, port, port6)
    garbage(lab, secd, port)
    primary.stop()
    no_descriptors(lab, secd, port)
    crowd(lab)
    ill(lab, secd, port)
    taken(lab, primary, port)


def start(lab, secd, *ports: int) -> None:
    """Let go of its ports, and start it."""
    for port in ports:
        lab.release(port)
    secd.start()


def requests(secd, port: int, port6: int) -> None:
    for addr, at in (("127.0.0.1", port), ("::1", port6)):
        status, head, body = metrics.fetch(at, addr=addr)
        assert status == 200 and head["connection"] == "close", head
        assert head["content-type"] == "text/plain; version=0.0.4; charset=utf-8", head
        m = metrics.Metrics(body)
        assert m.of("secd_zone_serial", zone="example") == 1, body
        metrics.check(body)
    before = metrics.Metrics(metrics.fetch(port)[2])
    secd.query("www.example.", "AAAA")
    m = metrics.Metrics(metrics.fetch(port)[2])
    assert m.since(before, "secd_questions_total", type="AAAA") == 1
    status, head, body = metrics.fetch(port, method="HEAD")
    assert status == 200 and body == "" and head["content-type"].startswith("text/plain"), head
    assert metrics.fetch(port, "/healthy")[::2] == (200, "ok\n")
    assert metrics.fetch(port, "/healthy", "HEAD")[::2] == (200, "")
    assert metrics.fetch(port, "/metrics?a=b")[0] == 200
    for path in ("/", "/metrics/", "//metrics", "/%6detricsx", "/../metrics", "/" + "x" * 5000):
        assert metrics.fetch(port, path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FROB", "get"):
        status, head, _body = metrics.fetch(port, method=method)
        assert status == 405 and head["allow"] == "GET, HEAD", (method, status, head)


def garbage(lab, secd, port: int) -> None:
    long = b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 100_000
    for data in (b"\r\n\r\n", b"\0" * 1000, b"GET\r\n\r\n", b"GET /metrics\r\n\r\n",
                 b"GET /metrics HTTP/9.9\r\n\r\n", long, b"\x16\x03\x01\x02\x00\x01\x00",
                 b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nx",
                 b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                 b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50,
                 lab.rng.randbytes(3000), lab.rng.randbytes(30) + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            try:
                s.sendall(data)
            except OSError:
                pass  # it had enough
        assert metrics.fetch(port)[0] == 200, data[:40]
    assert secd.query("www.example.").answer


def no_descriptors(lab, secd, port: int) -> None:
    """When there were none for a while, it goes on by itself, and has not spun meanwhile."""
    pid = secd.child.pid

    def lowest_free() -> int:
        there = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        return min(set(range(len(there) + 1)) - there)

    def cpu() -> float:
        return metrics.of(secd).of("process_cpu_seconds_total")

    before, used = resource.prlimit(pid, resource.RLIMIT_NOFILE), cpu()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(), before[1]))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET /healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        lab.wait(lambda: secd.query("www.example.").answer and time.monotonic() > began + 0.5, 5,
                 "a while")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        s.settimeout(5)
        assert s.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert secd.slow > 1 or cpu() - used < 0.25, "it was idle"


def crowd(lab) -> None:
    """Who comes and says nothing, drips, or takes nothing of a large answer keeps nobody out."""
    port, nobody = lab.port(), lab.scripted_primary({})
    nobody.stop()
    wide = lab.secd({f"{'x' * 60}.{'y' * 60}.{'z' * 60}.z{i}.example.": [nobody]
                     for i in range(ZONES)},
                    server_opts={"metrics-listen": f"127.0.0.1@{port}", "metrics-zones": ZONES},
                    start=False)
    start(lab, wide, port)
    text = metrics.fetch(port)[2]
    assert len(text) > 900_000, len(text)
    assert len(metrics.Metrics(text).all("secd_zone_state")) == ZONES
    held: list[socket.socket] = []
    try:
        for i in range(2 * CLIENTS):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(10)
            s.connect(("127.0.0.1", port))
            s.sendall((b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")[i % 3])
            held.append(s)
        began = time.monotonic()

        def served() -> bool:
            for s in held[1::3]:
                try:
                    s.sendall(b"r")
                except OSError:
                    pass  # it was closed
            try:
                return metrics.fetch(port, timeout=2 * wide.slow)[0] == 200
            except (OSError, http.client.HTTPException):
                return False
        lab.wait(served, 10 * wide.slow, "Prometheus has its turn")
        assert time.monotonic() - began < 5 * wide.slow
        assert wide.rcode("z1.example.") == "REFUSED"
        assert wide.ctl("stats").returncode == 0
        assert wide.ctl("metrics").stdout.count("secd_zone_state{") == ZONES
        lab.wait(lambda: served() and sum(over(s) for s in held) >= len(held) - CLIENTS,
                 6 * wide.slow, "they have made place")
    finally:
        for s in held:
            s.close()
    memory = metrics.Metrics(metrics.fetch(port)[2]).of("process_resident_memory_bytes")
    assert wide.slow > 1 or memory < 200 << 20, memory
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        wide.stop()  # while it is being gathered, or sent


def over(s: socket.socket) -> bool:
    """Has the other side closed, whatever is still to be read?"""
    s.setblocking(False)
    try:
        while s.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def ill(lab, secd, port: int) -> None:
    """Its primary is gone: a zone has expired, and it says so."""
    secd.wait_log("zone expired", 10, zone="example.")
    status, _head, body = metrics.fetch(port, "/healthy")
    assert (status, body) == (503, "1 of 2 zones has expired\n"), body
    m = metrics.Metrics(metrics.fetch(port)[2])
    assert m.of("secd_zones", state="expired") == 1 and m.of("secd_zones_expired_total") == 1
    assert m.of("secd_zone_state", zone="example", state="expired") == 1
    assert m.of("secd_zone_expiry_seconds", zone="example") <= 0, m.text
    assert m.of("secd_zone_lag_seconds", zone="example") >= 3, m.text
    lab.wait(lambda: set(metrics.Metrics(metrics.fetch(port)[2]).all("secd_primary_up").values())
             == {0}, 15, "the primary is down")


def taken(lab, primary, port: int) -> None:
    """An address that can't be had is told of, and costs nothing else."""
    secd = lab.secd({"example.": [primary]}, server_opts={"metrics-listen": f"127.0.0.1@{port}"})
    assert secd.logged("metrics failed", addr=f"127.0.0.1@{port}", why="Address already in use")
    assert secd.rcode("www.example.") == "SERVFAIL" and secd.ctl("metrics").returncode == 0
