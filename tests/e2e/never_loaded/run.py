"""A zone that never came answers SERVFAIL, is asked for again, and is served once it comes."""
from lab import Lab
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"here.test.": zone("here.test.")})
    primary.stop()
    secd = lab.secd({"here.test.": [primary], "sub.here.test.": [primary]},
                    group_opts={"min-retry": 1, "max-retry": 1})
    secd.wait_log("xfr failed", 10, zone="here.test.")
    assert secd.rcode("here.test.", "SOA") == "SERVFAIL"
    assert secd.rcode("www.here.test.", tcp=True) == "SERVFAIL"
    primary.start()
    secd.wait_serial("here.test.", 1, 10)
    assert secd.rcode("www.here.test.") == "NOERROR"
    # The parent's data never stand in for a child zone that has none.
    assert secd.rcode("www.sub.here.test.") == "SERVFAIL"
    primary.set_zone("sub.here.test.", zone("sub.here.test.", 0))
    secd.wait_serial("sub.here.test.", 0, 10)  # serial 0 is legal
