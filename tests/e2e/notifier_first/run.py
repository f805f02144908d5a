"""The primary that sent the NOTIFY is asked first, wherever it stands in the list."""
from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primaries = [lab.scripted_primary({"example.": zone(serial=4)}, addr=f"127.0.0.{n}")
                 for n in (11, 12, 13)]
    secd = lab.secd({"example.": primaries})
    secd.wait_serial("example.", 4, 5)
    # It came from the first; what the others have is asked right after.
    lab.wait(lambda: all(p.count("SOA") == 1 for p in primaries), 5, "all were asked once")
    before = [p.count("SOA") for p in primaries]
    primaries[2].set_zone("example.", zone(serial=9))
    primaries[2].notify(secd, "example.", 9, source="127.0.0.13")
    secd.wait_serial("example.", 9, 5)
    assert [p.count("AXFR") for p in primaries] == [1, 0, 1]
    assert [p.count("SOA") for p in primaries] == [before[0], before[1], before[2] + 1]
