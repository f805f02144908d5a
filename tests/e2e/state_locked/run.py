"""A second secd on the same state-dir ends with an error that says so, the first goes on, and whoever comes when it is gone may have it."""
from lab import Lab, state
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone()})
    first, second = (lab.secd({"example.": [primary]}, start=False) for _ in range(2))
    second.ini.write_text(second.ini.read_text().replace(str(second.state), str(first.state)))
    first.start()
    first.wait_serial("example.", 1, 5)
    names = {p.name: p.stat().st_size for p in state.files(first)}
    failed = second.start_fails()
    assert failed.keys["why"] == f"another secd has the state-dir {first.state}", failed.text
    assert second.logged("listening") == 0 and second.logged("state found") == 0
    assert {p.name: p.stat().st_size for p in state.files(first)} == names

    primary.update("example.", zone(serial=2))
    first.ctl("refresh", "example.")
    first.wait_serial("example.", 2, 5)
    first.kill()
    primary.kill()
    second.start()
    second.wait_serial("example.", 2, 2)
    second.stop()
    first.start()
    first.wait_serial("example.", 2, 2)
