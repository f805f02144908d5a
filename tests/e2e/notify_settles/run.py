"""Thousands of NOTIFYs cost a question each 0.2 s at most, none goes unanswered, and the last change is served."""
import socket
import time

from lab import Lab
from lab.scripted import notify_wire
from lab.zones import zone


COUNT, WINDOW = 20_000, 64


def storm(secd) -> int:
    """Send COUNT NOTIFYs, at most WINDOW of them unanswered at a time; how many were answered."""
    answered = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((secd.addr, secd.port))
        s.settimeout(2 * secd.slow)
        for sent in range(COUNT + WINDOW):
            if sent < COUNT:
                s.send(notify_wire("example.", 1, ident=sent & 0xffff))
            if sent >= WINDOW:
                s.recv(512)
                answered += 1
    return answered


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    polls, began = primary.count("SOA"), time.monotonic()
    assert storm(secd) == COUNT
    took = time.monotonic() - began
    asked = primary.count("SOA") - polls
    assert asked <= took / 0.2 + 2, f"{asked} questions in {took:.2f} s"
    assert asked >= 1
    primary.set_zone("example.", zone(serial=2))
    assert primary.notify(secd, "example.", 2).rcode() == 0
    secd.wait_serial("example.", 2, 2 * secd.slow)
