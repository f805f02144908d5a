"""A primary whose transfers use up the daemon's budget keeps no other one from being followed, and nothing spins beside one that is down."""
import os
import pathlib

from lab import Lab
from lab.scripted import STALL, Send
from lab.zones import zone

SANITIZED = False


def cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(lab: Lab) -> None:
    zones = {kind: {f"{kind}{i}.example.": zone(f"{kind}{i}.example.", serial=1) for i in range(8)}
             for kind in ("slow", "down", "good")}
    primaries = {kind: lab.scripted_primary(zones[kind]) for kind in zones}
    primaries["slow"].on("AXFR", lambda r: [Send(r.answer(r.records[:2])), STALL])
    primaries["down"].stop()
    primaries["good"].stop()
    secd = lab.secd({apex: [primaries[kind]] for kind in zones for apex in zones[kind]},
                    server_opts={"transfers": 2})
    primaries["slow"].wait_for("AXFR", 5, count=2)
    primaries["good"].start()
    for apex in zones["good"]:
        secd.wait_serial(apex, 1, 20)
    secd.wait_log("primary down", 20)
    lines, before = secd.logged("zone unrefreshed"), cpu_s(secd.child.pid)
    lab.stays(lambda: secd.serial("good0.example.") == 1, 5, "what is held is served")
    lines, used = secd.logged("zone unrefreshed") - lines, cpu_s(secd.child.pid) - before
    assert lines < 100 and used < 1.5 * secd.slow, f"{lines} lines and {used:.2f} s of CPU in 5 s"
