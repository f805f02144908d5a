"""A reload meets what is under way (saves, transfers, pins, another reload): what is served and what is on the disk stay of one piece."""
from lab import Lab
from lab.zones import zone


def nothing_of_the_settings_before(lab: Lab) -> None:
    """What was borrowed from settings that are gone is not looked at any more."""
    primary = lab.scripted_primary({"a.test.": zone("a.test.", 1)})
    secd = lab.secd({"a.test.": [primary]})
    secd.wait_serial("a.test.", 1, 5)
    secd.write_ini(server_opts={"transfers": 7})
    for _ in range(2):
        secd.ctl_json("reload")
        assert secd.ctl_json("status")["state"]["dir"] == str(secd.state)
        assert str(secd.state) in secd.ctl("status").stdout
    secd.stop()


def run(lab: Lab) -> None:
    for part in (nothing_of_the_settings_before,):
        part(lab)
