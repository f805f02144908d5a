"""Polls and transfers are signed with the primary's key, by each algorithm that a primary knows, and IXFR, too."""
import base64
import re

from lab import Lab
from lab.zones import RICH_OLD, zone

SECRET = base64.b64encode(b"a secret of secd's tests, no secret").decode()
OTHER = base64.b64encode(b"another one").decode()
ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def run(lab: Lab) -> None:
    port = lab.port()
    zones, sections = {}, ""
    for kind in ("knot", "nsd", "named", "yadifa", "pdns"):
        for algorithm in ALGORITHMS if kind != "nsd" else ALGORITHMS[1:]:
            apex = f"{algorithm}.{kind}.example."
            key = f"{kind}-{algorithm}"
            primary = getattr(lab, kind)({apex: zone(apex, serial=1, extra=RICH_OLD)},
                                         notify=[("127.0.0.1", port)],
                                         key=(key, algorithm, SECRET))
            zones[apex] = [primary]
            sections += (f"[key {key}]\nalgorithm = {algorithm}\nsecret = {SECRET}\n"
                         f"[primary {primary.name}{len(zones)}]\nkey = {key}\n")
    secd = lab.secd(zones, listen=port, ini_extra=sections)
    for apex in zones:
        secd.wait_serial(apex, 1, 20)
    for apex, (primary,) in zones.items():
        primary.update(apex, zone(apex, serial=2, extra=RICH_OLD))
    for apex in zones:
        secd.wait_serial(apex, 2, 20)
    assert secd.logged("xfr failed") == 0

    # Another secret: nothing comes, and the log says what to look at.
    apex = "hmac-sha256.knot.example."
    wrong = lab.secd({apex: zones[apex]}, ini_extra=(
        f"[key knot-hmac-sha256]\nalgorithm = hmac-sha256\nsecret = {OTHER}\n"
        "[primary knot1]\nkey = knot-hmac-sha256\n"))
    wrong.wait_log("xfr failed", 10, zone=apex, why=re.compile("secret|BADSIG|MAC"))
    assert wrong.rcode(apex, "SOA") == "SERVFAIL"
