"""A state that a newer secd wrote is refused with a clear error, and no octet of it is changed."""
from lab import Lab, state
from lab.state import head
from lab.zones import large, zone

FORMAT = 1


def look(secd) -> dict:
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns, p.stat().st_ino, p.read_bytes())
            for p in state.files(secd)}


def refused(secd, name: str, fmt: int) -> None:
    before = look(secd)
    listening = secd.logged("listening")
    why = secd.start_fails().keys["why"]
    assert why == (f"{name} is of format {fmt}, and this secd knows {FORMAT}: it was written by a "
                   "newer one, which is to be started again, or another state-dir"), why
    assert look(secd) == before
    assert secd.logged("listening") == listening


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(), "big.test.": large(lab.dir / "z", "big.test.", 1,
                                                               200_000)})
    secd = lab.secd({"example.": [primary], "big.test.": [primary]})
    for apex in primary.zones:
        secd.wait_serial(apex, 1, 20 * secd.slow)
    secd.stop()
    primary.kill()
    own = state.files(secd, "zone-*")[0]
    log = state.files(secd, "log-*")[0]
    assert own.read_bytes()[:32] == head(FORMAT, 2, int(own.name[5:], 16))
    assert log.read_bytes()[:32] == head(FORMAT, 1, int(log.name[4:], 16))

    for path, kind in ((own, 2), (log, 1)):
        number = int(path.name.split("-")[1], 16)
        sound = path.read_bytes()
        path.write_bytes(head(7, kind, number) + sound[32:])
        refused(secd, path.name, 7)
        path.write_bytes(sound)
    for name in ("log-00000f00", "zone-00000f01"):
        path = secd.state / name
        path.write_bytes(head(FORMAT + 1, 9, 0xf00) + b"of the future")
        refused(secd, name, FORMAT + 1)
        path.unlink()
    # One whose check is wrong is damaged, not newer.
    (secd.state / "log-00000f00").write_bytes(head(FORMAT + 1, 1, 0xf00, sound=False))
    secd.start()
    state.wait_loaded(lab, secd)
    for apex in primary.zones:
        secd.wait_serial(apex, 1, 2)
