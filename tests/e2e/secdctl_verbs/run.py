"""secdctl's verbs say and do what they should, in both forms, beside a real knotd and named."""
import json
import os
import pty
import re
import subprocess
import time

from lab import Lab
from lab.zones import zone

ODD = 'a\\032b\\"c\\000.example.'  # blanks, quotes and a NUL in a name
STATES = ("fresh", "behind", "empty", "expired")


def run(lab: Lab) -> None:
    port = lab.port()
    knot = lab.knot({"k.example.": zone("k.example.", 7)}, notify=[("127.0.0.1", port)])
    odd = lab.scripted_primary({ODD: zone(ODD, 3)})
    named = lab.named({"n.example.": zone("n.example.", 9)})
    silent = lab.scripted_primary({"s.example.": zone("s.example.", 1)})
    silent.on("AXFR", lambda r: ["stall"])
    refuses = lab.scripted_primary({"r.example.": zone("r.example.", 1)})
    refuses.on("AXFR", lambda r: [_send(r.answer(rcode=5))])
    secd = lab.secd({"k.example.": [knot], ODD: [odd], "n.example.": [named, knot],
                     "s.example.": [silent], "r.example.": [refuses]}, listen=port)
    for apex, serial in (("k.example.", 7), ("n.example.", 9)):
        secd.wait_serial(apex, serial, 5)
    lab.wait(lambda: secd.ctl_json("status")["zones"]["fresh"] == 3, 5, "three fresh zones")
    status(lab, secd)
    zone_of(lab, secd, knot)
    refresh(lab, secd, knot)
    retransfer(secd)
    usage(secd, lab)
    colours(secd)
    stop(lab, secd)


def _send(msg):
    from lab.scripted import Send
    return Send(msg)


def status(lab, secd) -> None:
    s = lab.wait(lambda: (lambda s: s if any(w["zone"] == "r.example." and w["primary"]
                                             for w in s["worst"]) else None)(
        secd.ctl_json("status")), 5, "the failing zone among the worst")
    assert s["zones"]["total"] == 5 and sum(s["zones"][k] for k in STATES) == 5, s
    assert s["zones"]["empty"] == 2 and s["zones"]["refused"] == 0, s
    assert s["pid"] == secd.child.pid and abs(s["now"] - time.time()) < 60, s
    assert 0 <= s["now"] - s["started"] < 60 and s["memory"] > 1 << 20, s
    worst = {w["zone"]: w for w in s["worst"]}
    assert set(worst) == {"s.example.", "r.example."}, worst
    assert worst["r.example."]["why"] == "answered REFUSED", worst
    assert worst["r.example."]["primary"].startswith("scripted"), worst
    assert s["state"]["dir"] == str(secd.dir / "state") and s["state"]["standing"] == "saved", s
    assert s["state"]["unsaved"] == 0 and s["state"]["needed"] <= s["state"]["octets"], s
    assert s["state"]["files"] == 1 and s["state"]["needed"] > 0 and not s["state"]["why"], s
    before = s["queries"]["received"]
    secd.query("www.k.example.")
    lab.wait(lambda: secd.ctl_json("status")["queries"]["received"] > before, 2, "a query counted")
    text = secd.ctl("status")
    assert text.returncode == 0 and not text.stderr, text
    lines = text.stdout.splitlines()
    assert f"pid      {secd.child.pid}" in lines and "  total    5" in lines, text.stdout
    assert any(x.split()[:2] == ["s.example.", "empty"] for x in lines), text.stdout


def zone_of(lab, secd, knot) -> None:
    for word in ("k.example.", "K.Example", "\\107.example"):
        z = secd.ctl_json("zone", word)
        assert z["zone"] == "k.example." and z["state"] == "fresh" and z["answered"] == "yes", z
    held, now = z["held"], z["now"]
    assert (held["serial"], held["refresh"], held["retry"], held["expire"], held["records"]) == \
        (7, 3600, 600, 86400, 7), held
    assert now - 60 < held["checked"] <= now + 0.2 and held["expires"] > now + 86000, z
    assert now + 3000 < z["due"] < now + 3601 and z["failures"] == 0 and z["work"] == "none", z
    assert z["transfer"]["kind"] == "axfr" and z["transfer"]["octets"] > 100, z
    (p,) = z["primaries"]
    assert p["address"] == f"127.0.0.1@{knot.port}" and p["serial"] == 7, p
    assert p["why"] is None and p["refused"] is None and p["name"] == z["transfer"]["primary"], p
    events = [e["event"] for e in z["events"]]
    assert events[-2:] == ["installed", "transfer begun"], events
    n = secd.ctl_json("zone", "n.example.")
    assert [p["serial"] for p in n["primaries"]] == [9, None], n
    r = secd.ctl_json("zone", "r.example.")
    assert r["state"] == "empty" and r["answered"] == "SERVFAIL" and r["held"] is None, r
    assert r["primaries"][0]["why"] == "answered REFUSED" and r["failures"] > 0, r
    odd = secd.ctl_json("zone", ODD)
    assert odd["zone"] == ODD and odd["held"]["serial"] == 3, odd
    again = secd.ctl_json("zone", 'a b\\"c\\000.example')
    assert again["zone"] == ODD, again
    text = secd.ctl("zone", "k.example.").stdout
    assert re.search(r"^  expires +in 2[34] h$", text, re.M), text
    gone = secd.ctl("zone", "not.here.")
    assert gone.returncode == 1 and "no such zone" in gone.stderr, gone
    assert secd.ctl("zone", "a..b").returncode == 1


def refresh(lab, secd, knot) -> None:
    """A change that no NOTIFY told of: the primary's goes elsewhere."""
    port = knot.notify[0][1]
    knot.notify[:] = [("127.0.0.1", lab.port())]
    (knot.dir / "knot.conf").unlink()
    conf = knot.dir / "db"
    conf.rename(knot.dir / "old-db")
    knot.configure()
    knot.control("knotc", "-s", str(knot.dir / "ctl"), "reload")
    knot.update("k.example.", zone("k.example.", 8))
    lab.wait(lambda: knot.serial("k.example.") == 8, 5, "the primary's change")
    assert secd.port == port and secd.serial("k.example.") == 7
    done = secd.ctl_json("refresh", "k.example.", "absent.example.", status=1)
    assert [(z["zone"], z["done"]) for z in done["zones"]] == \
        [("k.example.", True), ("absent.example.", False)], done
    secd.wait_serial("k.example.", 8, 5)
    line = secd.wait_log("control command", 2, verb="refresh")
    assert line.keys["zone"] == "k.example." and line.keys["zones"] == "2", line
    many = secd.ctl_json("refresh", "*.example.")
    assert many["zones"] == [{"zone": "*.example.", "done": True, "zones": 5, "why": None}], many
    assert secd.ctl("refresh", "nobody*").returncode == 1
    assert line.keys["failed"] == "1" and line.keys["uid"] == str(os.getuid()), line
    assert secd.ctl("refresh", "a..b", "k.example.").returncode == 1
    line = secd.wait_log("control command", 2, verb="refresh", zones=2, count=2)
    assert "zone" not in line.keys, f"a word that is no name is not the root: {line.text}"
    text = secd.ctl("refresh", "k.example.")
    assert text.returncode == 0 and ["k.example.", "yes", "1", "-"] in \
        [x.split() for x in text.stdout.splitlines()], text
    events = secd.ctl_json("zone", "k.example.")["events"]
    assert any(e["event"] == "command" and e["why"] == "refresh" for e in events), events


def retransfer(secd) -> None:
    had = secd.logged("xfr installed", zone="n.example.")
    assert secd.ctl_json("retransfer", "n.example.")["zones"][0]["done"]
    secd.wait_log("xfr installed", 5, count=had + 1, zone="n.example.")
    assert secd.serial("n.example.") == 9
    text = secd.ctl("accept", "n.example.")
    assert text.returncode == 1 and "refused" in text.stderr, text
    assert secd.ctl("retransfer", "n.example.").returncode == 0


def usage(secd, lab) -> None:
    for words in ((), ("zone",), ("status", "x"), ("frobnicate",), ("zone", "a", "b"), ("zone", "")):
        assert secd.ctl(*words).returncode == 2, words
    assert secd.ctl("status", args=("--frob",)).returncode == 2
    for option, start in (("-h", "usage: secdctl"), ("-V", "secdctl ")):
        got = secd.ctl(args=(option,))
        assert got.returncode == 0 and got.stdout.startswith(start), got
    asked = subprocess.run([str(secd.path.with_name("secdctl")), "-c", str(secd.ini), "status"],
                           capture_output=True, timeout=10, check=False)
    assert asked.returncode == 0 and b"zones" in asked.stdout, asked
    none = subprocess.run([str(secd.path.with_name("secdctl")), "-s", str(lab.dir / "none"),
                           "status"], capture_output=True, timeout=10, check=False)
    assert none.returncode == 3 and b"no daemon" in none.stderr, none


def on_terminal(secd, **env) -> bytes:
    ours, theirs = pty.openpty()
    subprocess.run([str(secd.path.with_name("secdctl")), "-s", str(secd.socket), "zone",
                    "k.example."], stdout=theirs, timeout=20, check=True,
                   env={**os.environ, "TERM": "xterm", **env})
    os.close(theirs)
    out = b""
    while True:
        try:
            got = os.read(ours, 65536)
        except OSError:  # the other side is closed, and all is read
            got = b""
        if not got:
            os.close(ours)
            return out
        out += got


def colours(secd) -> None:
    """On a terminal alone, and not against NO_COLOR."""
    assert b"\x1b[32mfresh\x1b[0m" in on_terminal(secd)
    assert b"\x1b" not in on_terminal(secd, NO_COLOR="1")
    assert b"\x1b" not in on_terminal(secd, TERM="dumb")
    assert "\x1b" not in secd.ctl("zone", "k.example.").stdout


def stop(lab, secd) -> None:
    got = secd.ctl("stop", args=("-j",))
    assert got.returncode == 0 and json.loads(got.stdout)["stopping"] is True, got
    assert secd.child.wait(2 * secd.slow) == 0
    assert secd.logged("secd stopping", by="secdctl") == 1 and secd.logged("secd stopped") == 1
    assert not secd.socket.exists()
    for verb in ("status", "zone"):
        assert secd.logged("control command", verb=verb) == 0, f"{verb} changes nothing"
    assert secd.ctl("status").returncode == 3
