"""When the first primary is dead the second is used, and it's said which one it was."""
from lab import Lab
from lab.zones import version_addr, zone


def run(lab: Lab) -> None:
    dead = lab.scripted_primary({})
    dead.stop()
    alive = lab.knot({"example.": zone(serial=3)})
    secd = lab.secd({"example.": [dead, alive]})
    secd.wait_serial("example.", 3, 5)
    assert secd.query("www.example.").answer[0][0].address == version_addr(3)
    line = secd.wait_log("xfr installed", 1, zone="example.")
    assert line.keys["addr"].endswith(f"@{alive.port}"), line.text
    assert secd.logged("poll failed", zone="example.") >= 1


