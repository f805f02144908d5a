"""With rotate = on each address of a set is first in its turn, signatures and other sections stay; without, the order never changes."""
from lab import Lab
from lab.zones import zone

MANY = "\n".join(f"many A 192.0.2.{n}" for n in range(1, 6)) + "\nmail MX 1 many\n"


def orders(secd, *question) -> set[tuple[str, ...]]:
    """The addresses of 20 answers, each as it came."""
    return {tuple(r.address for rrset in secd.query(*question).answer for r in rrset)
            for _ in range(20)}


def run(lab: Lab) -> None:
    primary = lab.knot({"example.": zone(extra=MANY)})
    turning = lab.secd({"example.": [primary]}, server_opts={"rotate": "on"})
    steady = lab.secd({"example.": [primary]})
    for secd in (turning, steady):
        secd.wait_serial("example.", 1, 5)
    seen = orders(turning, "many.example.")
    assert {o[0] for o in seen} == {f"192.0.2.{n}" for n in range(1, 6)}, seen
    assert all(len(set(o)) == 5 for o in seen), seen
    assert len(orders(steady, "many.example.")) == 1
