"""The zones that are too large or too regular to write by hand.

    generate.py DIRECTORY      writes them there; the same ones each time
"""
from __future__ import annotations

import pathlib
import random
import sys

SOA = "SOA ns.inv.test. host.inv.test. 7 3600 600 864000 300"
SEED = 1034
HUGE_RECORDS = 200_000

# One or two records of each type that ldns reads, in its presentation form. Where a server does
# not know a type by name, or reads it otherwise, the generic form of RFC 3597 5 stands here.
TYPES = r"""
a A 192.0.2.1
ns NS ns.inv.test.
cname CNAME Host.types.test.
mb TYPE7 \# 15 044D61696C03696E76047465737400
mg TYPE8 \# 15 044D61696C03696E76047465737400
mr TYPE9 \# 15 044D61696C03696E76047465737400
null TYPE10 \# 3 ABCDEF
wks TYPE11 \# 16 C0000201060000004000000000000080
ptr PTR Host.types.test.
hinfo HINFO "VAX" "Unix"
minfo MINFO a.inv.test. b.inv.test.
mx MX 10 Host.types.test.
txt TXT "a" "b"
rp RP host.inv.test. txt.types.test.
afsdb AFSDB 1 Host.types.test.
x25 TYPE19 \# 13 0C333131303631373030393536
isdn TYPE20 \# 20 0F31353038363230323830303332313703303034
rt RT 10 Host.types.test.
nsap TYPE22 \# 20 47000580005A0000000001E133FFFFFF00016100
nsap-ptr TYPE23 \# 17 04486f7374057479706573047465737400
sig TYPE24 \# 33 001E010300000E107FE817805E0BE1000001057479706573047465737400000000
key KEY 256 3 5 AAAA
px TYPE26 \# 26 000A016103696E76047465737400016203696E76047465737400
gpos TYPE27 \# 23 082D33322E36383832083131362E383635320431302E30
aaaa AAAA 2001:db8::1
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
nxt TYPE30 \# 7 01610000000040
eid TYPE31 \# 4 e32c6f78
nimloc TYPE32 \# 4 32251a03
srv SRV 0 5 5060 Host.types.test.
atma TYPE34 \# 5 00a1b2c3d4
naptr NAPTR 100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.inv.test.
kx KX 10 Host.types.test.
cert CERT 1 12345 5 AAAA
a6 TYPE38 \# 17 0020010db8000000000000000000000001
dname DNAME Other.types.test.
sink TYPE40 \# 3 000102
apl APL 1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32
ds DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
sshfp SSHFP 4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ipseckey IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey IPSECKEY 10 3 2 gw.inv.test. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
dnskey DNSKEY 256 3 13 AAAA
dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
tlsa TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
smimea SMIMEA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
hip TYPE55 \# 64 1002001E200100107B1A74DF365639CC39F1D57803010001B771CA136E4AEB5CE44333C53B3D2C13C22243851FC708BCCE290352767303696E76047465737400
ninfo TYPE56 \# 3 026f6b
rkey TYPE57 \# 6 000003050102
talink TYPE58 \# 16 0161046e6f6e6500016204746f6e6500
cds CDS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
cdnskey CDNSKEY 256 3 13 AAAA
openpgpkey OPENPGPKEY AAAA
csync CSYNC 66 3 A NS AAAA
zonemd ZONEMD 7 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
svcb SVCB 1 svc.types.test. alpn=h2 port=8443
https HTTPS 1 . alpn=h2,h3
spf SPF "v=spf1 -all"
uinfo TYPE100 \# 3 026f6b
uid TYPE101 \# 4 00000001
gid TYPE102 \# 4 00000002
unspec TYPE103 \# 2 beef
nid NID 10 0014:4fff:ff20:ee64
l32 L32 10 10.1.2.0
l64 L64 10 2001:0DB8:1140:1000
lp LP 10 l64-subnet.inv.test.
eui48 EUI48 00-00-5e-00-53-2a
eui64 EUI64 00-00-5e-ef-10-00-00-2a
uri URI 10 1 "ftp://ftp.inv.test/public"
caa CAA 0 issue "ca.inv.test"
caa CAA 128 iodef "mailto:a@inv.test"
avc TYPE258 \# 14 0d6170702d6e616d653a776f7264
doa TYPE259 \# 12 000000000000000102016162
amtrelay TYPE260 \# 18 0A030572656C617903696E76047465737400
amtrelay TYPE260 \# 6 0A01CB00710F
ta TYPE32768 \# 24 30390d010123456789abcdef0123456789abcdef01234567
dlv TYPE32769 \# 36 30390D020123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
private TYPE65280 \# 4 deadbeef
empty TYPE65281 \# 0
large TYPE65282 \# 300 """ + "ab" * 300 + "\n"


def head(apex: str, rule: str, ns: str = "ns.inv.test.", more: str = "") -> str:
    return f"; zone: {apex}\n{more}; rule: {rule}\n$TTL 3600\n{apex} IN {SOA}\n{apex} IN NS {ns}\n"


def types() -> str:
    out = [head("types.test.", "every type that ldns reads; types unknown to a server pass "
                "untouched (RFC 3597)"), "$ORIGIN types.test.\n"]
    for line in TYPES.strip().split("\n"):
        owner, rest = line.split(" ", 1)
        out.append(f"{owner} IN {rest}\n")
    return "".join(out)


def root_like(delegations: int = 1500) -> str:
    """Glue of each kind: in-domain, of a sibling, none of ours."""
    rng = random.Random(SEED)
    labels: dict[str, None] = {}
    while len(labels) < delegations:
        label = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.choice((2, 2, 3, 4, 9))))
        if label not in ("test", "nic"):
            labels[label] = None
    labels_list = list(labels)
    out = [head(".", "a zone like the root's: 1,500 delegations, glue in-domain, of siblings, and "
                "none", "a.rootlike.", "; set: big\n"),
           "a.rootlike. IN A 198.51.100.1\n"]
    for i, d in enumerate(labels_list):
        sibling = labels_list[rng.randrange(max(i, 1))]
        kind = rng.randrange(4)
        ttl = rng.choice((172800, 86400))
        if kind in (0, 1, 3):
            for k in range(rng.randrange(1, 5)):
                out.append(f"{d}. {ttl} IN NS {'abcd'[k]}.nic.{d}.\n"
                           f"{'abcd'[k]}.nic.{d}. {ttl} IN A 198.51.100.{rng.randrange(256)}\n")
                if rng.randrange(2):
                    out.append(f"{'abcd'[k]}.nic.{d}. {ttl} IN AAAA 2001:db8::{i:x}:{k}\n")
        if kind in (1, 2):
            out.append(f"{d}. {ttl} IN NS a.nic.{sibling}.\n")
        if kind == 2 or kind == 3:
            out.append(f"{d}. {ttl} IN NS ns{rng.randrange(9)}.served.elsewhere-{i % 7}.\n")
        if rng.randrange(3) == 0:
            out.append(f"{d}. 86400 IN DS {rng.randrange(65536)} 13 2 {rng.randbytes(32).hex()}\n")
    return "".join(out)


def huge() -> str:
    """Hosts, aliases, wildcards and delegations under some thousand parents."""
    rng = random.Random(SEED + 1)
    out = [head("huge.test.", f"a zone of {HUGE_RECORDS:,} records", more="; set: big\n"),
           "$ORIGIN huge.test.\n"]
    n = 2
    i = 0
    while n < HUGE_RECORDS:
        parent = f"d{i % 4000}"
        kind = rng.randrange(20)
        if kind < 12:
            lines = [f"h{i}.{parent} IN A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"]
        elif kind < 14:
            lines = [f"h{i}.{parent} IN A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}",
                     f"h{i}.{parent} IN AAAA 2001:db8::{i >> 16:x}:{i & 65535:x}",
                     f"h{i}.{parent} IN MX 10 h{max(i - 4000, 0)}.{parent}"]
        elif kind < 16:
            lines = [f"c{i}.{parent} IN CNAME h{rng.randrange(i + 1)}.d{rng.randrange(4000)}"]
        elif kind == 16:
            lines = [f"z{i}.{parent} IN NS ns.z{i}.{parent}",
                     f"ns.z{i}.{parent} IN A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"]
        elif kind == 17:
            lines = [f"*.w{i}.{parent} IN TXT \"wild {i}\""]
        elif kind == 18:
            lines = [f"a.b.e{i}.{parent} IN TXT \"deep {i}\""]
        else:
            lines = [f"n{i}.{parent} IN DNAME d{rng.randrange(4000)}"]
        lines = lines[:HUGE_RECORDS - n]
        out.append("\n".join(lines) + "\n")
        n += len(lines)
        i += 1
    return "".join(out)


def reverse6() -> str:
    """2001:db8::/32: every name is deep below empty ones."""
    rng = random.Random(SEED + 2)
    apex = "8.b.d.0.1.0.0.2.ip6.arpa."
    out = [head(apex, "a reverse zone of IPv6: long runs of empty non-terminals"),
           f"$ORIGIN {apex}\n"]
    for i in range(150):
        nibbles = ".".join(f"{rng.randrange(16):x}" for _ in range(8))
        out.append(f"{nibbles}.{'0.' * 15}0 IN PTR h{i}.example.net.\n")
    for i in range(10):
        out.append(f"{i:x}.{i:x}.f.f IN NS ns{i}.inv.test.\n")
    out.append("*.e.e IN PTR generic.example.net.\n")
    return "".join(out)


def reverse4() -> str:
    """A /16 with one delegation per /24, its own servers' names far away."""
    apex = "51.198.in-addr.arpa."
    out = [head(apex, "a reverse zone of IPv4: hosts, delegations of /24s and classless ones"),
           f"$ORIGIN {apex}\n"]
    for i in range(1, 255, 2):
        out.append(f"{i}.100 IN PTR h{i}.example.net.\n")
    for i in range(101, 131):
        out.append(f"{i} IN NS ns1.inv.test.\n{i} IN NS ns2.inv.test.\n")
    for i in range(0, 64):
        out.append(f"{i}.99 IN CNAME {i}.0-63.99\n")
    out.append("0-63.99 IN NS ns.0-63.99\nns.0-63.99 IN A 198.51.99.53\n*.98 IN PTR pool.inv.test.\n")
    return "".join(out)


def write(directory: pathlib.Path) -> list[pathlib.Path]:
    directory.mkdir(parents=True, exist_ok=True)
    out = []
    for name, make in (("types", types), ("root-like", root_like), ("huge", huge),
                       ("reverse6", reverse6), ("reverse4", reverse4)):
        path = directory / f"{name}.zone"
        path.write_text(make(), encoding="ascii")
        out.append(path)
    return out


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
