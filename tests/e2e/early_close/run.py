"""A first transfer that is cut short again and again is tried again, until one is whole."""
from lab import Lab
from lab.scripted import CLOSE, RESET, Raw, Send
from lab.wire import frame
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1, retry=1, refresh=1)})
    ways = iter([
        lambda r: [CLOSE],
        lambda r: [Raw(frame(r.axfr_messages()[0])[:1]), CLOSE],
        lambda r: [Send(r.answer(r.records)), RESET],
    ])

    def next_way(r):
        way = next(ways, None)
        return way(r) if way else None

    primary.on("AXFR", next_way)
    secd = lab.secd({"example.": [primary]}, group_opts={"max-retry": 1})
    for n in (1, 2, 3):
        secd.wait_log("xfr failed", 10, zone="example.", count=n)
        if n < 3:
            assert secd.rcode("example.", "SOA") == "SERVFAIL"
    secd.wait_serial("example.", 1, 10)
