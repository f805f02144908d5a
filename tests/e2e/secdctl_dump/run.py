"""A dump is the zone that the primary transfers, in canonical order, and loads everywhere."""
import pathlib
import subprocess

import dns.name
import dns.query
import dns.rdatatype
import dns.zone

from lab import Lab
from lab.zones import RICH, TYPES, zone

# What is hard to write down: every octet in names, texts and rdata.
ODD = """\
a\\.b\\@c\\$d\\"e\\;f\\(g\\)h\\\\i\\032j\\000k\\255l A 192.0.2.1
\\@ A 192.0.2.2
\\$ORIGIN A 192.0.2.3
\\# A 192.0.2.4
* A 192.0.2.5
x.* A 192.0.2.6
odd-target CNAME a\\.b\\@c\\$d\\"e\\;f\\032g
mx MX 10 \\".quote
t TXT "a \\"quoted\\" \\\\ \\000\\001\\127\\200\\255 ; ( ) $ @" ""
long TXT """ + " ".join('"' + "x" * 255 + '"' for _ in range(20)) + "\n" + TYPES + """\
rp RP hostmaster t
afsdb AFSDB 1 afs
unknown TYPE65534 \\# 6 010203040506
empty TYPE65533 \\# 0
ds DS 12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
many A 10.0.0.1
"""


def run(lab: Lab) -> None:
    many = "".join(f"many A 10.0.{i // 256}.{i % 256}\n" for i in range(2, 2000))
    hosts = "".join(f"h{i}.sub{i % 7} A 10.1.{i // 256}.{i % 256}\n" for i in range(3000))
    plain = lab.knot({"example.": zone(serial=10, extra=RICH + ODD + many + hosts),
                      ".": zone(".", 4)})
    signed = {}
    for policy, apex in (("", "nsec.example."), ("    nsec3: on\n", "nsec3.example.")):
        signed[apex] = lab.knot(
            {apex: zone(apex, 3, extra=RICH)},
            extra=f"policy:\n  - id: p\n    algorithm: ecdsap256sha256\n{policy}",
            zone_extra="dnssec-signing: on\ndnssec-policy: p")
    primaries = {"example.": plain, ".": plain, **signed}
    secd = lab.secd({apex: [p] for apex, p in primaries.items()})
    for apex, p in primaries.items():
        secd.wait_serial(apex, p.serial(apex), 10)
        compare(lab, secd, apex, p)
    assert secd.ctl("dump", "absent.").returncode == 1


def compare(lab, secd, apex: str, primary) -> None:
    got = secd.ctl("dump", apex)
    assert got.returncode == 0 and not got.stderr, got.stderr
    origin = dns.name.from_text(apex)
    want = dns.zone.from_xfr(dns.query.xfr(primary.addr, origin, port=primary.port,
                                           relativize=False), relativize=False)
    have = dns.zone.from_text(got.stdout, origin=origin, relativize=False, check_origin=False)
    assert records(have) == records(want), sorted(records(have) ^ records(want))[:5]
    lines = [x for x in got.stdout.splitlines() if not x.startswith(";")]
    assert len(lines) == len(records(want)), "each record once, on a line of its own"
    assert lines[0].split("\t")[3] == "SOA", lines[0]
    owners = [dns.name.from_text(x.split("\t")[0]) for x in lines]
    assert owners == sorted(owners), "canonical order"
    loads(lab, apex, got.stdout)

    in_json = secd.ctl_json("dump", apex)
    assert in_json["zone"] == apex and in_json["count"] == len(lines) == len(in_json["records"])
    assert [f"{r['owner']}\t{r['ttl']}\tIN\t{r['type']}\t{r['data']}"
            for r in in_json["records"]] == lines


def records(z: dns.zone.Zone) -> set:
    """(owner, TTL, type, octets of the data), names folded as an owner's case is none."""
    return {(str(name).lower(), ttl, dns.rdatatype.to_text(rdata.rdtype), rdata.to_digestable())
            for name, ttl, rdata in z.iterate_rdatas()}


def loads(lab, apex: str, text: str) -> None:
    """Three other readers of zone files take it, and named's counts as many records."""
    path: pathlib.Path = lab.dir / lab.unique("dump")
    path.write_text(text, encoding="ascii")
    compiled = path.with_suffix(".named")
    for argv in (["named-checkzone", "-k", "ignore", "-r", "ignore", "-i", "none", "-D", "-q", "-o",
                  str(compiled), apex, str(path)],
                 ["kzonecheck", "-o", apex, "-d", "off", str(path)], ["ldns-read-zone", str(path)]):
        out = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        assert out.returncode == 0, f"{argv}: {out.stdout[-1500:]}{out.stderr[-1500:]}"
    again = dns.zone.from_file(str(compiled), origin=apex, relativize=False, check_origin=False)
    assert records(again) == records(dns.zone.from_text(text, origin=apex, relativize=False,
                                                        check_origin=False))
