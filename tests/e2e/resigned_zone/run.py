"""A zone whose primary signs it anew under the same serial is transferred again; with signature-check off it is not."""
import struct

from lab import Lab
from lab.scripted import CLOSE, Send
from lab.zones import zone

RRSIG = ("{name} 3600 IN RRSIG SOA 13 1 3600 {until} 20260101000000 4711 example. "
         "c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlLi4uLg==\n")


def signed(until: str) -> str:
    return zone(serial=1, refresh=1, retry=1) + RRSIG.format(name="example.", until=until)


def answer(r, **opts) -> list:
    """The SOA with its signature, as to a question with DO."""
    sigs = [x for x in r.records if b"\x00\x2e\x00\x01" in x[:30]]
    return [Send(r.answer(r.records[:1] + sigs, **opts))]


def little_left(lab: Lab) -> None:
    """What is signed anew and can't be had lives no longer than the primary's own copy (RFC 7314 4)."""
    left = [b"\0" + struct.pack("!HHIHHHI", 41, 1232, 0, 8, 9, 4, 100)]
    primary = lab.scripted_primary({"example.": signed("20270101000000")})
    primary.on("SOA", lambda r: answer(r, additional=left))
    primary.on("AXFR", lambda r: [Send(m) for m in r.axfr_messages(additional=left)])
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 1, 5)
    primary.set_zone("example.", signed("20270201000000"))
    primary.on("AXFR", [CLOSE])
    secd.wait_log("xfr failed", 8, zone="example.")
    secd.wait_log("zone current", 5, zone="example.")
    z = secd.ctl_json("zone", "example.")
    assert z["held"]["expires"] - z["now"] < 101, z["held"]


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": signed("20270101000000")})
    primary.on("SOA", answer)
    secd = lab.secd({"example.": [primary]})
    deaf = lab.secd({"example.": [primary]}, group_opts={"signature-check": "off"})
    for s in (secd, deaf):
        s.wait_serial("example.", 1, 5)
    primary.wait_for("SOA", 5, count=4)
    assert primary.count("AXFR") == 2, "the same signatures are no news"
    primary.set_zone("example.", signed("20270201000000"))
    secd.wait_log("xfr installed", 5 * secd.slow, count=2, zone="example.")
    assert secd.logged("poll resigned", zone="example.") == 1
    polls = primary.count("SOA")
    primary.wait_for("SOA", 8, count=polls + 4)
    assert deaf.logged("xfr installed", zone="example.") == 1
    assert secd.logged("xfr installed", zone="example.") == 2, "once is enough"
    little_left(lab)
