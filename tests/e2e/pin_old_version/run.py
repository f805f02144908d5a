"""A broken zone is published, and the one before is pinned: it is served until unpin, over a restart too, whatever the primary does."""
from lab import Lab, state
from lab.stream import Stream, Zone
from lab.zones import version_addr, zone

HOSTS = "\n".join(f"h{i} A 192.0.2.{i}" for i in range(1, 51))
BROKEN = "\n".join(f"h{i} A 192.0.2.66" for i in range(1, 51))


def good(serial: int) -> str:
    return zone(serial=serial, extra=HOSTS, refresh=1, retry=1)


def broken(serial: int) -> str:
    return zone(serial=serial, extra=BROKEN, refresh=1, retry=1)


def addresses(secd) -> set[str]:
    return {secd.query(f"h{i}.example.").answer[0][0].address for i in (1, 7, 50)}


GOOD, BAD = {"192.0.2.1", "192.0.2.7", "192.0.2.50"}, {"192.0.2.66"}


def publish(primary, secd, text: str, serial: int) -> None:
    primary.set_zone("example.", text)
    primary.notify(secd, "example.", serial)
    secd.wait_serial("example.", serial, 5)


def versions(secd) -> list[dict]:
    return secd.ctl_json("versions", "example.")["versions"]


def run(lab: Lab) -> None:
    night(lab)
    each_that_is_listed(lab)
    words(lab)


def night(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": good(1)})
    secd = lab.secd({"example.": [primary]}, group_opts={"min-refresh": 1, "min-retry": 1})
    secd.wait_serial("example.", 1, 5)
    assert [v["serial"] for v in versions(secd)] == [1]
    publish(primary, secd, good(2), 2)
    before = state.answers(secd, QUESTIONS)
    publish(primary, secd, broken(3), 3)
    assert addresses(secd) == BAD
    listed = versions(secd)
    assert [v["serial"] for v in listed] == [3, 2, 1], listed
    assert [v["served"] for v in listed] == [True, False, False]
    assert [v["kept"] for v in listed] == ["whole"] * 3, listed

    said = secd.ctl_json("pin", "example.", "2")
    assert said["serial"] == 2 and said["was"] == 3 and said["pinned"] and said["saved"], said
    assert secd.serial("example.") == 2 and addresses(secd) == GOOD
    state.same_answers(before, state.answers(secd, QUESTIONS))
    line = secd.wait_log("zone pinned", 2, zone="example.", serial=2)
    assert line.keys["was"] == "3", line.text
    assert secd.ctl_json("status")["zones"]["pinned"] == 1
    assert secd.ctl_json("zone", "example.")["pinned"]["expires"]

    # It is asked about, and not fetched.
    fetched = primary.count("AXFR") + primary.count("IXFR")
    publish_unseen(primary, secd, broken(4), 4)
    secd.wait_log("poll newer", 5, serial=4, zone="example.")
    secd.wait_log("zone current", 5, count=secd.logged("zone current") + 2, serial=2)
    assert secd.serial("example.") == 2 and addresses(secd) == GOOD
    assert primary.count("AXFR") + primary.count("IXFR") == fetched
    for verb in ("retransfer", "accept"):
        assert secd.ctl(verb, "example.").returncode == 1, verb

    secd.kill()
    secd.start()
    secd.wait_serial("example.", 2, 5)
    secd.wait_log("zone pinned", 2, serial=2, why="it was before the restart")
    assert addresses(secd) == GOOD
    assert secd.ctl_json("zone", "example.")["pinned"]

    # What was served at night can be had again, too; and then the pin ends.
    assert [v["serial"] for v in versions(secd)][:2] == [2, 3]
    assert secd.ctl_json("pin", "example.", "3")["was"] == 2
    assert addresses(secd) == BAD
    secd.ctl("pin", "example.", "2")
    primary.set_zone("example.", good(5))
    secd.ctl("unpin", "example.")
    secd.wait_serial("example.", 5, 5)
    assert addresses(secd) == GOOD
    assert secd.ctl_json("status")["zones"]["pinned"] == 0
    assert secd.ctl_json("zone", "example.")["pinned"] is None
    secd.kill()
    primary.stop()
    secd.start()
    secd.wait_serial("example.", 5, 5)
    assert not secd.ctl_json("zone", "example.")["pinned"]


QUESTIONS = [("h1.example.", "A"), ("h50.example.", "A"), ("nosuch.example.", "A"),
             ("example.", "SOA"), ("example.", "NS"), ("example.", "ANY")]


def publish_unseen(primary, secd, text: str, serial: int) -> None:
    primary.set_zone("example.", text)
    primary.notify(secd, "example.", serial)


def each_that_is_listed(lab: Lab) -> None:
    """Whatever came by AXFR and by IXFR, and however often it was saved whole in between: each version
    that is listed can be served, and is what the primary had at that serial."""
    zones = [Zone("small.test.", 12, 1), Zone("big.test.", 5000, 25, 1000)]
    stream = Stream(lab, zones, seed=lab.seed, whole=0.15)
    apexes = list(stream.zones)
    secd = lab.secd(dict.fromkeys(apexes, [stream.primary]), group_opts={"min-refresh": 3600})
    for apex in apexes:
        secd.wait_serial(apex, 1, 5)
    for _ in range(lab.times(60, 600)):
        for apex in apexes:
            stream.serials[apex] += lab.rng.randrange(1, 3)
        secd.ctl("refresh", *apexes)
        for apex in apexes:
            secd.wait_serial(apex, stream.serials[apex], 10)
    pinned, kinds = 0, set()
    for restart in (False, True):
        if restart:
            secd.kill()
            secd.start()
            state.wait_loaded(lab, secd)
        for apex in apexes:
            listed = secd.ctl_json("versions", apex)["versions"]
            assert len(listed) >= 3, listed
            for v in lab.rng.sample(listed, min(len(listed), 6)) + [listed[0]]:
                # Copies that were made for pins are listed, too, and go when there is no room.
                which = str(v["serial"]) if restart else v["version"]
                assert secd.ctl_json("pin", apex, which)["serial"] == v["serial"], v
                assert secd.serial(apex) == v["serial"]
                lines, want = state.dump(secd, apex), stream.zones[apex].lines(v["serial"])
                assert sorted(lines) == sorted(want), f"{v}: {state.differ(want, lines)}"
                pinned += 1
                kinds.add(v["kept"])
    assert kinds == {"whole", "difference"}
    print(f"seed {lab.seed}: {pinned} versions were pinned", flush=True)
    secd.ctl("unpin", *apexes)
    for apex in apexes:
        secd.wait_serial(apex, stream.serials[apex], 10)


def words(lab: Lab) -> None:
    """What can't be done is said so, and changes nothing."""
    primary = lab.scripted_primary({"example.": good(1)})
    secd = lab.secd({"example.": [primary], "empty.": [primary]})
    secd.wait_serial("example.", 1, 5)
    for args, code, text in (
            (("pin", "nobody."), 1, "this server has no such zone"),
            (("pin", "empty."), 1, "nothing is held of it yet"),
            (("pin", "example.", "77"), 1, "no older version with this serial is kept"),
            (("pin", "example.", "v77"), 1, "no older version with this number is kept"),
            (("pin", "example.", "yesterday"), 2, "not 'yesterday'"),
            (("pin", "example.", "1", "v1"), 2, "not 'v1'"),
            (("pin", "example.", "4294967296"), 2, "not '4294967296'"),
            (("unpin", "example."), 1, "it is not pinned"),
            (("versions", "nobody."), 1, "this server has no such zone")):
        said = secd.ctl(*args)
        assert said.returncode == code and text in said.stderr, (args, said)
    assert not secd.ctl_json("zone", "example.")["pinned"]

    # What is served is held, by its serial, its number or without a word.
    for args in ((), ("1",), ("v1",), ("--no-expire",), ("1", "--no-expire")):
        said = secd.ctl_json("pin", "example.", *args)
        assert said["serial"] == said["was"] == 1, said
        assert said["expires"] == ("--no-expire" not in args), said
        assert secd.ctl_json("zone", "example.")["pinned"]["expires"] == said["expires"]
    secd.ctl("unpin", "example.")
    assert [v["serial"] for v in versions(secd)] == [1]
