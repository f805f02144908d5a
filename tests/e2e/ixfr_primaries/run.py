"""A change comes as a difference from Knot, NSD, BIND and YADIFA, each in its own way, and whole from PowerDNS."""
import dns.query
import dns.update

from lab import Lab, dnsio
from lab.zones import RICH_OLD, zone

KNOT_UPDATES = "acl:\n  - id: update\n    address: [127.0.0.0/8]\n    action: update\n"


def by_update(primary, apex: str, name: str, address: str, gone: str) -> None:
    m = dns.update.UpdateMessage(apex)
    m.add(f"{name}.{apex}", 600, "A", address)
    m.delete(f"{gone}.{apex}")
    r = dns.query.tcp(m, primary.addr, port=primary.port, timeout=10)
    assert r.rcode() == 0, f"{apex} {r.rcode()}"


def same(secd, primary, apex: str) -> bool:
    """Does secd answer each RRset of the primary's AXFR as that has it, at the same serial?"""
    rrsets: dict = {}
    for rrset in dnsio.axfr(primary.addr, primary.port, apex):
        rrsets.setdefault((rrset.name, rrset.rdtype), set()).update(rrset)
    soa = next(rd for (_n, t), rds in rrsets.items() if t == dns.rdatatype.SOA for rd in rds)
    if secd.serial(apex) != soa.serial:
        return False
    for (name, rdtype), rdatas in rrsets.items():
        if name.to_text().startswith(("ns.sub.", "sub.")):  # below a cut: no answer of ours
            continue
        got = {rd for r in secd.query(name, rdtype, tcp=True).answer for rd in r
               if r.rdtype == rdtype}
        assert got == rdatas, f"{name} {rdtype}: {got} / {rdatas}"
    return True


def run(lab: Lab) -> None:
    port = lab.port()
    to = [("127.0.0.1", port)]
    extra = {"knot": {"extra": KNOT_UPDATES, "zone_extra": "acl: update"},
             "nsd": {"zone_extra": "create-ixfr: yes\nstore-ixfr: yes"},
             "named": {"zone_extra": "allow-update { 127.0.0.0/8; };"},
             "yadifa": {"zone_extra": "allow-update any"},
             "pdns": {}}
    peers = {f"{kind}.test.": getattr(lab, kind)(
                 {f"{kind}.test.": zone(f"{kind}.test.", 1, extra=RICH_OLD)}, notify=to, **more)
             for kind, more in extra.items()}
    secd = lab.secd({apex: [p] for apex, p in peers.items()}, listen=port)
    for apex in peers:
        secd.wait_serial(apex, 1, 10)
    gone = ["mail", "txt", "alias", "a.b.ent"]
    for n in range(1, 5):
        for apex, primary in peers.items():
            if primary.name in ("nsd", "pdns"):
                more = "".join(f"new{i} A 192.0.2.{i}\n" for i in range(1, n + 1))
                rich = "".join(line for line in RICH_OLD.splitlines(keepends=True)
                               if line.split()[0] not in gone[:n])
                primary.update(apex, zone(apex, n + 1, extra=rich + more))
            else:
                by_update(primary, apex, f"new{n}", f"192.0.2.{n}", gone[n - 1])
        for apex, primary in peers.items():
            lab.wait(lambda a=apex, p=primary, i=n: secd.rcode(f"new{i}.{a}") == "NOERROR", 10 * secd.slow,
                     f"{apex}: change {n}")
            lab.wait(lambda a=apex, p=primary: same(secd, p, a), 10 * secd.slow,
                     f"{apex}: all of change {n}")
    for apex, primary in peers.items():
        how = "axfr-in-ixfr" if primary.name == "pdns" else "ixfr"
        print(apex, [line.text for line in secd.lines("xfr installed", zone=apex)])
        assert secd.logged("xfr fallback", zone=apex) == 0
        assert secd.logged("xfr installed", zone=apex, how=how) >= 4
