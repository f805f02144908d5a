"""A zone that was taken out comes back as it was, also over a restart, and expires when it would have; many at once go by force alone."""
import time

from lab import Lab
from lab.scripted import IGNORE
from lab.zones import zone


def back_with_its_clocks(lab: Lab) -> None:
    primary = lab.scripted_primary({"back.test.": zone("back.test.", 7), "stays.test.": zone("stays.test.", 1)})
    secd = lab.secd({"back.test.": [primary], "stays.test.": [primary]})
    for apex, serial in (("back.test.", 7), ("stays.test.", 1)):
        secd.wait_serial(apex, serial, 5)
    before = secd.ctl_json("zone", "back.test.")

    def without() -> None:
        secd.zones = {"stays.test.": [primary]}
        secd.write_ini()

    def with_it() -> None:
        secd.zones = {"stays.test.": [primary], "back.test.": [primary]}
        secd.write_ini()

    def is_as_it_was() -> None:
        secd.wait_serial("back.test.", 7, 5)
        now = secd.ctl_json("zone", "back.test.")
        assert abs(now["held"]["expires"] - before["held"]["expires"]) <= 1.5, (before, now)
        assert now["transfer"] == before["transfer"] and now["held"]["saved"], now

    for kind in ("SOA", "AXFR", "IXFR"):
        primary.on(kind, [IGNORE])  # nothing is to be had of it from here on
    without()
    assert secd.ctl_json("reload")["removed"] == 1
    assert secd.rcode("back.test.", "SOA") == "REFUSED"
    with_it()
    assert secd.ctl_json("reload")["added"] == 1
    is_as_it_was()
    assert secd.logged("zone back", zone="back.test.", serial="7") == 1

    # Taken out while it runs, back at a start; and the other way round.
    without()
    secd.ctl_json("reload")
    secd.stop()
    with_it()
    secd.start()
    is_as_it_was()
    secd.stop()
    without()
    secd.start()
    secd.wait_log("state left", 5, zones="1")
    assert secd.rcode("back.test.", "SOA") == "REFUSED"
    secd.restart()
    assert secd.logged("state left") == 1, "since when is known"
    with_it()
    assert secd.ctl_json("reload")["added"] == 1
    is_as_it_was()


def not_for_ever(lab: Lab) -> None:
    """keep-removed = 0: it goes at once, whatever the log still has of it, and stays gone."""
    primary = lab.scripted_primary({f"z{i}.test.": zone(f"z{i}.test.", 1) for i in range(3)})
    secd = lab.secd({apex: [primary] for apex in ("z0.test.", "z1.test.", "z2.test.")})
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    del secd.zones["z1.test."]
    secd.write_ini(server_opts={"keep-removed": "0"})
    secd.ctl_json("reload")
    secd.wait_log("state forgets", 5, zone="z1.test.")
    secd.write_ini()
    secd.restart()
    secd.wait_log("state forgets", 5, count=2, zone="z1.test.")
    primary.set_zone("z1.test.", zone("z1.test.", 2))
    secd.zones["z1.test."] = [primary]
    secd.write_ini()
    secd.ctl_json("reload")
    secd.wait_serial("z1.test.", 2, 5)
    assert not secd.logged("zone back") and not secd.logged("state left")
    secd.restart()
    assert secd.serial("z1.test.") == 2 and secd.serial("z0.test.") == 1


def many_at_once(lab: Lab) -> None:
    zones = {f"m{i}.test.": zone(f"m{i}.test.", 1) for i in range(40)}
    primary = lab.scripted_primary(zones)
    secd = lab.secd({apex: [primary] for apex in zones})
    for apex in zones:
        secd.wait_serial(apex, 1, 10)
    secd.expect_error("settings refused")
    secd.zones = {apex: [primary] for apex in list(zones)[:29]}  # eleven fewer
    secd.write_ini()
    got = secd.ctl("reload")
    assert got.returncode == 1 and "max-removed" in got.stderr and "11 of 40" in got.stderr, got
    assert secd.serial("m39.test.") == 1
    secd.zones["m29.test."] = [primary]
    secd.write_ini()
    assert secd.ctl_json("reload")["removed"] == 10
    secd.zones = {"m0.test.": [primary]}
    secd.write_ini(server_opts={"max-removed": "50%"})
    assert secd.ctl("reload").returncode == 1
    assert secd.ctl_json("reload", "--force")["removed"] == 29
    assert secd.rcode("m5.test.", "SOA") == "REFUSED" and secd.serial("m0.test.") == 1
    secd.zones = {apex: [primary] for apex in zones}
    secd.write_ini()
    began = time.monotonic()
    assert secd.ctl_json("reload")["added"] == 39
    for apex in zones:
        secd.wait_serial(apex, 1, 5)
    print(f"39 zones back after {time.monotonic() - began:.2f} s")
    assert secd.logged("zone back") == 39


def run(lab: Lab) -> None:
    for part in (back_with_its_clocks, not_for_ever, many_at_once):
        part(lab)
