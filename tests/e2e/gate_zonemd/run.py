"""Zones with the digests that knotd makes are taken, signed ones too; one with a record changed on the way is refused and what was served stays, until it is right and an operator asks for it; without a digest where one is required, nothing is taken."""
from __future__ import annotations

import dns.query
import dns.zone

from lab import Lab
from lab.zones import RICH, zone

ZONES = {"plain.": "zonemd-sha384", "nsec.": "zonemd-sha512", "nsec3.": "zonemd-sha384"}


def transfer(primary, apex: str) -> str:
    """The zone as the primary has it."""
    got = dns.query.xfr(primary.addr, apex, port=primary.port, relativize=False)
    return dns.zone.from_xfr(got, relativize=False).to_text(relativize=False)


def knot(lab: Lab, apex: str, text: str, digest: str):
    """A knotd that adds a digest; signs but for plain."""
    policy = f"policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    nsec3: {'on' if apex == 'nsec3.' else 'off'}\n"
    signs = "" if apex == "plain." else "\ndnssec-signing: on\ndnssec-policy: p"
    return lab.knot({apex: text}, extra=policy,
                    zone_extra=f"zonemd-generate: {digest}{signs}")


def run(lab: Lab) -> None:
    for apex, digest in ZONES.items():
        made = knot(lab, apex, zone(apex, serial=10, extra=RICH), digest)
        right = transfer(made, apex)
        serial = made.serial(apex)
        assert "ZONEMD" in right, right

        secd = lab.secd({apex: [made]}, group_opts={"zonemd": "required", "max-refresh": "1s"})
        secd.wait_serial(apex, serial, 5)
        assert secd.query(apex, "ZONEMD").answer, "it is served like any record"

        # The next version comes by someone who changes an address.
        between = lab.scripted_primary({apex: right})
        follower = lab.secd({apex: [between]})
        follower.wait_serial(apex, serial, 5)
        made.update(apex, zone(apex, serial=serial + 10, extra=RICH))
        lab.wait(lambda made=made, apex=apex, old=serial: made.serial(apex) != old, 10, "the update")
        serial = made.serial(apex)
        secd.wait_serial(apex, serial, 10)  # by a difference, if knotd gives one
        right = transfer(made, apex)
        wrong = right.replace("192.0.2.53", "192.0.2.54")
        assert wrong != right
        between.set_zone(apex, wrong)
        between.notify(follower, apex)
        line = follower.wait_log("xfr failed", 5, zone=apex)
        assert line.keys["why"] == "ZONEMD: the digest differs, and zonemd is not off", line.text
        assert follower.serial(apex) != serial
        # What was refused is not fetched again by itself, but when an operator asks for it.
        between.set_zone(apex, right)
        fetched = between.count("AXFR") + between.count("IXFR")
        between.notify(follower, apex)
        follower.wait_log("poll refused", 5, zone=apex)
        assert between.count("AXFR") + between.count("IXFR") == fetched
        follower.ctl_json("retransfer", apex)
        follower.wait_serial(apex, serial, 5)

    bare = lab.scripted_primary({"bare.": zone("bare.", serial=1)})
    strict = lab.secd({"bare.": [bare]}, group_opts={"zonemd": "required"})
    line = strict.wait_log("xfr failed", 5, zone="bare.")
    assert line.keys["why"] == "no ZONEMD, and zonemd = required", line.text
    assert strict.rcode("bare.", "SOA") == "SERVFAIL"
    lenient = lab.secd({"bare.": [bare]})
    lenient.wait_serial("bare.", 1, 5)
    bare.set_zone("bare.", zone("bare.", serial=2,
                                extra="@ ZONEMD 2 1 240 00112233445566778899aabb"))
    bare.notify(lenient, "bare.")
    lenient.wait_serial("bare.", 2, 5)
    lenient.wait_log("zone unverified", 5, zone="bare.")
