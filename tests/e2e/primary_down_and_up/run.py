"""A dead address is noticed once for all of its zones, tried one question at a time, and its zones are fresh soon after it is back."""
from lab import Lab
from lab.zones import zone

ZONES = 100


def run(lab: Lab) -> None:
    zones = {f"z{i}.example.": zone(f"z{i}.example.", serial=5, refresh=2, retry=600)
             for i in range(ZONES)}
    primary = lab.scripted_primary(zones)
    secd = lab.secd({apex: [primary] for apex in zones})
    for apex in zones:
        secd.wait_serial(apex, 5, 10)
    primary.stop()
    secd.wait_log("primary down", 20)
    lab.wait(lambda: secd.logged("zone unrefreshed") >= ZONES, 20, "every zone knows")
    assert secd.logged("primary down") == 1
    assert secd.logged("primary up") == 0
    for apex in zones:
        assert secd.serial(apex) == 5

    for apex in zones:
        primary.set_zone(apex, zone(apex, serial=6, refresh=2, retry=600))
    primary.start()
    # RETRY is ten minutes, but they need not wait for it: the longest pause between tries is 30 s.
    for apex in zones:
        secd.wait_serial(apex, 6, 40)
    assert secd.logged("primary up") == 1
