"""Messages of 64 KiB and records as large as they can be come through, and go out over TCP."""
import dns.flags

from lab import Lab, wire
from lab.scripted import Send
from lab.zones import zone

BIG = b"".join(b"\xff" + bytes([65 + i % 26]) * 255 for i in range(250))  # 64,000 octets


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=2)})

    def steps(r):
        txt = wire.rr("big.example.", "TXT", BIG)
        many = [wire.rr("many.example.", "AAAA", bytes(12) + i.to_bytes(4, "big"))
                for i in range(1500)]
        first, *rest = r.records
        return [Send(r.answer([first, *rest])), Send(r.answer([txt])),
                Send(r.answer(many, question=b"")), Send(r.answer([first]))]

    primary.on("AXFR", steps)
    secd = lab.secd({"example.": [primary]})
    secd.wait_serial("example.", 2, 5)
    r = secd.query("big.example.", "TXT", tcp=True)
    assert b"".join(b"\xff" + s for s in r.answer[0][0].strings) == BIG
    r = secd.query("many.example.", "AAAA", tcp=True)
    assert len(r.answer[0]) == 1500 and not r.flags & dns.flags.TC
    for payload in (512, 1232, 4096):
        r = secd.query("big.example.", "TXT", payload=payload)
        assert r.flags & dns.flags.TC and not r.answer, r
        r = secd.query("many.example.", "AAAA", payload=payload)
        assert r.flags & dns.flags.TC, r
