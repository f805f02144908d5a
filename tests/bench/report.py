"""Results as they come in, and as a table, JSON, and bars met or missed."""
from __future__ import annotations

import json
import platform
import statistics
import sys
import textwrap

FLOOR = "reflector"
OURS = "secd"  # "secd, killed before": it, too, in other circumstances

# (measure, metric, against, factor): secd's median is at most factor times that of the server
# named; of "" (an absolute bar), or of secd's own other metric ("= metric"). All are meant for the
# sizes of a whole run.
BARS = [
    ("queries names uniform", "cpu per answer", "reflector", 1.25),
    ("queries names uniform", "cpu per answer", "yadifa", 0.7),
    ("queries names uniform", "cpu per answer", "knot", 0.5),
    ("queries names uniform", "cpu per answer", "gdnsd", 0.9),
    ("queries names nxdomain", "cpu per answer", "reflector", 1.25),
    ("queries zones existing", "cpu per answer", "reflector", 1.3),
    ("queries tld referral", "cpu per answer", "reflector", 1.35),
    ("zones", "memory per zone", "", 1000),
    ("zones", "started until all are served", "knot", 0.2),
    ("zones", "started until all are served", "nsd", 0.2),
    ("restart names", "start until all are served", "knot", 0.13),
    ("restart names", "start until all are served", "pdns", 1),
    ("restart zones", "start until all are served", "nsd", 0.1),
    ("reload zones", "one zone added, until it is served", "", 0.2),
    ("sweep, any rate", "NOTIFY until served, p99", "", 1000),
    ("sweep, 5000 a second", "NOTIFY until served, p99", "", 1000),
    ("transfer names", "memory per record", "", 80),
    ("transfer tld-signed", "memory per record", "", 80),
    ("transfer names", "AXFR until served", "yadifa", 0.25),
    ("transfer names", "AXFR until served", "knot", 0.15),
    ("transfer tld-signed", "AXFR until served", "yadifa", 0.25),
    ("transfer tld-signed", "AXFR until served", "knot", 0.15),
    ("ixfr of 100000", "cpu", "", 100),
    ("in process delta of 10", "applied and published", "", 100),
    ("in process delta of 100000", "applied and published", "", 100_000),
    ("loss", "lost, replaced", "= lost, quiet", 1),
    ("loss", "p999, replaced", "= p999, quiet", 1.5),
]
COUNTS = ("lost, quiet", "lost, replaced", "memory growth")


def processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            for line in f:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def figure(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class Results:
    """Values by measure, metric and server; notes; details."""

    def __init__(self, quiet: bool = False):
        self.values: dict[tuple[str, str, str], dict[str, list[float]]] = {}
        self.notes: list[str] = []
        self.details: dict[str, dict] = {}
        self.versions: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.options: dict = {}
        self.quiet = quiet

    def say(self, text: str) -> None:
        if not self.quiet:
            print(f"  ... {text}", file=sys.stderr, flush=True)

    def add(self, measure: str, metric: str, unit: str, server: str, value: float) -> None:
        self.values.setdefault((measure, metric, unit), {}).setdefault(server, []).append(value)

    def note(self, text: str) -> None:
        text = " ".join(text.split())
        if text not in self.notes:
            self.notes.append(text)

    def detail(self, measure: str, server: str, what: str, value) -> None:
        self.details.setdefault(measure, {}).setdefault(server, {})[what] = value

    # --- what follows from them --------------------------------------------------------------

    def median(self, measure: str, metric: str, server: str) -> float | None:
        for (m, k, _unit), by_server in self.values.items():
            if (m, k) == (measure, metric) and server in by_server:
                return statistics.median(by_server[server])
        return None

    def best_peer(self, key: tuple[str, str, str]) -> float | None:
        peers = [statistics.median(v) for s, v in self.values[key].items()
                 if s != FLOOR and not s.startswith(OURS)]
        return min(peers) if peers else None

    def rows(self) -> list[dict]:
        out = []
        for key, by_server in self.values.items():
            measure, metric, unit = key
            floor = statistics.median(by_server[FLOOR]) if FLOOR in by_server else None
            best = self.best_peer(key)
            for server, values in by_server.items():
                mid = statistics.median(values)
                out.append({
                    "measure": measure, "metric": metric, "unit": unit, "server": server,
                    "median": mid, "min": min(values), "max": max(values), "values": values,
                    "to_floor": mid / floor if floor else None,
                    # Of what may be nothing at all there is no ratio.
                    "to_best_peer": mid / best if best and metric not in COUNTS else None})
        return out

    def bars(self) -> list[dict]:
        """Those whose figures are there."""
        out = []
        for measure, metric, against, factor in BARS:
            ours = self.median(measure, metric, OURS)
            if against.startswith("= "):
                other = self.median(measure, against[2:], OURS)
            else:
                other = self.median(measure, metric, against) if against else 1.0
            if ours is None or other is None:
                continue
            out.append({"measure": measure, "metric": metric, "against": against or "absolute",
                        "at_most": factor * other, "factor": factor, "is": ours,
                        "met": ours <= factor * other})
        return out

    # --- text --------------------------------------------------------------------------------

    def table(self) -> str:
        lines = [f"{'':44}{'median':>10}{'min':>10}{'max':>10}{'/ floor':>9}{'/ best peer':>13}"]
        last = None
        for row in self.rows():
            head = (row["measure"], row["metric"])
            if head != last:
                unit = f", {row['unit']}" if row["unit"] else ""
                lines += ["", f"{row['measure']}: {row['metric']}{unit}"]
                last = head
            ratios = [f"{r:.2f}" if r is not None else "" for r in (row["to_floor"],
                                                                    row["to_best_peer"])]
            lines.append(f"    {row['server']:40}{figure(row['median']):>10}"
                         f"{figure(row['min']):>10}{figure(row['max']):>10}{ratios[0]:>9}"
                         f"{ratios[1]:>13}")
        return "\n".join(lines)

    def bars_text(self) -> str:
        bars = self.bars()
        lines = []
        for b in bars:
            against = "" if b["against"] == "absolute" else f" ({b['factor']} x {b['against']})"
            lines.append(f"{'met   ' if b['met'] else 'MISSED'} {b['measure']}: {b['metric']} "
                         f"{figure(b['is'])}, at most {figure(b['at_most'])}{against}")
        lines.append(f"{sum(b['met'] for b in bars)} bars met, "
                     f"{sum(not b['met'] for b in bars)} missed")
        return "\n".join(lines)

    def text(self, bars: bool = True) -> str:
        head = [f"processor: {processor()}, kernel {platform.release()}",
                "versions: " + ", ".join(f"{s} {v}" for s, v in self.versions.items()),
                "options: " + ", ".join(f"{k}={v}" for k, v in self.options.items())]
        head = [textwrap.fill(line, 100, subsequent_indent="    ") for line in head]
        notes = [textwrap.fill(f"note: {n}", 100, subsequent_indent="    ") for n in self.notes]
        return "\n".join([*head, "", self.table(), "", *notes,
                          *(["", self.bars_text()] if bars else [])])

    def json(self) -> str:
        return json.dumps({
            "processor": processor(), "kernel": platform.release(), "versions": self.versions,
            "options": self.options, "settings": self.settings, "results": self.rows(),
            "details": self.details, "notes": self.notes, "bars": self.bars()}, indent=1)
