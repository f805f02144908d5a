"""Each fault that the settings refuse keeps its zone at the version before, in a line that names the option and the place; by default it is served with a warning."""
from lab import Lab, wire
from lab.zones import zone

SIG = "www RRSIG A 8 2 300 20210101000000 20200101000000 1 {apex} AAAA"
# What goes wrong, the options that refuse it, words and name of the refusal, and the warning by default.
CASES = {
    "no-ns.": (dict(ns=False), {"no-ns": "refuse"}, ("no-ns = refuse", "no-ns."),
               ("zone faults", {"no-ns": "1"})),
    "single-ns.": (dict(ns=False, extra="@ NS ns.other."), {"single-ns": "refuse"},
                   ("single-ns = refuse", "single-ns."), ("zone faults", {"single-ns": "1"})),
    "cname.": (dict(extra="c CNAME www"), {"cname-beside": "refuse"},
               ("cname-beside = refuse", "c.cname."), ("zone faults", {"cname-beside": "1"})),
    "dname.": (dict(extra="d DNAME www\nx.d A 192.0.2.9"), {"below-dname": "refuse"},
               ("below-dname = refuse", "x.d.dname."), ("zone faults", {"below-dname": "1"})),
    "glue.": (dict(extra="s NS ns.s"), {"missing-glue": "refuse"},
              ("missing-glue = refuse", "s.glue."), ("zone faults", {"missing-glue": "1"})),
    "iterations.": (dict(extra="@ NSEC3PARAM 1 0 151 -"), {"max-iterations": "150"},
                    ("151 iterations, over max-iterations = 150", None),
                    ("zone faults", {"nsec3-iterations": "151"})),
    "signatures.": (dict(extra=SIG.format(apex="signatures.")), {"refuse-signatures": "1d"},
                    ("refuse-signatures = 86400", None), ("zone signatures", {})),
}


BESIDE = wire.rr("c.cname.", "A", "192.0.2.9")  # which no zone text may have


def axfr(r):
    """As it is asked for, with an address beside the CNAME where there is one."""
    beside = [BESIDE] if any(rec.startswith(wire.name("c.cname.")) for rec in r.records) else []
    return r.axfr(r.records + beside + r.records[:1])


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({apex: zone(apex, serial=1) for apex in CASES})
    primary.on("AXFR", axfr)
    strict = {apex: lab.secd({apex: [primary]}, group_opts=CASES[apex][1]) for apex in CASES}
    lenient = lab.secd({apex: [primary] for apex in CASES})
    for apex in CASES:
        strict[apex].wait_serial(apex, 1, 5)
        lenient.wait_serial(apex, 1, 5)
    for apex, (wrong, _options, (words, record), (event, keys)) in CASES.items():
        primary.set_zone(apex, zone(apex, serial=2, **wrong))
        primary.notify(strict[apex], apex, 2)
        primary.notify(lenient, apex, 2)
        line = strict[apex].wait_log("xfr failed", 5, zone=apex)
        assert words in line.keys["why"], line.text
        assert line.keys.get("record") == record, line.text
        assert strict[apex].serial(apex) == 1
        lenient.wait_serial(apex, 2, 5)
        lenient.wait_log(event, 5, zone=apex, **keys)

        primary.set_zone(apex, zone(apex, serial=3))
        primary.notify(strict[apex], apex, 3)
        strict[apex].wait_serial(apex, 3, 5)
