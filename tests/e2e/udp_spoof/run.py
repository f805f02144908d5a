"""A datagram with a wrong id, question or sender is no answer; the true one behind it counts."""
import socket

from lab import Lab
from lab import wire
from lab.scripted import Send, Wait
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    forged = [wire.soa("example.", 99)]
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.1", 0))

    def from_elsewhere(r):
        stranger.sendto(r.answer(forged), r.peer)
        return [Wait(0.05), Send(r.soa())]

    ways = {
        "another id": lambda r: [Send(r.answer(forged, ident=r.ident ^ 1)), Send(r.soa())],
        "another name": lambda r: [
            Send(r.answer(forged, question=wire.question("fxample.", "SOA"))), Send(r.soa())],
        "another type": lambda r: [
            Send(r.answer(forged, question=wire.question("example.", "NS"))), Send(r.soa())],
        "another class": lambda r: [
            Send(r.answer(forged, question=wire.question("example.", "SOA", 3))), Send(r.soa())],
        "no question": lambda r: [Send(r.answer(forged, question=b"")), Send(r.soa())],
        "without QR": lambda r: [Send(wire.message(r.ident, wire.AA, [r.question], forged)),
                                 Send(r.soa())],
        "another sender": from_elsewhere,
    }
    try:
        for what, handler in ways.items():
            polls = secd.logged("poll current", zone="example.")
            primary.on("SOA udp", handler)
            primary.notify(secd, "example.")
            secd.wait_log("poll current", 5, zone="example.", count=polls + 1)
            assert primary.count("AXFR") == 1, what
            assert secd.serial("example.") == 1, what
    finally:
        stranger.close()
