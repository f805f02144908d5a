"""What is odd in a transfer but sound is taken: grouping, case, order, doubles, strangers, bits."""
from lab import Lab, wire
from lab.dnsio import compare
from lab.scripted import CLOSE, Send
from lab.wire import RA, rr, soa
from lab.zones import RICH, questions, zone


def one_each(r):
    """A message for each record, the question in the first only."""
    return [Send(r.answer(r.records[:1])),
            *(Send(r.answer([x], question=b"")) for x in [*r.records[1:], r.records[0]])]


def shuffled(r):
    return [Send(r.answer([r.records[0], *reversed(r.records[1:]), r.records[0]]))]


def doubled(r):
    return [Send(r.answer([r.records[0], *r.records[1:] * 2, r.records[0]]))]


def closing_case(r):
    return [Send(r.answer([*r.records, soa(r.apex.upper(), 2)]))]


def strangers(r):
    return [Send(r.answer([*r.records, rr("www.elsewhere.test.", "A", "10.9.9.9"),
                           rr(r.apex.split(".", 1)[1], "NS", "ns.evil.test."), r.records[0]]))]


def header_bits(r):
    """AA clear, RA, AD, CD and the reserved bit set (RFC 5936 2.2.1: ignored)."""
    return r.axfr(flags=RA | 0x0070)


def empty_between(r):
    return [Send(r.answer(r.records)), Send(r.answer([])), Send(r.answer(r.records[:1]))]


def pointers(r):
    """Owners compressed against the question's name."""
    apex = wire.name(r.apex)
    short = [x.replace(apex, b"\xc0\x0c", 1) if i else x for i, x in enumerate(r.records)]
    return [Send(r.answer([*short, r.records[0]]))]


def closed_behind(r):
    return [*r.axfr(), CLOSE]


def extra_sections(r):
    return [Send(r.answer([*r.records, r.records[0]],
                          authority=[rr(r.apex, "NS", "ns.evil.test.")],
                          additional=[rr("www." + r.apex, "A", "10.9.9.9")]))]


CASES = {f.__name__.replace("_", "-"): f for f in
         (one_each, shuffled, doubled, closing_case, strangers, header_bits, empty_between,
          pointers, closed_behind, extra_sections)}


def run(lab: Lab) -> None:
    zones = {f"{what}.odd.test.": steps for what, steps in CASES.items()}
    texts = {apex: zone(apex, 2, extra=RICH) for apex in zones}
    honest = lab.knot(texts)
    primary = lab.scripted_primary(texts)
    primary.on("AXFR", lambda r: zones[r.apex](r))
    secd = lab.secd({apex: [primary] for apex in zones})
    for apex in zones:
        secd.wait_serial(apex, 2, 5)
        compare(secd, honest, questions(apex))
