"""A primary that sends one byte at a time is slow, not wrong: the zone arrives."""
from lab import Lab, wire
from lab.scripted import Drip, Send
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=3)})
    primary.on("AXFR", lambda r: [Drip(b"".join(wire.frame(m)
                                                for m in r.axfr_messages(per_message=2)))])
    primary.on("SOA udp", lambda r: [Send(r.answer(flags=wire.AA | wire.TC))])
    primary.on("SOA tcp", lambda r: [Drip(wire.frame(r.soa()))])
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 3, 10)
