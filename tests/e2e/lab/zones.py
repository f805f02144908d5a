"""Zone texts for scenarios."""
from __future__ import annotations

import pathlib


def zone(apex: str = "example.", serial: int = 1, *, refresh: int = 3600, retry: int = 600,
         expire: int = 86400, minimum: int = 300, ttl: int = 300, extra: str = "",
         ns: bool = True) -> str:
    """A small whole zone. www's A record tells the serial: 10.S.S.S of its low 24 bits, so that
    a query shows which version was served."""
    lines = [f"$ORIGIN {apex}", f"$TTL {ttl}",
             f"@ SOA ns1 hostmaster {serial} {refresh} {retry} {expire} {minimum}"]
    if ns:
        lines += ["@ NS ns1", "@ NS ns2", "ns1 A 192.0.2.1", "ns1 AAAA 2001:db8::1",
                  "ns2 A 192.0.2.2"]
    lines.append(f"www A {version_addr(serial)}")
    if extra:
        lines.append(extra.rstrip("\n"))
    return "\n".join(lines) + "\n"


def version_addr(serial: int) -> str:
    """The address of www in zone(serial=...)."""
    return f"10.{serial >> 16 & 255}.{serial >> 8 & 255}.{serial & 255}"


RICH = """\
mail MX 10 mx1
mail MX 20 mx2.other.test.
mx1 A 192.0.2.25
alias CNAME www
chain CNAME alias
dangling CNAME nowhere
*.wild A 192.0.2.77
*.wild TXT "wild" "card"
a.b.ent TXT "below an empty non-terminal"
sub NS ns.sub
sub NS ns.other.test.
ns.sub A 192.0.2.53
ns.sub AAAA 2001:db8::53
moved DNAME elsewhere
host.elsewhere A 192.0.2.99
_sip._tcp SRV 1 2 5060 www
txt TXT "one" "two"
caa CAA 0 issue "ca.example.net"
svc HTTPS 1 www alpn=h2
odd TYPE65280 \\# 4 deadbeef
UPPER A 192.0.2.88
"""

# Types that YADIFA's reader of zone files does not know.
RICH_OLD = "".join(line for line in RICH.splitlines(keepends=True)
                   if not {"DNAME", "CAA", "HTTPS"} & set(line.split()))

# Types that are rare, each at an owner of its own.
TYPES = """\
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
cert CERT PKIX 0 0 AQIDBA==
tlsa TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
sshfp SSHFP 1 1 0011223344556677889900112233445566778899
uri URI 10 1 "https://example.com/"
svcb SVCB 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1
https HTTPS 0 svcb
hinfo HINFO "PC" "UNIX"
apl APL 1:192.0.2.0/24 !1:192.0.2.64/28
eui EUI48 00-00-5e-00-53-2a
openpgp OPENPGPKEY AQIDBA==
dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
"""

# What to ask of a zone with RICH in it, relative to its apex.
RICH_QUESTIONS = [
    ("@", "SOA"), ("@", "NS"), ("@", "A"), ("www", "A"), ("www", "AAAA"), ("WwW", "A"),
    ("mail", "MX"), ("mx1", "A"), ("alias", "A"), ("chain", "A"), ("alias", "CNAME"),
    ("dangling", "A"), ("x.wild", "A"), ("x.y.wild", "TXT"), ("x.wild", "AAAA"), ("*.wild", "A"),
    ("ent", "A"), ("b.ent", "TXT"), ("a.b.ent", "TXT"), ("nx.b.ent", "TXT"), ("sub", "NS"),
    ("deep.sub", "A"), ("ns.sub", "A"), ("moved", "DNAME"), ("host.moved", "A"),
    ("_sip._tcp", "SRV"), ("txt", "TXT"), ("caa", "CAA"), ("svc", "HTTPS"), ("odd", "TYPE65280"),
    ("upper", "A"), ("absent", "A"), ("absent", "TXT"), ("sub", "DS"),
]


def questions(apex: str) -> list[tuple[str, str]]:
    """RICH_QUESTIONS with whole names."""
    return [(apex if n == "@" else f"{n}.{apex}", t) for n, t in RICH_QUESTIONS]


def large(path: pathlib.Path, apex: str, serial: int, records: int) -> pathlib.Path:
    """A zone file of about so many records: hosts with an A record each."""
    with open(path, "w", encoding="ascii") as f:
        f.write(zone(apex, serial))
        for start in range(0, records, 10000):
            f.write("".join(f"h{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n"
                            for i in range(start, min(start + 10000, records))))
    return path
