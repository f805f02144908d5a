"""NOTIFY counts from primaries and from notify-from; a stranger is REFUSED, and told of once."""
import re

import dns.flags
import dns.opcode
import dns.rcode

from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    secd = lab.secd({"example.": [primary]},
                    primary_opts={"notify-from": "127.0.0.7, 127.0.1.0/24"})
    secd.wait_serial("example.", 1, 5)
    serial = 1
    polls = primary.count("SOA")
    for source in ("127.0.0.8", "127.0.2.1"):
        primary.set_zone("example.", zone(serial=2))
        for _ in range(5):
            r = primary.notify(secd, "example.", 2, source=source)
            assert r.rcode() == dns.rcode.REFUSED, r
            assert r.opcode() == dns.opcode.NOTIFY and not r.flags & dns.flags.AA, r
        r = primary.notify(secd, "example.", 2, source=source, tcp=True)
        assert r.rcode() == dns.rcode.REFUSED, r
        secd.wait_log("notify refused", 2, zone="example.",
                      from_=_host(source))
        assert secd.logged("notify refused", zone="example.", from_=_host(source)) == 1
    assert primary.count("SOA") == polls, "a stranger made us ask"
    assert secd.serial("example.") == 1
    for source, tcp in (("127.0.0.1", False), ("127.0.0.7", False), ("127.0.1.200", False),
                        ("127.0.0.1", True), ("127.0.0.7", True)):
        serial += 1
        primary.set_zone("example.", zone(serial=serial))
        r = primary.notify(secd, "example.", serial, source=source, tcp=tcp)
        assert r.rcode() == 0 and r.opcode() == dns.opcode.NOTIFY, r
        assert r.flags & dns.flags.AA and r.flags & dns.flags.QR, r
        secd.wait_serial("example.", serial, 3)


def _host(addr: str):
    """An address in a log line, with or without the port."""
    return re.compile(rf"^{re.escape(addr)}(@\d+)?$")
