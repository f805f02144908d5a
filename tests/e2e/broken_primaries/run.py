"""A primary is broken in ten ways: in zone, in explain and in the log stand the words that an operator needs."""
from types import SimpleNamespace

from lab import Lab, broken
from lab.broken import KEY
from lab.scripted import STALL
from lab.zones import zone

SANITIZED = False
WORDS = {  # zone: what its last failure says; the words of the log begin with them, too
    "closed.": "Connection refused",
    "refuses.": "answered REFUSED",
    "clock.": "BADTIME: the primary's clock is 412 s ahead of ours",
    "badkey.": "BADKEY",
    "lame.": "answered NOTAUTH",
    "garbage.": "unreadable record 1 in message 1",
    "mute.": "primary fell silent",
    "truncates.": "Connection refused",
    "expired.": "answered SERVFAIL",
}


def run(lab: Lab) -> None:
    zones, options = {}, "\n[key k]\nalgorithm = %s\nsecret = %s\n" % KEY[1:]
    count = 0
    for apex, servers, key in broken.rows(lab):
        if apex in ("half.", "slow."):  # the latter is told after transfer-min-rate's half minute
            continue
        name = apex.rstrip(".")
        zones[apex] = [SimpleNamespace(name=name, addr=a, port=p) for a, p in servers]
        for _ in servers:
            count += 1
            options += f"\n[primary {name}{count}]\nkey = k\n" if key else ""
    mute = lab.scripted_primary({"mute.": zone("mute.", 7)})
    mute.on("AXFR", [STALL])
    zones["mute."] = [mute]
    secd = lab.secd(zones, ini_extra=options,
                    server_opts={"transfer-idle": "1", "connect-time": "2"})
    for apex in ("good.", "signed.", "old.", "older."):
        secd.wait_serial(apex, 7, 10)
    for apex, words in WORDS.items():
        def told() -> bool:
            z = secd.ctl_json("zone", apex)
            return any(words in (p["why"] or "") for p in z["primaries"])
        try:
            lab.wait(told, 10, f"{apex}: {words}")
        except AssertionError as e:
            raise AssertionError(f"{e}: {secd.ctl_json('zone', apex)['primaries']}") from None
        assert words in secd.ctl("zone", apex).stdout, apex
        assert words in secd.ctl("explain", apex).stdout, secd.ctl("explain", apex).stdout
        logged = [ln for ln in secd.lines("xfr failed") + secd.lines("poll failed")
                  if ln.keys.get("zone") == apex]
        assert any(words in ln.keys["why"] for ln in logged), (apex, [ln.text for ln in logged])
        assert all(ln.keys["primary"] and ln.keys["addr"] for ln in logged)
    # One that went back: the newer one is served, and it is told which primary has the older.
    older = secd.ctl_json("zone", "older.")
    assert {p["serial"] for p in older["primaries"]} <= {5, 7, None} and older["held"]["serial"] == 7, older
    secd.ctl("refresh", "older.")
    secd.wait_log("poll older", 5, zone="older.", serial="5", held="7")
    assert "accept" in secd.lines("poll older", zone="older.")[0].keys["why"]
    # At a glance: those that serve nothing are named, with the reason.
    worst = secd.ctl_json("status")["worst"]
    assert worst and all(w["why"] for w in worst) and worst[0]["state"] == "empty", worst
