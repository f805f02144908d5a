"""Each form that an answer to IXFR may have makes the zone that it means, without AXFR."""
from lab import Lab
from lab.scripted import CLOSE, Send
from lab.wire import rr, soa
from lab.zones import RICH, version_addr, zone

LAST = (1 << 32) - 1


def www(a, serial):
    return rr("www." + a, "A", version_addr(serial))


def step(a, source, target):
    """One difference: what zone(serial) changes."""
    return [soa(a, source), www(a, source), soa(a, target), www(a, target)]


def several(a, serials):
    return [x for s, t in zip(serials, serials[1:]) for x in step(a, s, t)]


def differences(serials, per_message=100, last=()):
    """From the first serial to the last one over those between."""
    def steps(r):
        end = soa(r.apex, serials[-1])
        return [*r.axfr([end, *several(r.apex, serials), end], per_message), *last]
    return steps


def whole(r):
    return r.axfr(per_message=7)


def empty_parts(r):
    """Something comes and goes on the way; a step changes nothing but the serial."""
    a, x = r.apex, rr("x." + r.apex, "A", "192.0.2.1")
    return r.axfr([soa(a, 5), soa(a, 1), soa(a, 2), x, soa(a, 2), x, soa(a, 3), soa(a, 3),
                   soa(a, 4), *step(a, 4, 5)[:1], www(a, 1), soa(a, 5), www(a, 5), soa(a, 5)])


def other_case(r):
    a = r.apex
    return r.axfr([soa(a.upper(), 2), soa(a.title(), 1), rr("WWW." + a, "A", "10.0.0.1"),
                   soa(a, 2), rr("wWw." + a, "A", "10.0.0.2"), soa(a.upper(), 2)])


def no_question_later(r):
    end = soa(r.apex, 2)
    return [Send(r.answer([end])), *[Send(r.answer([x], question=b""))
                                     for x in [*step(r.apex, 1, 2), end]]]


# Name: serial that is held, the one to come, the steps, how the log says that it came.
SHAPES = {
    "one": (1, 2, differences([1, 2]), "ixfr"),
    "one-per-message": (1, 2, differences([1, 2], 1), "ixfr"),
    "two-per-message": (1, 3, differences([1, 2, 3], 2), "ixfr"),
    "soa-alone-first": (1, 2, lambda r: [Send(r.answer([soa(r.apex, 2)])), Send(r.answer(
        [*step(r.apex, 1, 2), soa(r.apex, 2)]))], "ixfr"),
    "several": (1, 40, differences(list(range(1, 41)), 11), "ixfr"),
    "condensed": (1, 1000, differences([1, 1000]), "ixfr"),
    "over-the-edge": (LAST - 1, 2, differences([LAST - 1, LAST, 0, 1, 2]), "ixfr"),
    "as-far-as-it-goes": (1, 1 << 31, differences([1, 1 << 31]), "ixfr"),
    "empty-parts": (1, 5, empty_parts, "ixfr"),
    "other-case": (1, 2, other_case, "ixfr"),
    "no-question-later": (1, 2, no_question_later, "ixfr"),
    "closed-behind": (1, 2, differences([1, 2], last=[CLOSE]), "ixfr"),
    "whole-zone": (1, 2, whole, "axfr-in-ixfr"),
}


def run(lab: Lab) -> None:
    zones = {f"{what}.ixfr.test.": shape for what, shape in SHAPES.items()}
    primary = lab.scripted_primary({apex: zone(apex, held, extra=RICH)
                                    for apex, (held, *_) in zones.items()})
    secd = lab.secd({apex: [primary] for apex in zones})
    for apex, (held, *_) in zones.items():
        secd.wait_serial(apex, held, 10)
    primary.on("AXFR", [CLOSE])
    primary.on("IXFR", lambda r: zones[r.apex][2](r))
    for apex, (_held, serial, _steps, _how) in zones.items():
        primary.set_zone(apex, zone(apex, serial, extra=RICH))
        primary.notify(secd, apex, serial)
    for apex, (held, serial, _steps, how) in zones.items():
        secd.wait_serial(apex, serial, 10)
        got = secd.query("www." + apex).answer[0]
        assert got[0].address == version_addr(serial), got
        assert secd.rcode("x." + apex) == "NXDOMAIN"
        assert secd.query("mail." + apex, "MX").answer, "the rest is as it was"
        secd.wait_log("xfr installed", 5, zone=apex, serial=serial, how=how)
        asked = [r.msg.authority[0][0].serial for r in primary.requests
                 if r.kind == "IXFR" and r.apex == apex]
        assert asked == [held], f"{apex}: IXFR names what is held: {asked}"
    assert secd.logged("xfr fallback") == 0
