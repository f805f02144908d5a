"""A zone that has lost most of its records under max-shrink stays as it was, and is taken once it is mended; a first copy is taken at any size."""
from lab import Lab
from lab.zones import version_addr, zone

HOSTS = "\n".join(f"h{i} A 192.0.2.{i}" for i in range(1, 101))


def run(lab: Lab) -> None:
    whole = {"example.": zone(serial=1, extra=HOSTS, refresh=1, retry=1), "small.": zone("small.", serial=1)}
    primary = lab.scripted_primary(whole)
    secd = lab.secd({apex: [primary] for apex in whole}, group_opts={"max-shrink": "50%"})
    secd.wait_serial("example.", 1, 5)
    secd.wait_serial("small.", 1, 5)

    primary.set_zone("example.", zone(serial=2, refresh=1, retry=1))
    primary.notify(secd, "example.", 2)
    line = secd.wait_log("xfr failed", 5, zone="example.")
    assert line.keys["why"] == "shrank from 107 records to 7, which is over max-shrink", line.text
    assert secd.serial("example.") == 1
    assert secd.query("h100.example.").answer[0][0].address == "192.0.2.100"
    assert secd.query("www.example.").answer[0][0].address == version_addr(1)

    # It is looked at again, not fetched.
    fetched = primary.count("AXFR") + primary.count("IXFR")
    secd.wait_log("poll refused", 10, count=2, zone="example.", serial=2)
    assert primary.count("AXFR") + primary.count("IXFR") == fetched
    shown = secd.ctl_json("zone", "example.")["primaries"][0]
    assert shown["refused"] and shown["serial"] == 2, shown

    primary.set_zone("example.", zone(serial=3, extra=HOSTS.replace("h9", "i9"), retry=1))
    primary.notify(secd, "example.", 3)
    secd.wait_serial("example.", 3, 5)
    assert secd.rcode("h99.example.") == "NXDOMAIN"
