"""Zones, primaries, keys, addresses and texts change by a reload; a fault changes nothing and is told; what stays goes on."""
import base64
import signal
import socket
import subprocess

import dns.message
import dns.tsig

from lab import Lab, dnsio
from lab.scripted import CLOSE, Send, Wait, notify_wire
from lab.zones import RICH, zone

KEY = ("k.", "hmac-sha256", base64.b64encode(b"one secret").decode())
OTHER = ("k.", "hmac-sha256", base64.b64encode(b"another secret").decode())


def key_text(key) -> str:
    return f"\n[key k]\nalgorithm = {key[1]}\nsecret = {key[2]}\n"


def zones_and_primaries(lab: Lab) -> None:
    """Zones come, go, and move to other primaries, to more of them and to fewer."""
    old = lab.knot({"stays.test.": zone("stays.test.", 1), "moves.test.": zone("moves.test.", 1),
                    "goes.test.": zone("goes.test.", 1)})
    new = lab.nsd({"moves.test.": zone("moves.test.", 2), "comes.test.": zone("comes.test.", 5)})
    third = lab.scripted_primary({"moves.test.": zone("moves.test.", 3)})
    secd = lab.secd({z: [old] for z in ("stays.test.", "moves.test.", "goes.test.")})
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    secd.zones = {"stays.test.": [old], "comes.test.": [new], "moves.test.": [new]}
    secd.write_ini()
    got = secd.ctl_json("reload")
    assert (got["zones"], got["added"], got["removed"], got["moved"]) == (3, 1, 1, 1), got
    assert got["restart"] is None and "faults" not in got, got
    assert secd.rcode("goes.test.", "SOA") == "REFUSED"
    secd.wait_serial("moves.test.", 2, 5)
    secd.wait_serial("comes.test.", 5, 5)
    assert secd.serial("stays.test.") == 1 and secd.logged("xfr installed", zone="stays.test.") == 1
    assert secd.ctl("zone", "goes.test.").returncode == 1
    assert "moves.test." in secd.ctl("explain", "moves.test.").stdout

    secd.zones["moves.test."] = [new, third]  # more than it has room for
    secd.write_ini()
    assert secd.ctl_json("reload")["moved"] == 1
    secd.wait_serial("moves.test.", 3, 5)
    secd.zones["moves.test."] = [third]
    secd.write_ini()
    assert secd.ctl_json("reload")["moved"] == 1
    third.set_zone("moves.test.", zone("moves.test.", 4))
    third.notify(secd, "moves.test.", 4)
    secd.wait_serial("moves.test.", 4, 5)
    names = [p["name"] for p in secd.ctl_json("zone", "moves.test.")["primaries"]]
    assert len(names) == 1, names
    assert secd.ctl_json("reload")["moved"] == 0  # nothing is different


def a_transfer_goes_on(lab: Lab) -> None:
    """A reload does not touch a transfer that is under way; of a zone that goes, nothing is heard any more."""
    slow = lab.scripted_primary({"slow.test.": zone("slow.test.", 1, extra=RICH)})

    def in_two(r):
        messages = r.axfr(per_message=5)
        if not r.records:
            return None
        return [messages[0], Wait(0.6), *messages[1:]]
    slow.on("AXFR", in_two)
    secd = lab.secd({"slow.test.": [slow]})
    slow.wait_for("AXFR", 5)
    secd.zones["other.test."] = [slow]
    secd.write_ini(server_opts={"transfers": 7}, primary_opts={"max-connections": 3})
    assert secd.ctl_json("reload")["added"] == 1
    assert secd.serial("slow.test.") is None, "it should still be under way"
    secd.wait_serial("slow.test.", 1, 5)
    assert slow.log("slow.test.") == ["AXFR tcp"], slow.log()
    slow.set_zone("slow.test.", zone("slow.test.", 2))
    slow.on("IXFR", lambda r: [Send(r.soa()), Wait(0.3), CLOSE])
    slow.notify(secd, "slow.test.", 2)
    slow.wait_for("IXFR", 5)
    del secd.zones["slow.test."]
    secd.write_ini()
    assert secd.ctl_json("reload")["removed"] == 1
    assert secd.rcode("slow.test.", "SOA") == "REFUSED"


def signed(secd, q: dns.message.Message, key) -> dns.message.Message:
    made = dns.tsig.Key(key[0], key[2], key[1])
    q.use_tsig({made.name: made}, made.name)
    return dns.message.from_wire(dnsio.udp_raw(secd.addr, secd.port, q.to_wire(), source="127.0.0.3"),
                                 keyring={made.name: made}, request_mac=q.mac)


def a_mended_key_is_tried_at_once(lab: Lab) -> None:
    """Whose primary has failed is asked with the new secret now, and not after RETRY; whose has not is left alone."""
    texts = {z: zone(z, 1, refresh=7200, retry=7200) for z in ("mend.test.", "well.test.")}
    primary = lab.scripted_primary(texts, key=KEY)
    secd = lab.secd({z: [primary] for z in texts}, primary_opts={"key": "k"}, ini_extra=key_text(KEY))
    for apex in secd.zones:
        secd.wait_serial(apex, 1, 5)
    primary.set_key(OTHER)
    primary.set_zone("mend.test.", zone("mend.test.", 2))
    secd.expect_error("poll failed")
    assert secd.ctl("refresh", "mend.test").returncode == 0
    secd.wait_log("zone unrefreshed", 15, zone="mend.test.")
    asked = len(primary.log("well.test."))
    secd.write_ini(primary_opts={"key": "k"}, ini_extra=key_text(OTHER))
    assert secd.ctl_json("reload")["moved"] == 0
    secd.wait_serial("mend.test.", 2, 5)
    assert len(primary.log("well.test.")) == asked, primary.log("well.test.")
    # ... also while a round with the other key is under way.
    third = ("k.", "hmac-sha256", base64.b64encode(b"a third secret").decode())
    primary.set_zone("well.test.", zone("well.test.", 2))
    primary.set_key(third)
    primary.on("UNREADABLE", lambda r: [Wait(1.0), Send(r.answer(flags=0, rcode=9))])
    begun = primary.count("UNREADABLE")
    secd.ctl("refresh", "well.test")
    primary.wait_for("UNREADABLE", 5, begun + 1)
    secd.write_ini(primary_opts={"key": "k"}, ini_extra=key_text(third))
    assert secd.ctl_json("reload")["moved"] == 0
    secd.wait_serial("well.test.", 2, 10)


def keys(lab: Lab) -> None:
    """A key gets another secret: polls, transfers, NOTIFY and answers go by it, and not by the one before."""
    primary = lab.scripted_primary({"key.test.": zone("key.test.", 1)}, key=KEY)
    secd = lab.secd({"key.test.": [primary]}, primary_opts={"key": "k"}, ini_extra=key_text(KEY))
    secd.wait_serial("key.test.", 1, 5)
    other = lab.scripted_primary({"key.test.": zone("key.test.", 2)}, key=OTHER)
    secd.zones["key.test."] = [other]
    # One before it in the file: its number is another one's now.
    more = "\n[key a]\nalgorithm = hmac-sha1\nsecret = c29tZXRoaW5n\n" + key_text(OTHER)
    secd.write_ini(primary_opts={"key": "k"}, ini_extra=more)
    assert secd.ctl_json("reload")["moved"] == 1
    secd.wait_serial("key.test.", 2, 5)
    assert signed(secd, dnsio.make("key.test.", "SOA"), OTHER).had_tsig
    try:
        signed(secd, dnsio.make("key.test.", "SOA"), KEY)
        raise AssertionError("the secret before still counts")
    except dns.tsig.PeerBadSignature:
        pass
    other.set_zone("key.test.", zone("key.test.", 3))
    r = signed(secd, dns.message.from_wire(notify_wire("key.test.", 3)), OTHER)
    assert r.rcode() == 0, r
    secd.wait_serial("key.test.", 3, 5)


def faults_and_texts(lab: Lab) -> None:
    """A fault changes nothing; SIGHUP does what the command does; what takes a restart is told."""
    primary = lab.scripted_primary({"text.test.": zone("text.test.", 1)})
    secd = lab.secd({"text.test.": [primary]}, server_opts={"version": "one"})
    secd.wait_serial("text.test.", 1, 5)
    good = secd.ini.read_text()
    secd.expect_error("settings refused")
    secd.expect_error("settings fault")
    secd.ini.write_text(good.replace("version = one", "version = two") + "\n[primary]\nadress = 1\n")
    got = secd.ctl_json("reload", status=1)
    assert not got["loaded"] and len(got["faults"]) >= 1, got
    assert all("secd.ini:" in f["text"] for f in got["faults"]), got
    text = secd.ctl("reload")
    assert subprocess.run([secd.path.with_name("secdctl"), "-c", secd.ini, "status"], check=False,
                          capture_output=True).returncode == 0, "it is not secdctl's to complain"
    assert text.returncode == 1 and "secd.ini:" in text.stdout and text.stderr, text
    assert secd.logged("settings refused") == 2 and secd.logged("settings fault") >= 2

    def version() -> str:
        return str(secd.query("version.bind.", "TXT", rdclass="CH").answer[0][0])
    assert version() == '"one"'
    secd.ini.write_text(good.replace("version = one", "version = two").replace(
        "state-dir = ", "state-dir = /nowhere/"))
    secd.signal(signal.SIGHUP)
    lab.wait(lambda: version() == '"two"', 5, "the new text")
    secd.wait_log("settings partly", 5, restart="state-dir")
    secd.ini.unlink()
    assert "can't be read" in secd.ctl("reload").stdout
    assert secd.serial("text.test.") == 1
    assert secd.ctl("reload", "--now").returncode == 2


def addresses(lab: Lab) -> None:
    """Addresses come and go; one that can't be had is a fault."""
    primary = lab.scripted_primary({"addr.test.": zone("addr.test.", 1)})
    first, second = lab.port("127.0.0.1", "127.0.0.2"), lab.port()
    secd = lab.secd({"addr.test.": [primary]}, listen=[("127.0.0.1", first)], workers=2)
    secd.wait_serial("addr.test.", 1, 5)
    with secd.tcp() as before:
        secd.listen = [("127.0.0.1", first), ("127.0.0.2", first), ("127.0.0.1", second)]
        lab.release(second)
        secd.write_ini(workers=2)
        secd.ctl_json("reload")
        for addr, port in secd.listen:
            assert dnsio.serial(addr, port, "addr.test.") == 1
            assert dnsio.serial(addr, port, "addr.test.", tcp=True) == 1
        secd.listen = [("127.0.0.2", first)]
        secd.write_ini(workers=2)
        secd.ctl_json("reload")
        assert dnsio.serial("127.0.0.2", first, "addr.test.") == 1
        before.send(dnsio.make("addr.test.", "SOA").to_wire())
        assert before.recv(), "whoever is connected stays"
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of TCP's ended ones
            s.bind(("127.0.0.1", first))  # nobody listens there any more
    taken = lab.port()
    secd.expect_error("settings refused")
    secd.listen.append(("127.0.0.1", taken))
    secd.write_ini(workers=2)
    got = secd.ctl_json("reload", status=1)
    assert got["loaded"] is False
    assert "in use" in secd.ctl("reload").stderr
    assert dnsio.serial("127.0.0.2", first, "addr.test.") == 1
    secd.listen = [("127.0.0.2", first)]


def run(lab: Lab) -> None:
    for part in (zones_and_primaries, a_transfer_goes_on, keys, a_mended_key_is_tried_at_once, faults_and_texts, addresses):
        part(lab)
