"""Servers that share secrets take each other's cookies, Knot's too, also while one is replaced."""
from lab import Lab
from lab.dig import cookie, dig, has, kdig
from lab.zones import zone

OLD = "e5e973e5a6b2a43f48e7dc849e37bfcf"
NEW = "445536bcd2513298075a5d379663c962"
CLIENT = "22681ab97d52c298"


def verdict(server, value: str) -> str:
    """What a query without a question says of a cookie (RFC 7873 5.4)."""
    out = dig(server, "+header-only", "+nobadcookie", f"+cookie={value}")
    for rcode in ("NOERROR", "BADCOOKIE"):
        if f"status: {rcode}" in out:
            return rcode
    raise AssertionError(out)


def made_by(server) -> str:
    return cookie(kdig(server, f"+cookie={CLIENT}", "example.", "SOA"))


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone()})

    def server(*secrets: str, addr: str = "127.0.0.1"):
        return lab.secd({"example.": [primary]}, listen=(addr, lab.port(addr)),
                        server_opts={"cookie-secret": ", ".join(secrets)} if secrets else None)

    def settle(daemon, *secrets: str) -> None:
        daemon.write_ini(server_opts={"cookie-secret": ", ".join(secrets)})
        daemon.restart()
        daemon.wait_serial("example.", 1, 5)

    one, two = server(OLD), server(OLD)
    alone, v6 = server(), server(OLD, addr="::1")
    for secd in (one, two, alone, v6):
        secd.wait_serial("example.", 1, 5)

    # One secret on two servers, and a server of its own. A client of IPv6 is another client.
    first = made_by(one)
    assert verdict(two, first) == verdict(one, first) == "NOERROR"
    assert verdict(alone, first) == verdict(v6, first) == "BADCOOKIE"
    assert verdict(v6, made_by(v6)) == "NOERROR"
    assert verdict(one, made_by(v6)) == "BADCOOKIE"

    # Knot with the same secret: each sends the other's cookie back as it came. It says
    # BADCOOKIE to every query with a wrong one, which secd never does.
    knot = lab.knot({"example.": zone()}, zone_extra="global-module: mod-cookies/c",
                    extra=f"mod-cookies:\n  - id: c\n    secret: 0x{OLD}\n")
    theirs = cookie(dig(knot, "+nobadcookie", f"+cookie={CLIENT}", "example.", "SOA"))
    assert cookie(kdig(one, f"+cookie={theirs}", "example.", "SOA")) == theirs
    out = dig(knot, "+nobadcookie", f"+cookie={first}", "example.", "SOA")
    has(out, "status: NOERROR")
    assert cookie(out) == first
    has(dig(knot, "+nobadcookie", f"+cookie={made_by(alone)}", "example.", "SOA"),
        "status: BADCOOKIE")

    # RFC 9018 5: the new secret comes behind the old one, then before it, then alone. At no time
    # does a server refuse what another one made.
    settle(one, OLD, NEW)
    assert verdict(one, first) == verdict(two, made_by(one)) == "NOERROR"
    settle(two, OLD, NEW)
    settle(one, NEW, OLD)
    second = made_by(one)
    assert second != first
    assert verdict(two, second) == verdict(one, made_by(two)) == "NOERROR"
    renewed = cookie(kdig(one, f"+cookie={first}", "example.", "SOA"))
    assert renewed != first, "a cookie of the secret that goes is replaced (RFC 9018 A.4)"
    assert verdict(two, renewed) == "NOERROR"
    settle(two, NEW, OLD)
    settle(one, NEW)
    settle(two, NEW)
    assert verdict(one, renewed) == verdict(two, second) == "NOERROR"
    assert verdict(one, first) == "BADCOOKIE", "an hour later nobody should have it any more"
    for secd in (one, two):
        log = secd.log.path.read_text()
        assert OLD not in log and NEW not in log, "a secret is told to nobody"
