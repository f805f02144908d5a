"""A disk that does not come back at a start keeps no zone from being transferred; what is on it is served if nothing newer came."""
import os
import signal

from lab import Lab, state
from lab.disk import Disk
from lab.notify import Supervisor
from lab.stream import Stream, Zone
from lab.zones import zone

TIME_LIMIT = 150
SANITIZED = False
PATIENCE_S = 5
ZONES = [f"z{i}.test." for i in range(12)]
SILENT = "silent.test."
PINNED = "pinned.test."
# One for each loader, as far as it goes: whatever is in has to be served before.
BIG = [f"big{i}.test." for i in range(min(4, os.sysconf("SC_NPROCESSORS_ONLN")))]
WINDOW = 2 << 20

# Up to which size reads hang: those of the look through are larger than those of the loaders.
WAYS = {"the look through": 1 << 30, "the loaders": 256 * 1024}


def run(lab: Lab) -> None:
    for way, size in WAYS.items():
        hangs(lab, way, size)
    one_file(lab)


def laid_down(lab: Lab, zones: dict) -> tuple:
    """A secd that has saved each of these zones of a primary of its own, and was killed; and its disk."""
    secd = lab.secd({a: [p] for a, p in zones.items()}, start=False)
    secd.expect_error("state failing", why=f"a read takes longer than {PATIENCE_S} s")
    disk = Disk(lab, secd)
    disk.take()
    secd.start()
    all_saved(lab, secd, zones)
    return secd, disk


def all_saved(lab: Lab, secd, apexes) -> None:
    def saved(apex: str) -> bool:
        return secd.serial(apex) is not None and secd.ctl_json("zone", apex)["held"]["saved"]
    lab.wait(lambda: all(map(saved, apexes)), 15 * secd.slow, "all is saved")


def hangs(lab: Lab, way: str, size: int) -> None:
    primary = lab.scripted_primary({a: zone(a) for a in (*ZONES, PINNED)})
    gone = lab.scripted_primary({SILENT: zone(SILENT, 7)})
    secd, disk = laid_down(lab, {**dict.fromkeys((*ZONES, PINNED), primary), SILENT: gone})
    assert secd.ctl_json("pin", PINNED)["serial"] == 1
    secd.kill()

    gone.stop()
    for apex in (*ZONES, PINNED):
        primary.set_zone(apex, zone(apex, 2))
    supervisor = Supervisor(lab)
    supervisor.watch(secd)
    disk.refuse(hangread=size)
    secd.start()
    secd.wait_log("state failing", (2 * PATIENCE_S + 2) * secd.slow)
    supervisor.wait("READY=1", 2 * secd.slow)
    for apex in (*ZONES, PINNED):
        secd.wait_serial(apex, 2, 5)
        assert not secd.ctl_json("zone", apex)["held"]["saved"], apex
    assert secd.serial(SILENT) is None, "nobody has it but the disk"
    # A change of the settings waits, and says so; what the primary has is followed.
    secd.signal(signal.SIGHUP)
    secd.wait_log("settings waiting", 5 * secd.slow)
    primary.set_zone(ZONES[0], zone(ZONES[0], 3))
    secd.ctl("refresh", ZONES[0])
    secd.wait_serial(ZONES[0], 3, 5)

    disk.take()
    secd.wait_log("state works-again", 5 * secd.slow)
    line = secd.wait_log("state loaded", 1, count=2)
    assert line.keys["zones"] == "2" and line.keys["lost"] == "0", line.text
    wanted = dict.fromkeys(ZONES, 2) | {ZONES[0]: 3, SILENT: 7, PINNED: 1}
    for apex, serial in wanted.items():
        secd.wait_serial(apex, serial, 5)
    secd.wait_log("settings loaded", 5 * secd.slow)
    assert secd.ctl_json("zone", PINNED)["pinned"]
    all_saved(lab, secd, wanted)
    print(f"{way}: told and transferred, {line.keys['zones']} zones from the disk", flush=True)
    comes_back(lab, secd, wanted)


def comes_back(lab: Lab, secd, wanted: dict) -> None:
    alone = state.alone(lab, secd)
    secd.kill()
    alone.start()
    state.wait_loaded(lab, alone)
    assert {a: alone.serial(a) for a in wanted} == wanted
    alone.stop()


def one_file(lab: Lab) -> None:
    """Zones whose own files can't be read are transferred; others are in, and a check meanwhile is not forgotten."""
    stream = Stream(lab, [Zone(a, 4400, 11, 1000) for a in BIG], [Zone(a, 6, 1) for a in ZONES],
                    lab.seed)
    secd, disk = laid_down(lab, dict.fromkeys((*ZONES, *BIG), stream.primary))
    secd.kill()

    def checked(server) -> float:
        return server.ctl_json("zone", ZONES[0])["held"]["checked"]

    stream.serials |= dict.fromkeys(BIG, 2)
    disk.refuse(hangbig=WINDOW)
    secd.start()
    for apex in ZONES:
        secd.wait_serial(apex, 1, PATIENCE_S - 1)
    assert not secd.logged("state failing")
    before = checked(secd)
    for apex in BIG:
        secd.wait_serial(apex, 2, (2 * PATIENCE_S + 5) * secd.slow)
    secd.ctl("refresh", ZONES[0])
    lab.wait(lambda: checked(secd) > before + 2, 5, "it was checked")
    after = checked(secd)
    # Long enough for what is saved within a second: it could not be.
    secd.signal(signal.SIGHUP)
    secd.wait_log("settings waiting", 5 * secd.slow)
    disk.take()
    secd.wait_log("state works-again", 5 * secd.slow)
    all_saved(lab, secd, (*ZONES, *BIG))
    alone = state.alone(lab, secd)
    secd.stop()
    alone.start()
    state.wait_loaded(lab, alone)
    assert [alone.serial(a) for a in BIG] == [2] * len(BIG)
    assert abs(checked(alone) - after) <= 1, (before, after, checked(alone))
    alone.stop()
    print(f"one file: checked {before}, then {after}, which is there after it", flush=True)
