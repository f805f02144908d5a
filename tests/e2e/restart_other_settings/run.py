"""A restart with other settings: zones that left and came back, primaries of other names, stricter limits and gates."""
import time

from lab import Lab, state
from lab.zones import zone

TIME_LIMIT = 90
KEEPS, LEAVES, LARGE, BARE = "keeps.test.", "leaves.test.", "large.test.", "bare.test."


def run(lab: Lab) -> None:
    hosts = "".join(f"h{i} A 192.0.2.{i}\n" for i in range(200))
    primary = lab.scripted_primary({
        KEEPS: zone(KEEPS, 5), LEAVES: zone(LEAVES, 6), LARGE: zone(LARGE, 7, extra=hosts),
        BARE: zone(BARE, 8, ns=False)})
    names = [KEEPS, LEAVES, LARGE, BARE]
    secd = lab.secd(dict.fromkeys(names, [primary]))
    for apex, serial in zip(names, (5, 6, 7, 8), strict=True):
        secd.wait_serial(apex, serial, 5)
    lab.wait(lambda: all(secd.ctl_json("zone", a)["held"]["saved"] for a in names), 5, "saved")
    sights = {apex: state.Sight.of(secd, apex) for apex in names}
    secd.stop()
    primary.stop()

    left = {KEEPS: [primary], LARGE: [primary], BARE: [primary]}
    start(lab, secd, left, orphans=1)
    assert secd.rcode(LEAVES, "SOA") == "REFUSED"
    for apex in left:
        sights[apex].check(state.Sight.of(secd, apex))
    secd.kill()

    # It is back, with its clocks; also beside a zone that is new.
    start(lab, secd, dict.fromkeys([*names, "new.test."], [primary]), orphans=0)
    for apex in names:
        sights[apex].check(state.Sight.of(secd, apex))
    assert secd.rcode("new.test.", "SOA") == "SERVFAIL"
    secd.stop()

    other_names(lab, secd, primary, names, sights)
    stricter(lab, secd, primary, names)


def start(lab: Lab, secd, zones: dict, *, orphans: int, **opts) -> None:
    secd.zones = zones
    secd.write_ini(**opts)
    secd.start()
    state.wait_loaded(lab, secd)
    assert secd.lines("state found")[-1].keys["orphans"] == str(orphans)


def other_names(lab: Lab, secd, primary, names: list[str], sights: dict) -> None:
    """The primary is called otherwise: where the zone came from is not known any more."""
    primary.name = "renamed"
    start(lab, secd, dict.fromkeys(names, [primary]), orphans=0)
    for apex in names:
        now = state.Sight.of(secd, apex)
        assert now.lines == sights[apex].lines
        was, held = sights[apex].report["held"], now.report["held"]
        assert abs(was["expires"] - held["expires"]) < 1
        assert now.report["transfer"]["primary"] is None, now.report["transfer"]
    primary.start()
    secd.ctl("refresh", *names)
    for apex in names:
        secd.wait_log("zone current", 5, zone=apex)
    primary.set_zone(KEEPS, zone(KEEPS, 9))
    secd.ctl("refresh", KEEPS)
    secd.wait_serial(KEEPS, 9, 5)
    assert secd.ctl_json("zone", KEEPS)["transfer"]["primary"] == "renamed1"
    primary.stop()
    secd.stop()


def stricter(lab: Lab, secd, primary, names: list[str]) -> None:
    """What the settings would not let in today is not served, and says so; what they let in again is
    transferred anew."""
    lost = secd.logged("state lost")
    start(lab, secd, dict.fromkeys(names, [primary]), orphans=0,
          group_opts={"max-records": 100, "no-ns": "refuse", "max-expire": 7200})
    said = {x.keys["zone"]: x.keys["why"] for x in secd.lines("state lost")[lost:]}
    assert set(said) == {LARGE, BARE}, said
    print(said)
    for apex in said:
        assert secd.rcode(apex, "SOA") == "SERVFAIL"
    assert secd.serial(KEEPS) == 9 and secd.serial(LEAVES) == 6
    expires = secd.ctl_json("zone", KEEPS)["held"]["expires"]
    assert expires <= time.time() + 7201, expires - time.time()
    secd.stop()
    # Looser again: it is in the state still, as it was.
    start(lab, secd, dict.fromkeys(names, [primary]), orphans=0)
    for apex, serial in zip(names, (9, 6, 7, 8), strict=True):
        assert secd.serial(apex) == serial, apex
    accepted(lab, secd, primary, names)


def accepted(lab: Lab, secd, primary, names: list[str]) -> None:
    """What an operator let past a gate stays, though the gate is there."""
    secd.kill()
    strict = {"no-ns": "refuse"}
    start(lab, secd, dict.fromkeys(names, [primary]), orphans=0, group_opts=strict)
    primary.start()
    count = secd.logged("xfr failed", zone=BARE)
    secd.ctl("refresh", BARE)
    secd.wait_log("xfr failed", 5, zone=BARE, count=count + 1)
    got = secd.ctl("accept", BARE)
    assert got.returncode == 0, got.stderr
    secd.wait_serial(BARE, 8, 5)
    secd.kill()
    primary.stop()
    start(lab, secd, dict.fromkeys(names, [primary]), orphans=0, group_opts=strict)
    assert secd.serial(BARE) == 8
