"""Several workers on several addresses, IPv4 and IPv6, all serve the same version."""
import dns.flags

from lab import Lab, dnsio
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone(serial=1)})
    places = [("127.0.0.1", lab.port()), ("127.0.0.3", lab.port("127.0.0.3")),
              ("::1", lab.port("::1"))]
    secd = lab.secd({"example.": [primary]}, listen=places, workers=4)
    secd.wait_serial("example.", 1, 5)
    for serial in (2, 3):
        primary.set_zone("example.", zone(serial=serial))
        primary.notify(secd, "example.", serial)
        secd.wait_serial("example.", serial, 3)
        # The kernel spreads flows over the workers by port: many flows meet all of them.
        for addr, port in places:
            for i in range(30):
                assert dnsio.serial(addr, port, "example.", tcp=i % 3 == 0) == serial
    # A NOTIFY may arrive at any worker and at any address.
    for i in range(4, 16):
        primary.set_zone("example.", zone(serial=i))
        primary.notify(secd, "example.", i)
        secd.wait_serial("example.", i, 3)
    r = dnsio.ask("::1", places[2][1], "www.example.")
    assert r.flags & dns.flags.AA and r.answer
