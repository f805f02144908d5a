"""A primary that went back in serial is refused until the operator accepts it, once."""
from lab import Lab
from lab.zones import version_addr, zone


def run(lab: Lab) -> None:
    port = lab.port()
    named = lab.named({"example.": zone(serial=10)}, notify=[("127.0.0.1", port)])
    secd = lab.secd({"example.": [named]}, listen=port)
    secd.wait_serial("example.", 10, 5)
    assert secd.ctl("accept", "example.").returncode == 1, "nothing to accept yet"
    named.update("example.", zone(serial=5))
    lab.wait(lambda: named.serial("example.") == 5, 5, "the primary's older zone")
    assert secd.ctl_json("refresh", "example.")["zones"][0]["done"]
    secd.wait_log("poll older", 5, zone="example.")
    z = secd.ctl_json("zone", "example.")
    assert z["held"]["serial"] == 10 and z["primaries"][0]["refused"] == 5, z
    assert z["events"][0]["event"] == "refused" and z["events"][0]["why"] == "older", z
    s = secd.ctl_json("status")
    assert s["zones"]["refused"] == 1, s
    assert "offers serial 5" in s["worst"][0]["why"], s

    # Transferring anew is no way to go back.
    assert secd.ctl_json("retransfer", "example.")["zones"][0]["done"]
    secd.wait_log("poll older", 5, count=2, zone="example.")
    assert secd.serial("example.") == 10

    assert secd.ctl_json("accept", "example.")["zones"][0]["done"]
    secd.wait_serial("example.", 5, 5)
    assert secd.query("www.example.").answer[0][0].address == version_addr(5)
    line = secd.wait_log("poll granted", 2, zone="example.")
    assert line.keys["serial"] == "5" and line.keys["held"] == "10", line
    z = secd.ctl_json("zone", "example.")
    assert z["state"] == "fresh" and z["primaries"][0]["refused"] is None, z
    assert secd.ctl("accept", "example.").returncode == 1, "it was for once"

    # And a second time back is refused again.
    named.update("example.", zone(serial=3))
    lab.wait(lambda: named.serial("example.") == 3, 5, "older still")
    secd.ctl_json("refresh", "example.")
    secd.wait_log("poll older", 5, zone="example.", serial=3)
    assert secd.serial("example.") == 5
