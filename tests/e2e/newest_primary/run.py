"""Of several primaries the one with the newest serial is fetched from, over the wrap, and the others confirm it later."""
from lab import Lab
from lab.zones import zone

OLD, MIDDLE, NEW = 4294967290, 4294967295, 3  # 3 is nine ahead of the first


def run(lab: Lab) -> None:
    primaries = [lab.scripted_primary({"example.": zone(serial=OLD, refresh=1)}) for _ in range(3)]
    secd = lab.secd({"example.": primaries})
    secd.wait_serial("example.", OLD, 5)
    primaries[1].set_zone("example.", zone(serial=NEW, refresh=1))
    primaries[2].set_zone("example.", zone(serial=MIDDLE, refresh=1))
    secd.wait_serial("example.", NEW, 5 * secd.slow)
    assert primaries[1].count("AXFR") == 1
    assert primaries[0].count("AXFR") == 1, "the first copy was its own"
    # Whoever is behind now is told of, and never followed.
    secd.wait_log("poll older", 5, zone="example.", serial=str(OLD))
    assert secd.serial("example.") == NEW
    assert primaries[2].count("AXFR") <= 1
