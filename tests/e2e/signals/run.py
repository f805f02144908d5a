"""SIGTERM ends secd with status 0 within a second, whatever it does; SIGHUP does not end it."""
import signal

from lab import Lab
from lab.scripted import STALL, Drip, Send
from lab.wire import frame
from lab.zones import zone


def run(lab: Lab) -> None:
    sane = lab.scripted_primary({"example.": zone()})
    secd = lab.secd({"example.": [sane]})
    secd.wait_serial("example.", 1, 5)
    secd.signal(signal.SIGHUP)
    secd.signal(signal.SIGHUP)
    assert secd.rcode("www.example.") == "NOERROR"
    with secd.tcp() as idle:  # an open connection holds nothing up
        secd.stop()
        assert idle.closed()
    assert secd.logged("secd stopped") == 1

    for what, steps in {
        "before the first byte": lambda r: [STALL],
        "in the middle": lambda r: [Send(r.answer(r.records[:2])), STALL],
        "while bytes come": lambda r: [Drip(frame(r.axfr_messages()[0]), 0.05)],
    }.items():
        primary = lab.scripted_primary({"example.": zone()})
        primary.on("AXFR", steps)
        busy = lab.secd({"example.": [primary]})
        primary.wait_for("AXFR", 5)
        print(f"{what}: {busy.stop():.3f} s")
        primary.stop()

    # A SOA query that nobody answers.
    mute = lab.scripted_primary({"example.": zone()})
    mute.on("SOA", [STALL])
    polling = lab.secd({"example.": [mute]})
    polling.wait_serial("example.", 1, 5)
    mute.notify(polling, "example.", 2)
    mute.wait_for("SOA", 5)
    polling.stop()

    # SIGTERM (and SIGINT) right at the start: as soon as there is a first line in the log.
    for sig in (signal.SIGTERM, signal.SIGINT):
        early = lab.secd({f"z{i}.test.": [sane] for i in range(300)}, start=False)
        early.start(wait=False)
        lab.wait(lambda: early.log.path.stat().st_size > 0, 5, "a first log line")
        early.signal(sig)
        assert early.child.wait(early.slow) == 0, early.tail()
