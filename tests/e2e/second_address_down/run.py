"""A primary one of whose addresses is dead is asked at the other one no more often for it."""
from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    apexes = [f"z{i}.example." for i in range(8)]
    p = lab.scripted_primary({apex: zone(apex, serial=1) for apex in apexes})
    secd = lab.secd({apex: [p] for apex in apexes}, start=False)
    text = secd.ini.read_text()
    here = f"address = {p.addr}@{p.port}"
    secd.ini.write_text(text.replace(here, f"{here}, 127.0.0.2@{p.port}"))
    secd.start()
    for apex in apexes:
        secd.wait_serial(apex, 1, 5)
    # NOTIFYs come from the second address, at which nobody answers.
    for apex in apexes:
        p.notify(secd, apex, 1, source="127.0.0.2")
    secd.wait_log("primary down", 20)
    asked = p.count("SOA")
    lab.stays(lambda: secd.serial(apexes[0]) == 1, 6, "what is held is served")
    asked = p.count("SOA") - asked
    assert asked < 30, f"{asked} questions in 6 s"
