"""A pinned zone expires when its primaries are gone, and lives again when one answers, whatever its serial; with no-expire it outlives EXPIRE, over a restart too."""
from lab import Lab
from lab.zones import zone

SANITIZED = False
NAMES = ["as-ever.test.", "kept.test.", "plain.test."]


def text(apex: str, serial: int) -> str:
    return zone(apex, serial=serial, refresh=1, retry=1, expire=3)


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({apex: text(apex, 1) for apex in NAMES})
    secd = lab.secd(dict.fromkeys(NAMES, [primary]), group_opts={"min-expire": 1})
    for apex in NAMES:
        secd.wait_serial(apex, 1, 5)
    for apex in NAMES:
        primary.set_zone(apex, text(apex, 2))
        primary.notify(secd, apex, 2)
        secd.wait_serial(apex, 2, 5)
    secd.ctl_json("pin", "as-ever.test.", "1")
    said = secd.ctl_json("pin", "kept.test.", "1", "--no-expire")
    assert said["expires"] is False and said["serial"] == 1, said

    # Well past EXPIRE: the primary has another serial, and confirms them all the same.
    for apex in NAMES:
        secd.wait_log("zone current", 20, zone=apex, count=secd.logged("zone current", zone=apex) + 5)
    assert [secd.serial(apex) for apex in NAMES] == [1, 1, 2]

    primary.stop()
    for apex in ("as-ever.test.", "plain.test."):
        lab.wait(lambda a=apex: secd.rcode(f"www.{a}") == "SERVFAIL", 10, f"{apex} expires")
    secd.wait_log("zone outlived", 10, zone="kept.test.")
    assert secd.serial("kept.test.") == 1
    assert not secd.logged("zone expired", zone="kept.test.")
    left = secd.ctl_json("zone", "kept.test.")
    assert left["held"]["expires"] > left["now"] - 1, left["held"]

    secd.kill()
    secd.start()
    secd.wait_serial("kept.test.", 1, 5)
    secd.wait_log("zone outlived", 10, count=2, zone="kept.test.")
    assert secd.rcode("www.as-ever.test.") == "SERVFAIL"

    # One that has expired can be had back by hand.
    assert secd.ctl_json("pin", "as-ever.test.", "--no-expire")["serial"] == 1
    secd.wait_serial("as-ever.test.", 1, 2)
    secd.ctl("pin", "as-ever.test.")

    primary.start()
    secd.wait_log("zone fresh", 20, zone="plain.test.")
    count = secd.logged("zone current", zone="as-ever.test.")
    secd.wait_log("zone current", 20, zone="as-ever.test.", count=count + 1)
    assert secd.serial("as-ever.test.") == 1
    secd.ctl("unpin", "as-ever.test.", "kept.test.")
    for apex in NAMES:
        secd.wait_serial(apex, 2, 5)
