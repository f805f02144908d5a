"""secdctl zones lists those that are asked for, explain tells what happened in order, and log changes what is logged."""
import os
import pathlib
import shlex
import subprocess

from lab import Lab
from lab.scripted import IGNORE, Send
from lab.zones import zone

ROOT = pathlib.Path(__file__).resolve().parents[3]
KINDS = ["fresh", "behind", "empty", "expired", "refused", "pinned"]


def text(apex: str, serial: int, **opts) -> str:
    return zone(apex, serial=serial, **{"refresh": 1, "retry": 1, **opts})


def run(lab: Lab) -> None:
    names = {k: f"{k}.test." for k in KINDS}
    primary = lab.scripted_primary({n: text(n, 5, expire=3 if k == "expired" else 3600)
                                    for k, n in names.items()})

    def soa_and_no_more(r):
        return None if r.kind == "SOA" else [Send(r.answer(flags=0, rcode=5))]

    answers = {names["empty"]: lambda r: [IGNORE]}
    for query in ("SOA", "AXFR", "IXFR"):
        primary.on(query, lambda r: answers[r.apex](r) if r.apex in answers else None)
    secd = lab.secd({n: [primary] for n in names.values()}, group_opts={"min-expire": 1})
    for k, n in names.items():
        if k != "empty":
            secd.wait_serial(n, 5, 5)
    secd.ctl("pin", names["pinned"])
    for k, serial in (("behind", 7), ("pinned", 7), ("refused", 4)):
        primary.set_zone(names[k], text(names[k], serial))
    answers[names["behind"]] = soa_and_no_more
    answers[names["expired"]] = lambda r: [IGNORE]
    secd.ctl("refresh", *names.values())
    secd.wait_log("zone expired", 30, zone=names["expired"])
    secd.wait_log("poll older", 10, zone=names["refused"])
    secd.wait_log("xfr failed", 10, zone=names["behind"])
    secd.wait_log("poll newer", 10, zone=names["pinned"])
    filters(secd, names)
    patterns(secd, names)
    wrong(secd)
    explained(lab, secd, primary, names)
    levels(lab, secd, names)
    completed(secd, names)


def listed(secd, *words: str) -> list[str]:
    said = secd.ctl_json("zones", *words)
    assert said["shown"] == len(said["zones"]) <= said["matched"], said
    return [z["zone"] for z in said["zones"]]


def filters(secd, names: dict[str, str]) -> None:
    all_of_them = list(names.values())
    assert listed(secd) == all_of_them == listed(secd, "--all")
    for kind in ("empty", "expired", "refused", "pinned"):
        assert names[kind] in listed(secd, f"--{kind}"), kind
    assert listed(secd, "--pinned") == [names["pinned"]]
    assert listed(secd, "--empty") == [names["empty"]]
    assert listed(secd, "--expired") == [names["expired"]]
    assert listed(secd, "--unsaved") == []
    assert listed(secd, "--expired", "--empty") == [names["empty"], names["expired"]]
    assert names["behind"] in listed(secd, "--behind")
    assert names["behind"] not in listed(secd, "--fresh")
    assert names["fresh"] in listed(secd, "--fresh")
    by_lag = listed(secd, "--sort", "lag")
    assert sorted(by_lag) == sorted(all_of_them)
    assert by_lag[:2] == [names["expired"], names["empty"]], by_lag
    assert by_lag[-1] == names["fresh"], by_lag

    behind, = secd.ctl_json("zones", "--match", "behind.*")["zones"]
    assert behind["serial"] == 5 and behind["newest"] == 7 and behind["state"] == "behind", behind
    assert behind["primary"] and behind["why"] and behind["saved"] and not behind["pinned"], behind
    empty, = secd.ctl_json("zones", "--empty")["zones"]
    assert empty["serial"] is None and empty["expires"] is None and not empty["saved"], empty
    pinned, = secd.ctl_json("zones", "--pinned")["zones"]
    assert pinned["newest"] == 7 and pinned["why"] == "is pinned by an operator", pinned
    shown = secd.ctl("zones", "--expired").stdout
    assert "expired.test." in shown and "fresh.test." not in shown and "matched" in shown, shown


def patterns(secd, names: dict[str, str]) -> None:
    every = list(names.values())
    for pattern, want in (("*", every), ("*.test", every), ("*.test.", every), ("*.TEST", every),
                          ("fresh.test", [names["fresh"]]), ("FRESH.test.", [names["fresh"]]),
                          ("e*", [names["empty"], names["expired"]]), ("nosuch", []),
                          ("?resh.test", [names["fresh"]]), ("test", []), ("[ef]*", None)):
        got = listed(secd, "--match", pattern)
        assert got == (want if want is not None else
                       [n for n in every if n[0] in "ef"]), (pattern, got)
    assert listed(secd, "--match", "e*", "--expired") == [names["expired"]]


def wrong(secd) -> None:
    for words in (("zones", "--behnd"), ("zones", "--match"), ("zones", "--sort", "name"),
                  ("zones", "fresh.test."), ("zones", "--sort"), ("zones", "--match", "x" * 1200)):
        said = secd.ctl(*words)
        assert said.returncode == 2 and "zones [--fresh" in said.stderr, (words, said)
    said = secd.ctl("log", "loud")
    assert said.returncode == 2 and "not 'loud'" in said.stderr, said
    said = secd.ctl("explain", "nobody.")
    assert said.returncode == 1 and "no such zone" in said.stderr, said


def explained(lab: Lab, secd, primary, names: dict[str, str]) -> None:
    """From the NOTIFY to the version, in that order."""
    apex = names["fresh"]
    primary.set_zone(apex, text(apex, 6))
    primary.notify(secd, apex, 6)
    secd.wait_serial(apex, 6, 5)
    told = secd.ctl_json("explain", apex)
    events = [(e["event"], e["serial"]) for e in told["events"]]
    times = [e["at"] for e in told["events"]]
    assert times == sorted(times) and told["state"] == "fresh"
    at = events.index(("notify", 6))
    rest = iter(e for e in events[at:])
    for want in (("notify", 6), ("newer", 6), ("installed", 6)):
        assert want in rest, (want, events[at:])
    installed = [e for e in told["events"] if e["event"] == "installed"][-1]
    assert installed["records"] > 3 and installed["octets"] > 100 and installed["took"] is not None
    shown = secd.ctl("explain", apex).stdout
    assert shown.index("notify") < shown.rindex("installed"), shown
    why = [e["why"] for e in secd.ctl_json("explain", names["behind"])["events"]
           if e["event"] == "transfer failed"]
    assert why and all(why), why


def levels(lab: Lab, secd, names: dict[str, str]) -> None:
    def debugs() -> int:
        secd.log.read()
        return sum(ln.level == "debug" for lines in secd.log.by_event.values() for ln in lines)

    assert secd.ctl_json("log", "notice")["level"] == "notice"
    count = debugs()
    for _ in range(3):
        secd.ctl("refresh", names["fresh"])
        lab.wait(lambda: secd.ctl_json("zone", names["fresh"])["work"] == "none", 5, "asked")
    assert debugs() == count
    secd.ctl("log", "debug", "--json")
    secd.ctl("refresh", names["fresh"])
    lab.wait(lambda: debugs() > count, 5, "it tells again")


def completed(secd, names: dict[str, str]) -> None:
    """What bash offers for the last word."""
    def offered(*words: str) -> set[str]:
        line = ["secdctl", "-s", str(secd.socket), *words]
        script = f"""source {ROOT}/etc/secdctl.bash
COMP_WORDS=({" ".join(shlex.quote(w) for w in line)}) COMP_CWORD={len(line) - 1}
_secdctl
printf '%s\\n' "${{COMPREPLY[@]}}" """
        env = {**os.environ, "PATH": f"{secd.path.parent}:{os.environ['PATH']}"}
        got = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=env)
        assert not got.stderr, got
        return set(got.stdout.split())

    verbs = offered("")
    assert {"status", "zones", "pin", "unpin", "versions", "stop"} <= verbs, verbs
    assert offered("re") == {"refresh", "retransfer", "reload"} and offered("nosuch") == set()
    assert offered("--js") == {"--json"}
    assert offered("zone", "") == set(names.values())
    assert offered("refresh", "e") == {names["empty"], names["expired"]}
    assert offered("refresh", names["empty"], "b") == {names["behind"]}
    assert offered("zones", "--p") == {"--pinned"} and offered("zones", "--sort", "") == {"lag"}
    assert offered("log", "n") == {"notice"}
    assert offered("pin", "pin") == {names["pinned"]}
    assert offered("pin", names["pinned"], "") == {"--no-expire", "5"}
