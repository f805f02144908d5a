"""A TCP client that does not read costs nobody else an answer, and memory stays bounded."""
import pathlib

from lab import Lab
from lab.dnsio import make
from lab.zones import zone


def rss_kib(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def run(lab: Lab) -> None:
    big = "\n".join(f'big TXT "{i:03} {"x" * 240}"' for i in range(60))
    primary = lab.knot({"example.": zone(extra=big)})
    secd = lab.secd({"example.": [primary]}, server_opts={"tcp-per-client": 50})
    secd.wait_serial("example.", 1, 5)
    query = make("big.example.", "TXT").to_wire()
    before = rss_kib(secd.child.pid)
    slow = [secd.tcp(rcvbuf=4096) for _ in range(20)]
    for conn in slow:
        conn.sock.settimeout(0.02)
        try:
            for _ in range(200):  # 200 x 15 kB of answers that nobody reads
                conn.send(*[query] * 10)
        except (TimeoutError, ConnectionError):
            pass
        assert secd.rcode("www.example.") == "NOERROR"
        assert secd.rcode("www.example.", tcp=True) == "NOERROR"
    grown = rss_kib(secd.child.pid) - before
    assert grown < 20 * 1024 * secd.slow, f"grew by {grown} KiB for {len(slow)} slow readers"
    # One that begins to read gets whole answers.
    slow[0].sock.settimeout(3)
    got = slow[0].recv()
    assert got and len(got) > 14000, got and len(got)
    for conn in slow:
        conn.close()
    assert secd.rcode("www.example.", tcp=True) == "NOERROR"
