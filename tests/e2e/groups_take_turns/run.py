"""A group of many zones keeps no other group of the same primary from its turn."""
from lab import Lab
from lab.scripted import Wait
from lab.zones import zone


def run(lab: Lab) -> None:
    many = [f"m{i}.example." for i in range(100)]
    one = "one.example."
    p = lab.scripted_primary({apex: zone(apex, serial=1) for apex in [*many, one]})
    q = lab.scripted_primary({one: zone(one, serial=1)})
    p.on("AXFR", lambda r: [Wait(0.1), *r.axfr()])
    secd = lab.secd({**{apex: [p] for apex in many}, one: [p, q]},
                    primary_opts={"max-transfers": 2})
    secd.wait_serial(one, 1, 20)
    before = secd.logged("xfr installed") - 1
    assert before < 30, f"{before} of {len(many)} came before it"
