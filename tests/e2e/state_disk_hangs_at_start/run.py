"""A disk that does not come back at a start keeps no zone from being transferred; what is on it is served if nothing newer came."""
import signal

from lab import Lab, state
from lab.disk import Disk
from lab.zones import zone

TIME_LIMIT = 120
SANITIZED = False
PATIENCE_S = 5
ZONES = [f"z{i}.test." for i in range(12)]
SILENT = "silent.test."

# Up to which size reads hang: those of the look through are larger than those of the loaders.
WAYS = {"the look through": 1 << 30, "the loaders": 256 * 1024}


def run(lab: Lab) -> None:
    for way, size in WAYS.items():
        hangs(lab, way, size)


def hangs(lab: Lab, way: str, size: int) -> None:
    primary = lab.scripted_primary({a: zone(a) for a in ZONES})
    gone = lab.scripted_primary({SILENT: zone(SILENT, 7)})
    secd = lab.secd({**dict.fromkeys(ZONES, [primary]), SILENT: [gone]}, start=False)
    secd.expect_error("state failing", why=f"a read takes longer than {PATIENCE_S} s")
    disk = Disk(lab, secd)
    disk.take()
    secd.start()
    for apex in ZONES:
        secd.wait_serial(apex, 1, 5)
    secd.wait_serial(SILENT, 7, 5)
    all_saved(lab, secd, [*ZONES, SILENT])
    secd.kill()

    gone.stop()
    for apex in ZONES:
        primary.set_zone(apex, zone(apex, 2))
    disk.refuse(hangread=size)
    secd.start()
    secd.wait_log("state failing", (2 * PATIENCE_S + 2) * secd.slow)
    for apex in ZONES:
        secd.wait_serial(apex, 2, 5)
        assert not secd.ctl_json("zone", apex)["held"]["saved"], apex
    assert secd.serial(SILENT) is None, "nobody has it but the disk"
    # A change of the settings waits, and says so; what the primary has is followed.
    secd.signal(signal.SIGHUP)
    secd.wait_log("settings waiting", 5 * secd.slow)
    primary.set_zone(ZONES[0], zone(ZONES[0], 3))
    secd.ctl("refresh", ZONES[0])
    secd.wait_serial(ZONES[0], 3, 5)
    assert not secd.logged("state loaded", zones="1")

    disk.take()
    secd.wait_log("state works-again", 5 * secd.slow)
    line = secd.wait_log("state loaded", 1, count=2)
    assert line.keys["zones"] == "1" and line.keys["lost"] == "0", line.text
    secd.wait_serial(SILENT, 7, 5)
    secd.wait_log("settings loaded", 5 * secd.slow)
    assert secd.serial(ZONES[0]) == 3 and secd.serial(ZONES[1]) == 2
    all_saved(lab, secd, [*ZONES, SILENT])
    print(f"{way}: told and transferred, {line.keys['zones']} zone from the disk", flush=True)

    alone = state.alone(lab, secd)
    secd.kill()
    alone.start()
    state.wait_loaded(lab, alone)
    wanted = dict.fromkeys(ZONES, 2) | {ZONES[0]: 3, SILENT: 7}
    assert {a: alone.serial(a) for a in wanted} == wanted
    alone.stop()


def all_saved(lab: Lab, secd, apexes: list) -> None:
    lab.wait(lambda: all(secd.ctl_json("zone", a)["held"]["saved"] for a in apexes), 10 * secd.slow,
             "all is saved")
