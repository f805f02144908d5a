"""A primary that went back in serial, or whose zone a gate refuses, is refused until the operator accepts it, once."""
from lab import Lab
from lab.zones import version_addr, zone

HOSTS = "\n".join(f"h{i} A 192.0.2.{i}" for i in range(1, 101))


def digest(serial: int) -> str:
    """A wrong one."""
    return f"@ ZONEMD {serial} 1 1 {'00' * 48}"


def run(lab: Lab) -> None:
    went_back(lab)
    gates(lab)


def went_back(lab: Lab) -> None:
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


def gates(lab: Lab) -> None:
    """Of the zones one shrinks, and one has a digest that is wrong, and shrinks as well."""
    whys = {"small.": "shrank from 107 records to 7, which is over max-shrink",
            "digest.": "shrank from 107 records to 8, which is over max-shrink",
            "wrong.": "ZONEMD: the digest differs, and zonemd is not off"}
    primary = lab.scripted_primary({apex: zone(apex, 1, extra=HOSTS) for apex in whys})
    secd = lab.secd({apex: [primary] for apex in whys}, group_opts={"max-shrink": "50%"})
    next_of = {"small.": zone("small.", 2), "digest.": zone("digest.", 2, extra=digest(2)),
               "wrong.": zone("wrong.", 2, extra=f"{HOSTS}\n{digest(2)}")}
    for apex, why in whys.items():
        secd.wait_serial(apex, 1, 5)
        primary.set_zone(apex, next_of[apex])
        primary.notify(secd, apex, 2)
        assert secd.wait_log("xfr failed", 5, zone=apex).keys["why"] == why
        z = secd.ctl_json("zone", apex)
        assert z["held"]["serial"] == 1 and z["primaries"][0]["refused"] is not None, z
        secd.ctl_json("retransfer", apex)
        secd.wait_log("xfr failed", 5, count=2, zone=apex)
        assert secd.serial(apex) == 1, "no gate is lifted but by accept"

        assert secd.ctl_json("accept", apex)["zones"][0]["done"]
        secd.wait_serial(apex, 2, 5)
        assert secd.ctl("accept", apex).returncode == 1, "it was for once"
    # The next version meets the gates again.
    primary.set_zone("wrong.", zone("wrong.", 3, extra=f"{HOSTS}\n{digest(3)}"))
    primary.notify(secd, "wrong.", 3)
    secd.wait_log("xfr failed", 5, count=3, zone="wrong.")
    assert secd.serial("wrong.") == 2
