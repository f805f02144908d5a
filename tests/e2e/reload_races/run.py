"""A reload meets what is under way (saves, transfers, pins, another reload): what is served and what is on the disk stay of one piece."""
import pathlib

import dns.rdatatype

from lab import Lab, dnsio, state, wire
from lab.disk import Disk
from lab.scripted import CLOSE, IGNORE, Send, Wait
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


def two_zones(lab: Lab) -> tuple:
    """A primary, a secd that serves a.test and b.test of it, and its disk."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1), "b.test.": zone("b.test.", 1)})
    secd = lab.secd({"a.test.": [primary], "b.test.": [primary]}, start=False)
    disk = Disk(lab, secd)
    secd.start()
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    return primary, secd, disk


def gone_while_it_is_saved(lab: Lab) -> None:
    """A zone is taken out while its version is on its way to the disk, and comes back with that version."""
    primary, secd, disk = two_zones(lab)
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


def workers_and_clients(lab: Lab) -> None:
    """As many workers as may be are too many, and as many clients."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1)})
    secd = lab.secd({"a.test.": [primary]}, workers=1, server_opts={"tcp-clients": 100, "tcp-per-client": 100})
    secd.wait_serial("a.test.", 1, 5)
    before = [secd.tcp() for _ in range(30)]
    for c in before:
        c.send(dnsio.make("a.test.", "SOA").to_wire())
        assert c.recv()
    secd.write_ini(workers=1, server_opts={"tcp-clients": 10, "tcp-per-client": 100})
    secd.ctl_json("reload")
    assert dnsio.serial(secd.addr, secd.port, "a.test.", tcp=True) == 1, "those that rest make place"
    for c in before:
        c.close()
    for workers in (256, 1):
        secd.write_ini(workers=workers)
        secd.ctl_json("reload")
        for _ in range(20):
            assert secd.serial("a.test.") == 1
    lab.wait(lambda: len(list(pathlib.Path(f"/proc/{secd.child.pid}/task").iterdir())) < 20, 10, "they have left")
    secd.write_ini(workers=2)
    secd.ctl_json("reload")
    assert secd.serial("a.test.") == 1
    secd.stop()


def big(apex: str, serial: int) -> list[bytes]:
    """More than 4 MiB: the state has it in a file of its own."""
    bulk = (bytes([250]) + b"x" * 250) * 240
    return wire.records(zone(apex, serial), apex) + [wire.rr(f"t{i}.{apex}", "TXT", bulk) for i in range(72)]


def ixfr(make):
    """A handler: the difference between make(apex, serial) of the serial that is asked from and what there is."""
    def answer(r):
        soa = [rr for rrset in r.msg.authority for rr in rrset if rr.rdtype == dns.rdatatype.SOA]
        was = make(r.apex, soa[0].serial)
        if was[0] == r.records[0]:
            return [Send(r.soa())]
        gone = [rr for rr in was[1:] if rr not in r.records]
        new = [rr for rr in r.records[1:] if rr not in was]
        return [Send(r.answer([r.records[0], was[0], *gone, r.records[0], *new, r.records[0]]))]
    return answer


def back_while_it_is_saved(lab: Lab) -> None:
    """It comes back while its version, too big for the log, is on its way to the disk: differences go on from that."""
    primary = lab.scripted_primary({"b.test.": zone("b.test.", 1)})
    primary.set_records("a.test.", big("a.test.", 1))
    for kind in ("AXFR", "IXFR"):
        primary.on(kind, lambda r: r.axfr(per_message=1))
    secd = lab.secd({"a.test.": [primary], "b.test.": [primary]}, start=False)
    disk = Disk(lab, secd)
    secd.start()
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 10)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["held"]["saved"], 5, "saved")
    disk.refuse(hangsync=0)
    primary.set_records("a.test.", big("a.test.", 2))
    primary.notify(secd, "a.test.", 2)
    primary.wait_for("IXFR", 5)
    lab.wait(lambda: len(list(secd.state.glob("zone-*"))) == 2, 5, "it is written")
    both = secd.zones
    for zones in ({"b.test.": [primary]}, both):
        secd.zones = zones
        secd.write_ini()
        secd.ctl_json("reload")
    primary.on("SOA", [IGNORE])
    disk.take()
    lab.wait(lambda: secd.serial("a.test."), 5, "it is back")
    primary.on("SOA", None)
    primary.on("IXFR", ixfr(big))
    primary.set_records("a.test.", big("a.test.", 3))
    primary.notify(secd, "a.test.", 3)
    secd.wait_serial("a.test.", 3, 5)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["held"]["saved"], 10, "saved")
    before = state.dump(secd, "a.test.")
    primary.stop()
    secd.restart()
    secd.wait_serial("a.test.", 3, 5)
    assert state.dump(secd, "a.test.") == before
    secd.stop()


def forgotten_and_back(lab: Lab) -> None:
    """It comes back when the order to forget it is on its way to the disk: it is saved like any other."""
    primary, secd, disk = two_zones(lab)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["held"]["saved"], 5, "saved")
    disk.refuse(hangsync=0)
    both = secd.zones
    secd.zones = {"b.test.": [primary]}
    secd.write_ini(server_opts={"keep-removed": "0"})
    secd.ctl_json("reload")
    secd.wait_log("state forgets", 5, zone="a.test.")
    secd.zones = both
    secd.write_ini(server_opts={"keep-removed": "0"})
    secd.ctl_json("reload")
    disk.take()
    secd.wait_serial("a.test.", 1, 5)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["held"]["saved"], 5, "saved")
    secd.ctl("refresh", "a.test.")
    secd.wait_log("poll current", 5, zone="a.test.")
    before = state.Sight.of(secd, "a.test.")
    primary.stop()
    secd.restart()
    secd.wait_serial("a.test.", 1, 5)
    before.check(state.Sight.of(secd, "a.test."), 0.2)
    secd.stop()


def on_its_way_back(lab: Lab) -> None:
    """It is moved, or goes again, before the state has said what it has of it."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1), "b.test.": zone("b.test.", 1)})
    silent = lab.scripted_primary({})
    for kind in ("SOA", "AXFR"):
        silent.on(kind, [IGNORE])
    secd = lab.secd({"a.test.": [primary], "b.test.": [primary]}, start=False)
    disk = Disk(lab, secd)
    secd.start()
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    lab.wait(lambda: secd.ctl_json("zone", "a.test.")["held"]["saved"], 5, "saved")

    def now(**more) -> None:
        secd.zones = {"b.test.": [primary], **{f"{name}.test.": of for name, of in more.items()}}
        secd.write_ini()
        secd.ctl_json("reload")

    disk.refuse(hangsync=0)
    now()
    now(a=[silent])
    now(a=[silent, primary])
    now(a=[silent])
    assert secd.serial("a.test.") is None
    disk.take()
    secd.wait_log("zone back", 5, zone="a.test.")
    assert secd.serial("a.test.") == 1
    disk.refuse(hangsync=0)
    now()
    now(a=[silent])
    now()
    disk.take()
    secd.restart()
    assert not secd.logged("state left"), "since when is known"
    secd.stop()


def run(lab: Lab) -> None:
    for part in (nothing_of_the_settings_before, fewer_connections, workers_and_clients, gone_while_it_is_saved,
                 back_while_it_is_saved, forgotten_and_back, on_its_way_back):
        part(lab)
