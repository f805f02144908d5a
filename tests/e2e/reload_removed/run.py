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
    assert secd.ctl_json("status")["state"]["left"] == 1
    with_it()
    assert secd.ctl_json("reload")["added"] == 1
    is_as_it_was()
    assert secd.ctl_json("status")["state"]["left"] == 0
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
    secd.wait_serial("z1.test.", 2, 5)
    secd.wait_serial("z0.test.", 1, 5)


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


def a_start_without_most(lab: Lab) -> None:
    """A start whose settings have lost many zones serves those of the state, until the operator lets them go."""
    zones = {f"s{i}.test.": zone(f"s{i}.test.", 1) for i in range(40)}
    primary = lab.scripted_primary(zones)
    secd = lab.secd({apex: [primary] for apex in zones})
    for apex in zones:
        secd.wait_serial(apex, 1, 10)
    secd.stop()
    secd.expect_error("settings would-drop")
    secd.expect_error("settings refused")
    few = {"s0.test.": [primary], "new.test.": [primary]}
    primary.set_zone("new.test.", zone("new.test.", 3))
    secd.zones = few
    secd.write_ini()
    secd.start()
    for apex in zones:
        secd.wait_serial(apex, 1, 5)
    secd.wait_serial("new.test.", 3, 5)
    assert secd.wait_log("settings would-drop", 5, zones="39", of="40")
    primary.set_zone("s20.test.", zone("s20.test.", 2))  # it is followed as before
    primary.notify(secd, "s20.test.", 2)
    secd.wait_serial("s20.test.", 2, 5)
    assert secd.ctl("reload").returncode == 1
    assert secd.serial("s39.test.") == 1
    secd.restart()
    secd.wait_serial("s20.test.", 2, 5)
    assert secd.ctl_json("reload", "--force")["removed"] == 39
    assert secd.rcode("s20.test.", "SOA") == "REFUSED" and secd.serial("s0.test.") == 1
    secd.restart()
    assert secd.rcode("s20.test.", "SOA") == "REFUSED", "they were let go"

    # Nobody has the name of their primary any more: they are served all the same.
    secd.zones = {apex: [primary] for apex in zones}
    secd.write_ini()
    secd.ctl_json("reload")
    for apex in zones:
        secd.wait_serial(apex, 1 if apex != "s20.test." else 2, 5)
    secd.stop()
    text = secd.ini.read_text()
    head, _, tail = text.partition("[zones]")
    secd.ini.write_text(head.replace("[primary scripted1]", "[primary other]") + "[zones]\nnew.test. = other\n")
    secd.start()
    secd.wait_serial("s7.test.", 1, 5)
    got = secd.ctl_json("zone", "s7.test.")
    assert got["primaries"] == [], got
    assert secd.ctl("refresh", "s7.test.").returncode == 0
    secd.wait_log("zone unrefreshed", 5, zone="s7.test.")
    assert secd.ctl_json("zone", "s7.test.")["state"] == "behind"
    secd.ini.write_text(text)
    secd.ctl_json("reload")
    secd.stop()
    # Started so that they may go.
    secd.zones = few
    secd.write_ini()
    secd.wrap = ["sh", "-c", 'exec "$0" -f "$@"']
    secd.start()
    secd.wait_serial("s0.test.", 1, 5)
    secd.wait_log("state left", 5, zones="39")
    assert secd.rcode("s20.test.", "SOA") == "REFUSED"


def run(lab: Lab) -> None:
    for part in (back_with_its_clocks, not_for_ever, many_at_once, a_start_without_most):
        part(lab)
