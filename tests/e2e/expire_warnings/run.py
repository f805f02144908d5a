"""While no primary confirms a zone, the log says so at 50, 75 and 90 percent of EXPIRE, once each; a zone that is well is not told of."""
from lab import Lab
from lab.scripted import IGNORE
from lab.zones import zone

SANITIZED = False
EXPIRE_S = 6


def run(lab: Lab) -> None:
    names = ["silent.test.", "well.test."]
    primary = lab.scripted_primary({"silent.test.": zone("silent.test.", refresh=1, retry=1,
                                                         expire=EXPIRE_S)})
    # Its REFRESH is most of its EXPIRE: that is no reason to warn.
    other = lab.scripted_primary({"well.test.": zone("well.test.", refresh=4, retry=1,
                                                     expire=EXPIRE_S)})
    secd = lab.secd({"silent.test.": [primary], "well.test.": [other]},
                    group_opts={"min-expire": 1})
    for apex in names:
        secd.wait_serial(apex, 1, 5)

    for turn in (1, 2):
        primary.on("SOA", [IGNORE])
        secd.wait_log("zone expired", 30, count=turn, zone="silent.test.")
        lines = secd.lines("zone expiring", zone="silent.test.")
        assert [x.keys["percent"] for x in lines] == ["50", "75", "90"] * turn, [x.text for x in lines]
        assert [x.level for x in lines] == ["warn"] * 3 * turn
        left = [int(x.keys["left"]) for x in lines[-3:]]
        assert all(abs(got - EXPIRE_S * part) <= 1 for got, part in zip(left, (.5, .25, .1))), left
        primary.on("SOA", None)
        secd.wait_log("zone fresh", 20, count=turn, zone="silent.test.")
    assert not secd.logged("zone expiring", zone="well.test.")
    assert secd.logged("zone current", zone="well.test.") > 2
