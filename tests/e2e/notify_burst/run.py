"""NOTIFYs for hundreds of zones in one burst all count: every change is served within seconds."""
import socket

from lab import Lab
from lab.scripted import notify_wire
from lab.zones import zone

ZONES = 1500


def run(lab: Lab) -> None:
    apexes = [f"z{i}.burst.test." for i in range(ZONES)]
    primary = lab.scripted_primary({a: zone(a, 1) for a in apexes})
    secd = lab.secd({a: [primary] for a in apexes})
    lab.wait(lambda: secd.logged("xfr installed") == ZONES, 20 * secd.slow, "all zones installed")
    for apex in apexes:
        primary.set_zone(apex, zone(apex, 2))
    left = {i: notify_wire(apex, 2, ident=i) for i, apex in enumerate(apexes)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.connect((secd.addr, secd.port))
        s.settimeout(0.3)
        for _ in range(20):  # like any primary: what is not answered is sent again
            for msg in left.values():
                s.send(msg)
            try:
                while left:
                    left.pop(int.from_bytes(s.recv(512)[:2], "big"), None)
            except TimeoutError:
                pass
            if not left:
                break
    assert not left, f"{len(left)} were never answered"
    # What was answered must have been heard: a primary does not say it twice.
    served = 0

    def all_served() -> bool:
        nonlocal served
        served = secd.logged("xfr installed", serial=2)
        return served == ZONES

    try:
        lab.wait(all_served, 10 * secd.slow, "every zone that was notified is served anew")
    except AssertionError as e:
        raise AssertionError(f"{e}: {served} of {ZONES}") from None
