"""A SOA answer that was truncated over UDP is asked for again over TCP."""
from lab import Lab, ScriptedPrimary
from lab.scripted import CLOSE, Send
from lab.wire import AA, TC
from lab.zones import zone


def run(lab: Lab) -> None:
    primary: ScriptedPrimary = lab.scripted_primary({"example.": zone(serial=1)})
    # What a truncated answer holds counts for nothing.
    primary.on("SOA udp", lambda r: [Send(r.answer(flags=AA | TC))])
    # No connection stands, so the question begins with UDP.
    primary.on("AXFR", lambda r: [*r.axfr(), CLOSE])
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    primary.set_zone("example.", zone(serial=2))
    primary.notify(secd, "example.", 2)
    secd.wait_serial("example.", 2, 5)
    assert primary.log()[1:3] == ["SOA udp", "SOA tcp"], primary.log()
