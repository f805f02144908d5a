"""However a transfer is broken, what was served is served still, the log says why, and it heals."""
import re
from typing import NamedTuple

from lab import Lab, wire
from lab.dnsio import differ
from lab.scripted import CLOSE, RESET, Raw, Send
from lab.wire import AA, QR, TC, frame, message, rr, soa
from lab.zones import RICH, zone

# Each gives the steps for a request r, whose records r.records (SOA first) are sane. S is the SOA.


class Bad(NamedTuple):
    steps: object
    why: str  # a pattern for the reason in the log
    heals: int = 2  # with this serial; what was refused for its content isn't fetched again


def whole(middle=lambda a: [], last=None, first=None):
    """One message: SOA, the zone, something in the middle, the closing SOA."""
    def steps(r):
        s = first(r.apex) if first else r.records[0]
        end = last(r.apex) if last else s
        end = [end] if isinstance(end, bytes) else end
        return [Send(r.answer([s, *r.records[1:], *middle(r.apex), *end]))]
    return steps


def second(change):
    """Two messages; the second one is change(r, closing records)."""
    def steps(r):
        return [Send(r.answer(r.records)), *change(r, r.records[:1])]
    return steps


def one(**opts):
    """One message, whole, whose header or question is not as it should be."""
    return lambda r: [Send(r.answer(r.records + r.records[:1], **opts))]


def lying_length(r):
    """The last record claims more rdata than there is."""
    return [Send(r.answer([*r.records, rr(f"x.{r.apex}", "A", b"\x0a\0\0\1", rdlen=40)]))]




def loop(r):
    """An owner that points at itself."""
    at = 12 + len(r.question)
    here = bytes([0xC0 | at >> 8, at & 0xFF])
    return [Send(r.answer([here + b"\0\1\0\1\0\0\0\1\0\4\x0a\0\0\1"]))]


def forward(r):
    """An owner that points ahead."""
    return [Send(r.answer([b"\xc1\x00" + b"\0\1\0\1\0\0\0\1\0\4\x0a\0\0\1", *r.records]))]


def record(rdtype, rdata, owner="x.", **opts):
    """A record that no zone can hold, amid a sane zone."""
    return whole(lambda a: [rr(f"{owner}{a}", rdtype, rdata, **opts)])


CASES = {
    "closing-serial": Bad(whole(last=lambda a: soa(a, 3)), "clos.*serial"),
    "closing-differs": Bad(whole(last=lambda a: soa(a, 2, minimum=77)), "clos"),
    "cut-between": Bad(lambda r: [Send(r.answer(r.records)), CLOSE], "clos|cut|end"),
    "cut-inside": Bad(lambda r: [Raw(frame(r.answer(r.records))[:-9]), CLOSE], "clos|cut|end"),
    "reset": Bad(lambda r: [Send(r.answer(r.records)), RESET], "reset"),
    "no-answer": Bad(lambda r: [CLOSE], "clos|cut|end"),
    "after-closing": Bad(whole(last=lambda a: [soa(a, 2), rr("x." + a, "A", "10.0.0.1")],
                               first=lambda a: soa(a, 2)), "SOA"),
    "message-trailing": Bad(lambda r: [Send(r.answer(r.records + r.records[:1]) + b"junk")],
                            "octets|behind|trailing"),
    "soa-in-the-middle": Bad(whole(lambda a: [soa(a, 4), rr("x." + a, "A", "10.0.0.1")]), "SOA"),
    "nsec3-iterations": Bad(record("NSEC3PARAM", b"\x01\0\x0b\xb8\0", owner=""),
                            "3000 iterations", heals=3),
    "soa-below-apex": Bad(whole(lambda a: [soa("x." + a, 2)]), "SOA"),
    "begins-without-soa": Bad(lambda r: [Send(r.answer(r.records[1:] + r.records[:1]))], "SOA"),
    "soa-of-another": Bad(whole(first=lambda a: soa("other.test.", 2)), "SOA"),
    "empty-answer": Bad(lambda r: [Send(r.answer([]))], "empty|no record"),
    "refused": Bad(lambda r: [Send(r.answer([], flags=0, rcode=5))], "REFUSED"),
    "rcode-later": Bad(second(lambda r, s: [Send(r.answer(s, rcode=2))]), "SERVFAIL"),
    "id": Bad(lambda r: [Send(r.answer(r.records + r.records[:1], ident=r.ident ^ 1))], "id"),
    "id-later": Bad(second(lambda r, s: [Send(r.answer(s, ident=r.ident ^ 0x100))]), "id"),
    "question-name": Bad(one(question=wire.question("other.test.", "AXFR")), "question"),
    "question-type": Bad(one(question=wire.question("q.axfr.test.", "SOA")), "question"),
    "question-absent": Bad(one(question=b""), "question"),
    "question-later": Bad(second(lambda r, s: [Send(r.answer(s, question=wire.question(
        "other.test.", "AXFR")))]), "question"),
    "truncated": Bad(one(flags=AA | TC), "TC|truncat"),
    "query-bit": Bad(lambda r: [Send(message(r.ident, AA, [r.question],
                                             r.records + r.records[:1]))], "QR|query"),
    "opcode": Bad(lambda r: [Send(message(r.ident, QR | AA | 2 << 11, [r.question],
                                          r.records + r.records[:1]))], "opcode"),
    "class": Bad(record("A", "10.0.0.1", rdclass=3), "."),
    "meta-type-any": Bad(record(255, b""), "."),
    "meta-type-tsig": Bad(record(250, b"\0" * 17), "."),
    "meta-type-opt": Bad(record("OPT", b""), "."),
    "meta-type-axfr": Bad(record(252, b""), "."),
    "short-a": Bad(record("A", b"\x0a\0\1"), "."),
    "long-aaaa": Bad(record("AAAA", b"\0" * 17), "."),
    "short-mx": Bad(record("MX", b"\0"), "."),
    "mx-trailing": Bad(record("MX", b"\0\1\0\0"), "."),
    "txt-past-end": Bad(record("TXT", b"\x05ab"), "."),
    "txt-empty": Bad(record("TXT", b""), "."),
    "ns-label-type": Bad(record("NS", b"\x41\0"), "."),
    "name-too-long": Bad(record("CNAME", (b"\x3f" + b"a" * 63) * 4 + b"\0"), "."),
    "nsec-bitmap-empty": Bad(record("NSEC", b"\0\0\0"), "."),
    "nsec-bitmap-order": Bad(record("NSEC", b"\0" + b"\1\1\x40" + b"\0\1\x40"), "."),
    "svcb-key-order": Bad(record(64, b"\0\1\0" + b"\0\3\0\2\0\x50" + b"\0\1\0\3\2h2"), "."),
    "nsec3-owner": Bad(record("NSEC3", b"\1\0\0\0\0\x14" + b"\0" * 20 + b"\0\1\x40",
                              owner="not-base32hex-."), "."),
    "rdlen-past-end": Bad(lying_length, "."),
    "pointer-loop": Bad(loop, "."),
    "pointer-forward": Bad(forward, "."),
    "counts-lie": Bad(one(counts=(1, 900, 0, 0)), "."),
    "short-message": Bad(lambda r: [Send(b"\0\0\0")], "."),
    "empty-message": Bad(lambda r: [Send(b"")], "."),
    "garbage": Bad(lambda r: [Send(bytes(range(256)) * 8)], "."),
    "serial-back": Bad(whole(first=lambda a: soa(a, 0)), "serial|older|roll"),
    "too-many-records": Bad(lambda r: [Send(r.answer(
        [r.records[0], *(rr(f"h{i}.{r.apex}", "A", "10.0.0.1") for i in range(600))]))],
        "max-records|limit"),
    "too-large-rrset": Bad(whole(lambda a: [rr("x." + a, "A", bytes([10, 0, i >> 8, i & 255]))
                                            for i in range(120)]), "max-rrset|limit"),
    "endless": Bad(lambda r: [Send(r.answer(r.records)),
                              *[Send(r.answer(r.records[1:]))] * 60], "max-records|limit"),
}


def run(lab: Lab) -> None:
    zones = {f"{what}.axfr.test.": case for what, case in CASES.items()}
    primary = lab.scripted_primary({apex: zone(apex, 1, extra=RICH) for apex in zones})
    secd = lab.secd({apex: [primary] for apex in zones},
                    group_opts={"max-records": 500, "max-rrset": 100, "min-retry": "1h"})
    for apex in zones:
        secd.wait_serial(apex, 1, 10)

    def asked(apex):
        return [(apex, "SOA"), ("www." + apex, "A"), ("x." + apex, "A"), ("txt." + apex, "TXT")]

    before = {apex: [secd.query(*q) for q in asked(apex)] for apex in zones}
    primary.on("AXFR", lambda r: zones[r.apex].steps(r))
    wrong = []
    for apex in zones:
        primary.set_zone(apex, zone(apex, 2, extra=RICH))
        primary.notify(secd, apex, 2)
    for apex, case in zones.items():
        line = secd.wait_log("xfr failed", 10, zone=apex)
        if not re.search(case.why, line.keys.get("why", "")) or not line.keys.get("primary"):
            wrong.append(f"{apex} log: {line.text}")
        for q, was in zip(asked(apex), before[apex]):
            changed = differ(was, secd.query(*q))
            if changed:
                wrong.append(f"{apex} {q}: {changed}")
        if secd.logged("xfr installed", zone=apex) != 1:
            wrong.append(f"{apex} was installed")
    assert not wrong, "\n".join(wrong)

    primary.on("AXFR", None)
    for apex, case in zones.items():
        primary.set_zone(apex, zone(apex, case.heals, extra=RICH))
        primary.notify(secd, apex, case.heals)
    for apex, case in zones.items():
        secd.wait_serial(apex, case.heals, 10)
