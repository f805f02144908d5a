"""One primary down and another silent cost no more than their questions: nothing spins while it waits for them."""
import os
import pathlib

from lab import Lab
from lab.scripted import IGNORE
from lab.zones import zone


def cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(lab: Lab) -> None:
    apexes = [f"z{i}.example." for i in range(8)]
    zones = {apex: zone(apex, serial=1, refresh=1, retry=1) for apex in apexes}
    down, silent = lab.scripted_primary(zones), lab.scripted_primary(zones)
    secd = lab.secd({apex: [down, silent] for apex in apexes})
    for apex in apexes:
        secd.wait_serial(apex, 1, 5)
    silent.on("SOA", [IGNORE])
    down.stop()
    secd.wait_log("primary down", 20)
    before = cpu_s(secd.child.pid)
    lab.stays(lambda: secd.serial("z0.example.") == 1, 6, "what is held is served")
    used = cpu_s(secd.child.pid) - before
    assert used < 2 * secd.slow, f"{used:.2f} s of CPU in 6 s"
