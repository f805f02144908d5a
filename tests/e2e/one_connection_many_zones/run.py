"""Many zones of one primary come over a few connections, their answers in any order."""
from lab import Lab
from lab.scripted import Send
from lab.zones import zone

ZONES = 150


def run(lab: Lab) -> None:
    zones = {f"z{i}.example.": zone(f"z{i}.example.", serial=5) for i in range(ZONES)}
    primary = lab.scripted_primary(zones)
    secd = lab.secd({apex: [primary] for apex in zones}, primary_opts={"max-connections": 3})
    for apex in zones:
        secd.wait_serial(apex, 5, 10)
    assert primary.count("AXFR tcp") == ZONES
    assert primary.connections <= 3, primary.connections
    assert primary.count("SOA") == 0, "there was nothing to compare with"

    # The connections stand: a change needs none of its own, nor a datagram.
    zones = {f"z{i}.example.": zone(f"z{i}.example.", serial=6) for i in range(ZONES)}
    for apex, text in zones.items():
        primary.set_zone(apex, text)
    for apex in zones:
        assert primary.notify(secd, apex, 6).rcode() == 0
    for apex in zones:
        secd.wait_serial(apex, 6, 10)
    assert primary.connections <= 6, primary.connections
    assert primary.count("SOA") == ZONES
