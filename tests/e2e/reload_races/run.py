"""A reload meets what is under way (saves, transfers, pins, another reload): what is served and what is on the disk stay of one piece."""
import errno

from lab import Lab
from lab.disk import Disk
from lab.scripted import CLOSE, Wait
from lab.zones import zone


def nothing_of_the_settings_before(lab: Lab) -> None:
    """What was borrowed from settings that are gone is not looked at any more."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1)})
    secd = lab.secd({"a.test.": [primary]})
    secd.wait_serial("a.test.", 1, 5)
    secd.write_ini(server_opts={"transfers": 7})
    for _ in range(2):
        secd.ctl_json("reload")
        assert secd.ctl_json("status")["state"]["dir"] == str(secd.state)
        assert str(secd.state) in secd.ctl("status").stdout
    secd.stop()


def fewer_connections(lab: Lab) -> None:
    """A primary gets fewer connections than it had: who waits for one gets it."""
    names = ("a.test.", "b.test.", "c.test.")
    primary = lab.scripted_primary({apex: zone(apex, 1) for apex in names})
    # One question on each connection, as is soon seen.
    primary.on("AXFR", lambda r: [Wait(0.2), *r.axfr(), CLOSE])
    primary.on("IXFR", lambda r: [*r.axfr(), CLOSE])
    secd = lab.secd({apex: [primary] for apex in names}, primary_opts={"max-connections": 4})
    for apex in names:
        secd.wait_serial(apex, 1, 5)
    primary.on("IXFR", lambda r: [Wait(0.2), *r.axfr(), CLOSE])
    secd.write_ini(primary_opts={"max-connections": 1})
    secd.ctl_json("reload")
    for apex in names:
        primary.set_zone(apex, zone(apex, 2))
        primary.notify(secd, apex, 2)
    for apex in names:
        secd.wait_serial(apex, 2, 10)
    secd.stop()


def gone_while_it_is_saved(lab: Lab) -> None:
    """A zone is taken out while its version is on its way to the disk, and comes back with that version."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1), "b.test.": zone("b.test.", 1)})
    secd = lab.secd({"a.test.": [primary], "b.test.": [primary]}, start=False)
    disk = Disk(lab, secd)
    secd.start()
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    disk.refuse(hangsync=0)
    primary.set_zone("a.test.", zone("a.test.", 2))
    primary.notify(secd, "a.test.", 2)
    primary.wait_for("AXFR", 5, count=3)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["work"] not in ("idle",), 5, "it is busy")
    both = secd.zones
    secd.zones = {"b.test.": [primary]}
    secd.write_ini()
    secd.ctl_json("reload")
    assert secd.rcode("a.test.", "SOA") == "REFUSED"
    disk.take()
    secd.zones = both
    secd.write_ini()
    secd.ctl_json("reload")
    secd.wait_serial("a.test.", 2, 5)
    secd.stop()


def run(lab: Lab) -> None:
    for part in (nothing_of_the_settings_before, fewer_connections, gone_while_it_is_saved):
        part(lab)
