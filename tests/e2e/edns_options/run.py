"""Each EDNS option gets the answer that its RFC has, as dig and kdig read it."""
from lab import Lab
from lab.dig import cookie, dig, has, has_not, kdig, number
from lab.zones import zone

CLIENT = "2464c4abcf10c957"
STRANGE = CLIENT + "010000005cf79f111f8130c3eee29480"  # RFC 9018 A.1, of 2019


def nsid_and_version(secd, mute) -> None:
    for out in (dig(secd, "+nsid", "example.", "SOA"), kdig(secd, "+nsid", "nx.example.", "A"),
                kdig(secd, "+nsid", "+tcp", "example.", "SOA")):
        has(out, '"ns7.lab"')
    has_not(dig(mute, "+nsid", "example.", "SOA"), "NSID")
    has_not(kdig(secd, "example.", "SOA"), "PSEUDOSECTION")
    # RFC 9660 as octets: two labels, SOA-SERIAL, 7; also beside a referral and a denial.
    for name, want in (("example.", "01 00 00 00 00 07"), ("nx.example.", "01 00 00 00 00 07"),
                       ("a.sub.example.", "01 00 00 00 00 07"),
                       ("www.deep.test.", "02 00 00 00 00 08")):
        has(dig(secd, "+ednsopt=19", name, "A"), f"OPT=19: {want}")
        has(kdig(secd, "+ednsopt=19", name, "A"), f"Option (19): {want.replace(' ', '')}")
    has_not(dig(secd, "+ednsopt=19", "other.", "A"), "OPT=19")
    has(dig(secd, "+ednsopt=19:010000000007", "example.", "A"), "status: FORMERR")


def keepalive(secd) -> None:
    has(dig(secd, "+tcp", "+keepalive", "example.", "SOA"), "TCP KEEPALIVE: 7.0 secs")
    has(kdig(secd, "+tcp", "+ednsopt=11", "example.", "SOA"), "Option (11): 0046")
    out = dig(secd, "+notcp", "+keepalive", "example.", "SOA")
    has(out, "status: NOERROR")
    has_not(out, "KEEPALIVE")
    has(dig(secd, "+tcp", "+ednsopt=11:0064", "example.", "SOA"), "status: FORMERR")
    has(dig(secd, "+notcp", "+ednsopt=11:0064", "example.", "SOA"), "status: NOERROR")


def cookies(secd, mute) -> None:
    # dig checks that its own cookie comes back; (good) is its word for that.
    out = dig(secd, f"+cookie={CLIENT}", "example.", "SOA")
    has(out, "(good)", "status: NOERROR", "ANSWER: 1")
    fresh = cookie(out)
    assert len(fresh) == 48 and fresh.startswith(CLIENT + "01000000"), fresh
    assert cookie(dig(secd, "+tcp", f"+cookie={fresh}", "nx.example.", "A")) == fresh
    assert cookie(kdig(secd, f"+cookie={fresh}", "example.", "SOA")) == fresh
    # A wrong one costs nothing but a new one.
    out = kdig(secd, f"+cookie={STRANGE}", "example.", "SOA")
    has(out, "status: NOERROR", "ANSWER: 1")
    assert cookie(out)[:32] >= fresh[:32] and cookie(out) != STRANGE
    # Without a question the cookie is all there is.
    out = dig(secd, "+header-only", f"+cookie={CLIENT}", "+noedns", "+edns=0")
    has(out, "status: NOERROR", "QUERY: 0, ANSWER: 0", "(good)")
    out = dig(secd, "+header-only", "+nobadcookie", f"+cookie={STRANGE}")
    has(out, "status: BADCOOKIE", "QUERY: 0, ANSWER: 0")
    has(dig(secd, "+header-only", "+nobadcookie", f"+cookie={fresh}"), "status: NOERROR")
    has(dig(secd, "+header-only", "+nocookie"), "status: FORMERR")
    for broken in ("10:00", f"10:{CLIENT}00", f"10:{STRANGE}{STRANGE}"):
        has(dig(secd, "+nocookie", f"+ednsopt={broken}", "example.", "SOA"), "status: FORMERR")
    out = dig(mute, f"+cookie={CLIENT}", "example.", "SOA")
    has(out, "status: NOERROR", "ANSWER: 1")
    has_not(out, "COOKIE: ")
    has(dig(mute, "+header-only", f"+cookie={CLIENT}"), "status: FORMERR")


def reasons(secd) -> None:
    for args, want in ((("other.", "SOA"), "20 (Not Authoritative)"),
                       (("www.empty.test.", "A"), "14 (Not Ready): (zone not transferred yet)"),
                       (("-b", "127.0.0.9", "+opcode=notify", "example.", "SOA"),
                        "18 (Prohibited): (notify not allowed)")):
        has(dig(secd, "+notcp", *args), f"EDE: {want}")
    has(kdig(secd, "+edns", "other.", "SOA"), "EDE: 20 (Not Authoritative)")
    for rdtype, tcp in (("AXFR", True), ("IXFR", True), ("IXFR", False)):  # dig prints nothing
        r = secd.query("example.", rdtype, tcp=tcp)
        assert r.rcode() == 5 and "EDE 18" in str(r.options[0].to_text()), r
    assert secd.query("other.", edns=False).edns < 0, "no OPT, no reason"


def expire(lab: Lab, secd, primary) -> None:
    pattern = r"EXPIRE: (\d+)"
    has_not(dig(secd, "+expire", "example.", "NS"), "EXPIRE")
    has_not(dig(secd, "+expire", "www.example.", "SOA"), "EXPIRE")
    assert 99_900 <= number(dig(secd, "+expire", "example.", "SOA"), pattern) < 100_000
    # Each confirmation renews it, and without one it falls, until the zone has expired.
    asked = len(primary.log("short.test."))
    lab.wait(lambda: len(primary.log("short.test.")) > asked + 1, 6, "two refreshes")
    assert 1 <= number(dig(secd, "+expire", "+tcp", "short.test.", "SOA"), pattern) <= 6
    primary.stop()
    seen = []

    def gone() -> bool:
        out = dig(secd, "+expire", "short.test.", "SOA")
        if "status: NOERROR" in out:
            seen.append(number(out, pattern))
            return False
        has(out, "status: SERVFAIL", "EDE: 24 (Invalid Data): (zone expired)")
        return number(out, pattern) == 0

    lab.wait(gone, 10, "expired, and so its timer says")
    assert seen == sorted(seen, reverse=True) and seen[-1] >= 1, seen
    has_not(dig(secd, "+expire", "example.", "SOA"), "SERVFAIL")


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({
        "example.": zone(serial=7, expire=100_000, extra="sub NS ns.sub\nns.sub A 192.0.2.5\n"),
        "deep.test.": zone("deep.test.", 8),
        "short.test.": zone("short.test.", refresh=1, retry=1, expire=6)})
    zones = {apex: [primary] for apex in ("example.", "deep.test.", "short.test.", "empty.test.")}
    secd = lab.secd(zones, server_opts={"nsid": "0x6e73372e6c6162", "tcp-idle": "7s"})
    mute = lab.secd({"example.": [primary]}, server_opts={"cookies": "off"})
    for apex, serial in (("example.", 7), ("deep.test.", 8), ("short.test.", 1)):
        secd.wait_serial(apex, serial, 5)
    mute.wait_serial("example.", 7, 5)
    nsid_and_version(secd, mute)
    keepalive(secd)
    cookies(secd, mute)
    reasons(secd)
    # Unknown options, padding among them, are nothing; what is malformed is told.
    out = kdig(secd, "+padding=128", "+ednsopt=65001:abcd", "example.", "SOA")
    has(out, "status: NOERROR")
    has_not(out, "Padding", "65001", "PADDING")
    has(dig(secd, "+edns=1", "+noednsnegotiation", "+nsid", "example.", "SOA"),
        "status: BADVERS", "ANSWER: 0")
    expire(lab, secd, primary)
