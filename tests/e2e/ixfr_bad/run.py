"""Whatever is wrong with IXFR, the whole zone is asked for at once, and the old one served meanwhile."""
import itertools
import re
from typing import NamedTuple

from lab import Lab, wire
from lab.dnsio import differ
from lab.scripted import CLOSE, RESET, STALL, Raw, Send
from lab.wire import AA, TC, frame, rr, soa
from lab.zones import RICH, zone

# Each zone is held with serial 1; the primary has serial 2. A case gives the steps for a request
# r; old and new are what the true difference would have in it beside the SOAs.


class Bad(NamedTuple):
    steps: object
    why: str  # a pattern for the reason in the log


def old(a):
    return [rr("www." + a, "A", "10.0.0.1")]


def new(a):
    return [rr("www." + a, "A", "10.0.0.2")]


def stream(make, **opts):
    """The records that make(apex) gives, in one message."""
    return lambda r: [Send(r.answer(make(r.apex), **opts))]


def whole(a, serials=(2, 1, 2, 2), gone=None, come=None):
    """A difference with these serials, true unless told otherwise."""
    first, source, target, last = serials
    return [soa(a, first), soa(a, source), *(old(a) if gone is None else gone),
            soa(a, target), *(new(a) if come is None else come), soa(a, last)]


def rcode(code):
    return lambda r: [Send(r.answer([], flags=0, rcode=code))]


def big(a, count):
    return [rr(f"b{i}.{a}", "TXT", b"\xff" + b"x" * 255) for i in range(count)]


def outgrown(r):
    """430 KB of additions, for a zone of a few KB."""
    head = [soa(r.apex, 2), soa(r.apex, 1), *old(r.apex), soa(r.apex, 2), *new(r.apex)]
    rest = big(r.apex, 1600) + [soa(r.apex, 2)]
    return [Send(r.answer(head)), *[Send(r.answer(rest[i:i + 100]))
                                    for i in range(0, len(rest), 100)]]


CASES = {
    "gap": Bad(stream(lambda a: [soa(a, 2), soa(a, 1), *old(a), soa(a, 4294967000), soa(a, 2),
                                 soa(a, 2), *new(a), soa(a, 2)]), "back to|starts from"),
    "gap-forward": Bad(stream(lambda a: [soa(a, 9), soa(a, 1), *old(a), soa(a, 2), soa(a, 3),
                                         soa(a, 9), *new(a), soa(a, 9)]), "the one before led to"),
    "foreign-start": Bad(stream(lambda a: whole(a, (2, 4294967295, 2, 2))), "we hold 1"),
    "wrong-end": Bad(stream(lambda a: whole(a, (3, 1, 2, 3))), "end with serial 2"),
    "beyond-the-end": Bad(stream(lambda a: whole(a, (2, 1, 3, 2))), "end with serial 3"),
    "to-itself": Bad(stream(lambda a: whole(a, (2, 1, 1, 2))), "back to 1"),
    "closing-differs": Bad(stream(lambda a: whole(a)[:-1] + [soa(a, 2, minimum=7)]), "closing SOA"),
    "soa-differs": Bad(stream(lambda a: [soa(a, 2), soa(a, 1), *old(a), soa(a, 2, retry=7),
                                         *new(a), soa(a, 2)]), "not the closing one"),
    "removes-nothing": Bad(stream(lambda a: whole(a, gone=[rr("nobody." + a, "A", "10.0.0.1")])),
                           "removes what is not there: A"),
    "removes-other-data": Bad(stream(lambda a: whole(a, gone=[rr("www." + a, "A", "10.9.9.9")])),
                              "removes what is not there: A"),
    "removes-twice": Bad(stream(lambda a: whole(a, gone=old(a) * 2)), "removes what is not there"),
    "removes-other-soa": Bad(stream(lambda a: [soa(a, 2), soa(a, 1, retry=7), *old(a), soa(a, 2),
                                               *new(a), soa(a, 2)]), "not there: SOA"),
    "adds-existing": Bad(stream(lambda a: whole(a, come=[*new(a), rr("mx1." + a, "A",
                                                                     "192.0.2.25")])),
                         "adds what is there already: A"),
    "adds-twice": Bad(stream(lambda a: whole(a, come=new(a) * 2)), "adds what is there already"),
    "after-the-end": Bad(stream(lambda a: [*whole(a), *new(a)]), "after the closing SOA"),
    "after-a-whole-zone": Bad(lambda r: [Send(r.answer(r.records + r.records[:1] + new(r.apex)))],
                              "after the closing SOA"),
    "notimp": Bad(rcode(4), "NOTIMP"),
    "formerr": Bad(rcode(1), "FORMERR"),
    "refused": Bad(rcode(5), "REFUSED"),
    "servfail": Bad(rcode(2), "SERVFAIL"),
    "notauth": Bad(rcode(9), "NOTAUTH"),
    "rcode-later": Bad(lambda r: [Send(r.answer(whole(r.apex)[:3])),
                                  Send(r.answer([], rcode=2))], "SERVFAIL"),
    "empty": Bad(lambda r: [Send(r.answer([]))], "empty"),
    "soa-in-authority": Bad(lambda r: [Send(r.answer([], authority=r.records[:1]))], "empty"),
    "closed": Bad(lambda r: [CLOSE], "closed"),
    "reset": Bad(lambda r: [Send(r.answer(whole(r.apex)[:4])), RESET], "reset"),
    "reset-at-once": Bad(lambda r: [RESET], "reset|closed"),
    "silence": Bad(lambda r: [STALL], "silent"),
    "silence-within": Bad(lambda r: [Send(r.answer(whole(r.apex)[:4])), STALL], "silent"),
    "single-newer-closed": Bad(lambda r: [Send(r.answer(r.records[:1])), CLOSE], "single SOA"),
    "single-newer-silent": Bad(lambda r: [Send(r.answer(r.records[:1])), STALL], "single SOA"),
    "cut-inside": Bad(lambda r: [Raw(frame(r.answer(whole(r.apex)))[:-9]), CLOSE], "inside"),
    "cut-between": Bad(lambda r: [Send(r.answer(whole(r.apex)[:-1])), CLOSE], "closing SOA"),
    "truncated": Bad(stream(whole, flags=AA | TC), "TC"),
    "id": Bad(lambda r: [Send(r.answer(whole(r.apex), ident=r.ident ^ 1))], "id"),
    "question": Bad(lambda r: [Send(r.answer(whole(r.apex), question=wire.question(
        r.apex, "AXFR")))], "another question"),
    "malformed": Bad(stream(lambda a: whole(a, come=[rr("x." + a, "A", b"\1\2\3")])), "malformed"),
    "class": Bad(stream(lambda a: whole(a, come=[rr("x." + a, "A", "10.0.0.1", rdclass=3)])),
                 "no zone can hold it"),
    "soa-below": Bad(stream(lambda a: whole(a, come=[soa("x." + a, 2)])), "no zone can hold it"),
    "begins-without-soa": Bad(stream(lambda a: [*old(a), *whole(a)]), "SOA"),
    "iterations": Bad(stream(lambda a: whole(a, come=[*new(a), rr(
        a, "NSEC3PARAM", b"\x01\0\x0b\xb8\0")])), "3000 iterations"),
    "rrset": Bad(stream(lambda a: whole(a, come=[rr("x." + a, "A", bytes([10, 0, i >> 8, i & 255]))
                                                 for i in range(120)])), "max-rrset = 100"),
    "outgrows": Bad(outgrown, "larger than the zone"),
    "counts-lie": Bad(stream(whole, counts=(1, 900, 0, 0)), "unreadable"),
    "garbage": Bad(lambda r: [Send(bytes(range(256)) * 8)], "."),
    "short": Bad(lambda r: [Send(b"\0\0\0")], "shorter"),
}


def run(lab: Lab) -> None:
    zones = {f"{what}.ixfr.test.": case for what, case in CASES.items()}
    primary = lab.scripted_primary({apex: zone(apex, 1, extra=RICH) for apex in zones})
    secd = lab.secd({apex: [primary] for apex in zones},
                    group_opts={"max-rrset": 100, "min-retry": "1h"},
                    server_opts={"transfer-idle": 1, "transfers": len(zones)})
    for apex in zones:
        secd.wait_serial(apex, 1, 10)

    def asked(apex):
        return [(apex, "SOA"), ("www." + apex, "A"), ("x." + apex, "A"), ("mx1." + apex, "A")]

    before = {apex: [secd.query(*q) for q in asked(apex)] for apex in zones}
    primary.on("IXFR", lambda r: zones[r.apex].steps(r))
    primary.on("AXFR", [CLOSE])  # for now: what is served must be the old version
    for apex in zones:
        primary.set_zone(apex, zone(apex, 2, extra=RICH))
        primary.notify(secd, apex, 2)
    wrong = []
    for apex, case in zones.items():
        line = secd.wait_log("xfr fallback", 10 * secd.slow, zone=apex)
        if not re.search(case.why, line.keys["why"]):
            wrong.append(f"{apex} log: {line.text}")
        secd.wait_log("xfr failed", 10, zone=apex)
        for q, was in zip(asked(apex), before[apex]):
            changed = differ(was, secd.query(*q))
            if changed:
                wrong.append(f"{apex} {q}: {changed}")
        kinds = [k for k in primary.log(apex) if "SOA" not in k]
        # Asked again counts once: a connection that closes may have done so for another zone.
        if [k for k, _ in itertools.groupby(kinds)] != ["AXFR tcp", "IXFR tcp", "AXFR tcp"]:
            wrong.append(f"{apex} was asked {kinds}")
    assert not wrong, "\n".join(wrong)

    primary.on("AXFR", None)
    for apex in zones:
        primary.notify(secd, apex, 2)
    for apex in zones:
        secd.wait_serial(apex, 2, 10 * secd.slow)
        assert secd.logged("xfr fallback", zone=apex) == 1, "not again within the minute"
        assert secd.logged("xfr installed", zone=apex, serial=2, how="axfr") == 1
        assert secd.logged("xfr failed", zone=apex) == 1
