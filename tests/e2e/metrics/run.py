"""What is measured is what has happened, in the words of Prometheus, whose own tool checks the rules for alerts."""
import json
import pathlib
import re
import subprocess
import time

from lab import Lab, metrics
from lab.scripted import Send
from lab.zones import zone

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
ODD = r'a\032b\"c\\d.example.'
SIGNED_S = 2 * 86400


def signed(serial: int) -> str:
    ends, begins = (time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + s))
                    for s in (SIGNED_S, -3600))
    return zone("s.example.", serial) + \
        f"www.s.example. 300 IN RRSIG A 13 3 300 {ends} {begins} 1 s.example. AAAA\n"


def run(lab: Lab) -> None:
    knot = lab.knot({"k.example.": zone("k.example.", 7)})
    primary = lab.scripted_primary({"example.": zone(serial=5), "s.example.": signed(1),
                                    ODD: zone(ODD, 3), "no.example.": zone("no.example.")})
    primary.on("AXFR", lambda r: [Send(r.answer(rcode=5))] if r.apex == "no.example." else None)
    ports = [("127.0.0.1", lab.port()), ("::1", lab.port("::1"))]
    secd = lab.secd({"k.example.": [knot], "example.": [primary], "s.example.": [primary],
                     ODD: [primary], "no.example.": [primary]}, listen=ports, workers=2)
    lab.wait(lambda: secd.ctl_json("status")["zones"]["fresh"] == 4, 5, "four fresh zones")
    text = secd.ctl("metrics").stdout
    metrics.check(text)
    queries(secd, ports)
    zones(lab, secd, primary)
    following(lab, secd, primary, knot)
    stats(secd)
    few(lab, primary)
    rules(lab, text)
    assert secd.ctl("metrics", args=("-j",)).returncode == 2


def queries(secd, ports) -> None:
    before = metrics.of(secd)
    for rdtype, times in (("A", 3), ("AAAA", 2), ("CAA", 1), ("TYPE3", 1), ("ANY", 1)):
        for _ in range(times):
            secd.query("www.example.", rdtype)
    secd.query("www.example.", "MX", tcp=True)
    secd.query("absent.example.", "TXT", tcp=True)
    secd.query("elsewhere.", "A")
    secd.addr, secd.port = ports[1]
    secd.query("www.example.", "HTTPS")
    secd.query("www.example.", "HTTPS", tcp=True)
    secd.addr, secd.port = ports[0]
    m = metrics.of(secd)
    for labels, n in ((("udp", "ipv4"), 9), (("tcp", "ipv4"), 2), (("udp", "ipv6"), 1),
                      (("tcp", "ipv6"), 1)):
        got = m.since(before, "secd_queries_total", transport=labels[0], family=labels[1])
        assert got == n, (labels, got)
    for rdtype, n in (("A", 4), ("AAAA", 2), ("CAA", 1), ("other", 1), ("ANY", 1), ("MX", 1),
                      ("TXT", 1), ("HTTPS", 2), ("SOA", 0)):
        got = m.since(before, "secd_questions_total", type=rdtype)
        assert got == n, (rdtype, got)
    for rcode, n in (("NOERROR", 11), ("NXDOMAIN", 1), ("REFUSED", 1), ("SERVFAIL", 0)):
        got = m.since(before, "secd_responses_total", rcode=rcode)
        assert got == n, (rcode, got)
    assert m.since(before, "secd_tcp_connections_accepted_total") == 3


def zones(lab, secd, primary) -> None:
    m = metrics.of(secd)
    assert m.of("secd_zones", state="fresh") == 4 and m.of("secd_zones", state="empty") == 1
    for name, serial in (("k.example", 7), ("example", 5), (ODD[:-1], 3)):
        assert m.of("secd_zone_state", zone=name, state="fresh") == 1, (name, m.text)
        assert m.of("secd_zone_serial", zone=name) == serial, name
        assert m.of("secd_zone_newest_serial", zone=name) == serial, name
        assert m.of("secd_zone_lag_seconds", zone=name) == 0, name
        assert 0 <= m.of("secd_zone_check_age_seconds", zone=name) < 60, name
        assert 0.99 < m.of("secd_zone_expiry_ratio", zone=name) <= 1, name
        assert m.of("secd_zone_signature_expiry_seconds", zone=name) is None, name
    ends = m.of("secd_zone_signature_expiry_seconds", zone="s.example")
    assert SIGNED_S - 1100 < ends <= SIGNED_S, ends
    assert m.of("secd_zones_min_signature_expiry_seconds") == ends
    assert m.of("secd_zones_signed") == 1
    assert m.of("secd_zone_state", zone="no.example", state="empty") == 1
    assert m.of("secd_zone_serial", zone="no.example") is None
    assert m.of("secd_zone_lag_seconds", zone="no.example") > 0
    assert m.of("secd_state_up") == 1 and m.of("secd_state_unsaved_zones") == 0
    assert {v for v in m.all("secd_primary_up").values()} == {1}
    assert m.of("process_resident_memory_bytes") > 1 << 20
    assert abs(m.of("process_start_time_seconds") - time.time()) < 60
    primary.set_zone("example.", zone(serial=4))
    primary.notify(secd, "example.", 4)
    secd.wait_log("poll older", 5, zone="example.")
    m = lab.wait(lambda: (lambda m: m if m.of("secd_zones_refused") else None)(metrics.of(secd)),
                 5, "a refused serial")
    assert m.of("secd_zone_refused_serial", zone="example") == 4, m.text
    secd.ctl("pin", "example.")
    assert metrics.of(secd).of("secd_zone_pinned", zone="example") == 1
    secd.ctl("unpin", "example.")


def following(lab, secd, primary, knot) -> None:
    """A change is counted once, from its NOTIFY on; a NOTIFY of none is not."""
    name = "secd_notify_to_served_seconds_count"
    before = metrics.of(secd)
    primary.notify(secd, ODD, 3)
    secd.wait_log("zone current", 5, zone=ODD)
    primary.set_zone(ODD, zone(ODD, 4))
    secd.ctl("refresh", ODD)
    secd.wait_log("xfr installed", 5, zone=ODD, serial=4)
    assert metrics.of(secd).since(before, name) == 0, "no NOTIFY told of that"
    before = metrics.of(secd)
    primary.set_zone(ODD, zone(ODD, 5))
    primary.notify(secd, ODD, 5)
    secd.wait_log("xfr installed", 5, zone=ODD, serial=5)
    knot.update("k.example.", zone("k.example.", 8))  # whose NOTIFY goes nowhere
    secd.ctl("refresh", "k.example.")
    secd.wait_log("xfr installed", 5, zone="k.example.", serial=8)
    m = metrics.of(secd)
    assert m.since(before, name) == 1, m.text
    took = m.since(before, "secd_notify_to_served_seconds_sum")
    assert 0 <= took < 5, took
    assert m.since(before, "secd_notify_to_served_seconds_bucket", le="5") == 1
    assert m.since(before, "secd_notifies_total", result="accepted") == 1
    kinds = {k: m.since(before, "secd_transfers_total", kind=k, result="installed")
             for k in ("axfr", "ixfr", "axfr-in-ixfr")}
    assert sum(kinds.values()) == 2, kinds
    assert sum(m.since(before, "secd_transfer_bytes_total", kind=k) for k in kinds) > 200
    assert m.of("secd_transfers_total", kind="axfr", result="failed") > 0, "that of no.example."
    assert m.since(before, "secd_polls_total", result="newer") >= 2
    assert m.of("secd_polls_total", result="current") >= 1
    assert m.of("secd_polls_total", result="refused") >= 1
    # One that tells of more than can be had counts from when it came, when it can.
    primary.on("AXFR", lambda r: [Send(r.answer(rcode=5))])
    primary.on("IXFR", lambda r: [Send(r.answer(rcode=5))])
    before = metrics.of(secd)
    primary.set_zone(ODD, zone(ODD, 6))
    primary.notify(secd, ODD, 6)
    secd.wait_log("zone unrefreshed", 5, zone=ODD)
    failed = time.monotonic()
    m = metrics.of(secd)
    assert m.since(before, name) == 0
    lag = m.of("secd_zone_lag_seconds", zone=ODD[:-1])
    assert m.of("secd_zone_state", zone=ODD[:-1], state="behind") == 1
    assert 0 <= lag < 60 and m.of("secd_zones_max_lag_seconds") >= lag, m.text
    lab.wait(lambda: time.monotonic() > failed + 0.3, 5, "a while")
    primary.on("AXFR", None)
    primary.on("IXFR", None)
    secd.ctl("refresh", ODD)
    secd.wait_log("xfr installed", 5, zone=ODD, serial=6)
    m = metrics.of(secd)
    assert m.since(before, name) == 1, "it was not forgotten"
    assert m.since(before, "secd_notify_to_served_seconds_sum") > 0.3


def stats(secd) -> None:
    """secdctl stats has the same."""
    m, s, after = metrics.of(secd), secd.ctl_json("stats"), metrics.of(secd)
    while m.all("secd_transfers_total") != after.all("secd_transfers_total"):  # one ended in between
        m, s, after = after, secd.ctl_json("stats"), metrics.of(secd)
    assert s["queries"]["received"] == sum(m.all("secd_queries_total").values()), s
    assert s["queries"]["tcp"] >= 3 and s["queries"]["ipv6"] == 2, s
    assert {x["type"]: x["questions"] for x in s["types"]} == \
        {k[0][1]: v for k, v in m.all("secd_questions_total").items() if v}, s
    assert {x["rcode"]: x["answers"] for x in s["rcodes"]} == \
        {k[0][1]: v for k, v in m.all("secd_responses_total").items() if v}, s
    axfr = next(x for x in s["transfers"] if x["kind"] == "axfr")
    assert axfr["installed"] == m.of("secd_transfers_total", kind="axfr", result="installed")
    assert axfr["octets"] == m.of("secd_transfer_bytes_total", kind="axfr"), s
    assert s["notify_to_served"]["changes"] == m.of("secd_notify_to_served_seconds_count"), s
    assert s["notify_to_served"]["p99"] <= 60 and s["polls"]["current"] > 0, s
    text = secd.ctl("stats").stdout
    assert re.search(r"^queries\n  received +udp +tcp ", text, re.M), text


def few(lab, primary) -> None:
    """With more zones than metrics-zones, those have series that have something to tell: the worst."""
    apexes = [f"z{i}.example." for i in range(40)]
    for apex in apexes:
        primary.set_zone(apex, zone(apex))
    secd = lab.secd({a: [primary] for a in [*apexes, "s.example."]},
                    server_opts={"metrics-zones": 5})
    lab.wait(lambda: secd.ctl_json("status")["zones"]["fresh"] == 41, 10, "all of them")
    m = metrics.of(secd)
    assert set(m.all("secd_zone_state")) == {(("state", "fresh"), ("zone", "s.example"))}, m.text
    assert m.of("secd_zones", state="fresh") == 41 and m.of("secd_zones_unlisted") == 0
    for apex in apexes[:10]:
        primary.set_zone(apex, zone(apex, 0xfffffff0))
        primary.notify(secd, apex)
    secd.ctl("refresh", *apexes[:10])
    lab.wait(lambda: metrics.of(secd).of("secd_zones_refused") == 10, 10, "ten refused serials")
    m = metrics.of(secd)
    assert len(m.all("secd_zone_state")) == 5 and m.of("secd_zones_unlisted") == 6, m.text
    assert len(m.all("secd_zone_refused_serial")) == 5, "they are worse than what ends in two days"


def rules(lab, text: str) -> None:
    """The rules are sound, fire when they should, and know no metric that there is not."""
    path = ROOT / "etc" / "alerts-secd.yml"
    tests = lab.dir / "alerts.yml"
    tests.write_text((HERE / "alerts.yml").read_text().replace("@RULES@", str(path)))
    promtool("test", "rules", str(tests))
    board = json.loads((ROOT / "etc" / "grafana-secd.json").read_text())
    asked = [t["expr"] for p in board["panels"] for t in p["targets"]]
    assert len(asked) > 20
    # All of the dashboard's questions as rules: are they PromQL?
    dashboard = lab.dir / "dashboard.yml"
    dashboard.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"q{i}", "expr": q.replace("$__rate_interval", "5m").replace("$instance", "a")}
        for i, q in enumerate(asked)]}]}))
    promtool("check", "rules", str(path), str(dashboard))
    there = set(metrics.Metrics(text).types) | \
        {"secd_notify_to_served_seconds_bucket"}
    named = set(re.findall(r"\b(?:secd|process)_[a-z_]+", path.read_text() + " ".join(asked)))
    assert named <= there, named - there
    fired = set(re.findall(r"alertname: (\w+)", (HERE / "alerts.yml").read_text()))
    assert fired == set(re.findall(r"alert: (\w+)", path.read_text())), "each has its test"


def promtool(*args: str) -> None:
    got = subprocess.run(["promtool", *args], capture_output=True, text=True, timeout=60,
                         check=False)
    assert got.returncode == 0, got.stdout + got.stderr
