"""A primary that closes behind each answer is asked one question on each connection, and no zone fails for it."""
from lab import Lab
from lab.scripted import CLOSE
from lab.zones import zone

ZONES = 60


def run(lab: Lab) -> None:
    zones = {f"z{i}.example.": zone(f"z{i}.example.", serial=5) for i in range(ZONES)}
    primary = lab.scripted_primary(zones)
    primary.on("AXFR", lambda r: [*r.axfr(), CLOSE])
    secd = lab.secd({apex: [primary] for apex in zones}, primary_opts={"max-connections": 4})
    for apex in zones:
        secd.wait_serial(apex, 5, 10)
    assert secd.logged("xfr failed") == 0
    assert secd.logged("primary down") == 0
    # Once it is known, each connection carries one question, and none is asked in vain.
    asked = primary.count("AXFR")
    assert asked <= ZONES + 2 * 64, f"{asked} transfers asked for {ZONES} zones"
    for apex in zones:
        primary.set_zone(apex, zone(apex, serial=6))
        primary.notify(secd, apex, 6)
    for apex in zones:
        secd.wait_serial(apex, 6, 10)
    assert primary.count("AXFR") - asked == ZONES, "a question was asked behind another"
