"""secdctl lint says what zones could do better, each with its RFC, and the log says it once for each change of it."""
from lab import Lab
from lab.zones import zone

GOOD = """$TTL 86400
@ SOA ns1 h {serial} 3600 600 1209600 300
@ NS ns1
@ NS ns2
{more}
"""
HERE = "ns1 A 127.0.0.1\nns2 A 198.51.100.1"


def good(serial: int, more: str = HERE) -> str:
    return GOOD.format(serial=serial, more=more)


def run(lab: Lab) -> None:
    texts = {"good.test.": good(1), "far.test.": good(1, "ns1 A 192.0.2.1\nns2 A 198.51.100.1"),
             "bad.test.": zone("bad.test.", 1, expire=3600, refresh=3600, ttl=60),
             # Its name servers are known to another zone of ours.
             "near.test.": good(1, "").replace("NS ns1", "NS alias.good.test.")
                                      .replace("NS ns2", "NS ns2.good.test."),
             "glue.test.": good(1, HERE + "\nsub NS ns.sub\nsub NS ns.elsewhere.\n"
                                + "a.sub A 192.0.2.1\nb.sub A 192.0.2.2")}
    texts["good.test."] = good(1, HERE + "\nalias CNAME ns1")
    primary = lab.scripted_primary(texts)
    secd = lab.secd({n: [primary] for n in texts}, server_opts={"old-versions": "off"})
    for apex in texts:
        secd.wait_serial(apex, 1, 5)
    look(secd)
    told(lab, secd, primary)
    wildcard(lab, primary)


def lint(secd, *words: str, status: int) -> list[tuple[str, str]]:
    got = secd.ctl_json("lint", *words, status=status)
    assert list(got) == ["now", "advice", "zones", "advised", "empty", "matched"], got
    assert all(list(a) == ["zone", "what", "rfc", "words"] and a["rfc"].startswith("RFC ")
               for a in got["advice"]), got
    return [(a["zone"], a["what"]) for a in got["advice"]]


def look(secd) -> None:
    assert lint(secd, "good.test", status=0) == []
    assert lint(secd, "far.test.", status=1) == [("far.test.", "not-listed")]
    for apex, want in (("bad.test", ["not-listed", "one-network", "ns-ttl", "expire-week",
                                     "expire-retry"]),
                       ("near.test", ["ns-alias", "not-listed"]),
                       ("glue.test", ["missing-glue", "needless-glue"])):
        said = [w for _, w in lint(secd, apex, status=1)]
        assert said == want, (apex, said)
    # Some at once.
    got = secd.ctl_json("lint", "*.test", status=1)
    assert (got["zones"], got["advised"], got["matched"]) == (5, 4, 5), got
    out = secd.ctl("lint", "[fg]*.test")
    assert out.returncode == 1 and "there is advice for 2 of 3 zones" in out.stderr, out
    assert "a.sub.glue.test. and 1 more: an address below a delegation" in out.stdout, out
    assert "resolvers won't ask here" in out.stdout and "RFC 1996 2.1" in out.stdout, out
    # Calls that make no sense.
    assert "no such zone" in secd.ctl("lint", "nobody.test").stderr
    assert secd.ctl("lint", "nobody.test").returncode == 1
    for words in (("lint",), ("lint", "a.test", "b.test"), ("lint", "--all")):
        assert secd.ctl(*words).returncode == 2, words


def told(lab: Lab, secd, primary) -> None:
    """Once for each change, also over a restart."""
    def lines() -> list[str]:
        return [ln.keys["what"] for ln in secd.lines("zone advice", zone="bad.test.")]

    def serve(serial: int, **opts) -> None:
        primary.set_zone("bad.test.", zone("bad.test.", serial, **opts))
        secd.ctl("refresh", "bad.test")
        secd.wait_serial("bad.test.", serial, 5)

    def wait_lines(*wanted: str) -> None:
        lab.wait(lambda: lines() == list(wanted), 5, f"told: {wanted}")

    first, second = "one-network,ns-ttl,expire-week,expire-retry", "one-network,ns-ttl"
    wait_lines(first)
    assert not secd.logged("zone advice", zone="good.test.")
    serve(2, expire=3600, refresh=3600, ttl=60)
    assert len(lines()) == 1, lines()
    serve(3, expire=1209600, ttl=60)
    wait_lines(first, second)
    secd.restart()
    secd.wait_serial("bad.test.", 3, 5)
    serve(4, expire=1209600, ttl=60)
    assert len(lines()) == 2, lines()
    serve(5, expire=1209600, ttl=86400)
    wait_lines(first, second, "one-network")


def wildcard(lab: Lab, primary) -> None:
    """The addresses of the host are this server's."""
    secd = lab.secd({"good.test.": [primary]}, listen=("0.0.0.0", lab.port("0.0.0.0")))
    secd.addr = "127.0.0.1"
    secd.wait_serial("good.test.", 1, 5)
    assert lint(secd, "good.test", status=0) == []
    # Nothing is held yet.
    empty = lab.secd({"none.test.": [primary]})
    out = empty.ctl("lint", "none.test")
    assert out.returncode == 1 and "nothing is held of it yet" in out.stderr, out
