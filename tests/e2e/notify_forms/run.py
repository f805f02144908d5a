"""A NOTIFY of a wrong form is answered as such and starts nothing; odd but sound ones count."""
import dns.rcode

from lab import Lab, dnsio, wire
from lab.scripted import notify_wire
from lab.zones import zone

NOTIFY = 4 << 11


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=5)})
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 5, 5)
    q = wire.question("example.", "SOA")

    def rcode(msg: bytes) -> str:
        got = dnsio.udp_raw(secd.addr, secd.port, msg)
        assert got[:2] == msg[:2] and got[2] & 0x80, got
        return dns.rcode.to_text(got[3] & 15)

    polls = primary.count("SOA")
    wrong = {
        "type A": (notify_wire("example.", qtype="A"), {"FORMERR", "NOTIMP"}),
        "type AXFR": (notify_wire("example.", qtype="AXFR"), {"FORMERR", "NOTIMP"}),
        "no question": (wire.message(7, NOTIFY), {"FORMERR"}),
        "two questions": (wire.message(7, NOTIFY, [q, q]), {"FORMERR"}),
        "class CH": (wire.message(7, NOTIFY, [wire.question("example.", "SOA", 3)]),
                     {"FORMERR", "NOTIMP", "REFUSED", "NOTAUTH"}),
        "cut question": (wire.message(7, NOTIFY, [q[:-3]], counts=(1, 0, 0, 0)), {"FORMERR"}),
        "below the apex": (notify_wire("www.example."), {"NOTAUTH", "REFUSED"}),
    }
    for what, (msg, allowed) in wrong.items():
        got = rcode(msg)
        assert got in allowed, f"{what}: {got}"
    assert primary.count("SOA") == polls, primary.log()
    # An answer is no NOTIFY: nothing comes back.
    try:
        dnsio.udp_raw(secd.addr, secd.port, notify_wire("example.", flags=wire.QR), timeout=0.3)
        raise AssertionError("a NOTIFY answer was answered")
    except TimeoutError:
        pass

    junk = wire.rr("victim.test.", "A", "10.9.9.9")
    sound = {
        "no AA": notify_wire("example.", flags=0),
        "older hint": notify_wire("example.", 1),
        "hint of another name": wire.message(7, NOTIFY | wire.AA, [q], [wire.soa("o.test.", 9)]),
        "authority and additional": wire.message(7, NOTIFY | wire.AA, [q], [], [junk], [junk]),
        "EDNS": wire.message(7, NOTIFY | wire.AA, [q], additional=[
            wire.rr(".", "OPT", b"", ttl=0, rdclass=1232)]),
        "upper case": notify_wire("EXAMPLE."),
    }
    for what, msg in sound.items():
        polls = secd.logged("poll current", zone="example.")
        assert rcode(msg) == "NOERROR", what
        secd.wait_log("poll current", 3, zone="example.", count=polls + 1)
    assert primary.count("AXFR") == 1, "a hint alone started a transfer"
