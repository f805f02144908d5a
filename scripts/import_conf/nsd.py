"""NSD: nsd.conf(5). Tokens, not lines: `keyword:` and the values up to the next keyword."""
from __future__ import annotations

import dataclasses
import pathlib
import re

from . import common, model
from .common import Fault, Options, Place, Report, read_text, switch, wire_name
from .model import Notifier, Server, Setup, Zone

DEPTH_MAX = 8
KEYWORD = re.compile(r"[a-z][a-z0-9-]*:")
TOKEN = re.compile(r"""\s+|(?P<comment>\#.*)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>(?:\\.|[^\s"\\])+)""")
SECTIONS = {"server", "key", "pattern", "zone", "remote-control", "tls-auth", "verify", "dnstap", "xdp"}
ZONE_LIST = "/var/lib/nsd/zone.list"

OWN_WAY = "secd has its own way of that"
TO_OTHERS = "nobody can transfer a zone from secd, and it notifies nobody"
FILES = "secd keeps its zones in state-dir"
SERVER_WARN = {
    **{f"rrl-{o}": "secd limits no rates; where that is needed, it stands in front of it"
       for o in ("size", "ratelimit", "slip", "ipv4-prefix-length", "ipv6-prefix-length",
                 "whitelist-ratelimit")},
    **{f"tls-{o}": "secd answers no queries by TLS"
       for o in ("service-key", "service-pem", "service-ocsp", "port", "cert-bundle", "auth-port",
                 "auth-xfr-only")},
    "ip-transparent": "secd does not start on an address that the host does not have",
    "ip-freebind": "secd does not start on an address that the host does not have",
    "cookie-secret-file": "write its secrets into cookie-secret, the active one first",
    "chroot": "secd does not change its root; its unit for systemd keeps it from the file system",
    "proxy-protocol-port": "secd does not speak the PROXY protocol",
}
SERVER_NOTE = {
    **{o: FILES for o in ("database", "zonesdir", "xfrdfile", "xfrdir", "difffile", "zonefiles-check",
                          "zonefiles-write", "zonelistfile")},
    **{o: OWN_WAY for o in ("reuseport", "send-buffer-size", "receive-buffer-size", "debug-mode", "cpu-affinity",
                            "xfrd-cpu-affinity", "tcp-reject-overflow", "tcp-query-count", "tcp-mss",
                            "outgoing-tcp-mss", "xfrd-tcp-max", "xfrd-tcp-pipeline", "pidfile", "statistics",
                            "username", "xfrd-reload-timeout", "drop-updates", "use-systemd", "minimal-responses",
                            "confine-to-zone", "refuse-any", "server-count", "reload-config")},
    **{o: "secd logs to standard error, syslog or the journal, see [log]"
       for o in ("logfile", "log-only-syslog", "log-time-ascii", "verbosity")},
}
ZONE_WARN = {
    "provide-xfr": TO_OTHERS, "notify": TO_OTHERS,
    "allow-query": "secd answers everybody",
    "rrl-whitelist": "secd limits no rates",
    "verify-zone": "secd runs no verifier; see its gates in secd.ini(5)",
    "verifier": "secd runs no verifier; see its gates in secd.ini(5)",
    "allow-axfr-fallback": "secd always falls back to AXFR",
    **{o: "catalog zones are not followed" for o in ("catalog", "catalog-member-pattern", "catalog-producer-zone")},
}
ZONE_NOTE = {
    **{o: FILES for o in ("zonefile", "store-ixfr", "ixfr-number", "ixfr-size", "create-ixfr")},
    "notify-retry": TO_OTHERS,
    "zonestats": OWN_WAY,
    "multi-master-check": "secd always asks all primaries, and takes the newest",
    "verifier-feed-zone": "secd runs no verifier", "verifier-timeout": "secd runs no verifier",
}
OTHER_SECTIONS = {
    "verify": "secd runs no verifier; see its gates in secd.ini(5)",
    "dnstap": "secd has no dnstap",
    "xdp": "secd has no XDP",
}
OTHER_NOTES = {
    "remote-control": "secd has a control socket, see secdctl(8)",
    "tls-auth": "secd does not transfer by TLS",
}
TIMERS = {f"{end}-{timer}-time": f"{end}-{timer}" for end in ("min", "max") for timer in ("refresh", "retry", "expire")}


@dataclasses.dataclass
class Statement:
    key: str
    values: list[str]
    place: Place


@dataclasses.dataclass
class Section:
    kind: str
    place: Place
    body: list[Statement]

    def last(self, key: str) -> Statement | None:
        found = [s for s in self.body if s.key == key]
        return found[-1] if found else None


# --- from text to sections ------------------------------------------------------------------------


def tokens(path: str, at: Place | None = None):
    """(text, is it a keyword, place). Raises Fault."""
    for n, line in enumerate(read_text(path, at).split("\n"), 1):
        place, pos = Place(path, n), 0
        while pos < len(line):
            m = TOKEN.match(line, pos)
            if not m:
                raise Fault("a quote is open at the end of the line; close it there", place)
            pos = m.end()
            for kind in ("double", "single", "word"):
                if m[kind] is not None:
                    yield m[kind], kind == "word" and bool(KEYWORD.fullmatch(m[kind])), place


class Reader:
    def __init__(self, report: Report):
        self.report = report
        self.statements: list[Statement] = []
        self.open: list[str] = []

    def read(self, path: str, at: Place | None = None) -> None:
        if path in self.open or len(self.open) > DEPTH_MAX:
            raise Fault(f"{path} includes itself, or files are nested too deeply", at)
        self.open.append(path)
        include: Place | None = None
        for text, keyword, place in tokens(path, at):
            if include:
                self.include(text, include)
                include = None
            elif keyword and text == "include:":
                include = place
            elif keyword:
                self.statements.append(Statement(text[:-1], [], place))
            elif self.statements:
                self.statements[-1].values.append(text)
            else:
                raise Fault(f"'{text}' stands before any keyword", place)
        if include:
            raise Fault("include: names no file", include)
        self.open.pop()

    def include(self, pattern: str, place: Place) -> None:
        """From where NSD is started, as it is there; else from beside the first file."""
        found = common.included(pattern, [pathlib.Path("."), pathlib.Path(self.open[0]).parent])
        if not found and not common.is_pattern(pattern):
            raise Fault(f"{pattern} can't be found, and is included", place)
        for path in found:
            self.read(path, place)

    def sections(self) -> list[Section]:
        out: list[Section] = []
        for s in self.statements:
            if not s.values and (s.key in SECTIONS or not out):
                if s.key not in SECTIONS:
                    raise Fault(f"{s.key}: is no section; the first is one of server, key, pattern and zone", s.place)
                out.append(Section(s.key, s.place, []))
            elif not out:
                raise Fault(f"{s.key}: stands in no section; write server: or zone: above it", s.place)
            elif not s.values:
                raise Fault(f"{s.key}: has no value", s.place)
            else:
                out[-1].body.append(s)
        return out


# --- from sections to a set-up --------------------------------------------------------------------


class Importer:
    def __init__(self, report: Report):
        self.report = report
        self.setup = Setup("NSD")
        self.patterns: dict[str, list[Statement]] = {}
        self.server: list[Statement] = []
        self.server_options = Options(report, SERVER_WARN, SERVER_NOTE)
        self.zone_options = Options(report, ZONE_WARN, ZONE_NOTE)

    def run(self, sections: list[Section]) -> Setup:
        for section in sections:
            if section.kind == "server":
                self.server += section.body
            elif section.kind == "key":
                self.key(section)
            elif section.kind == "pattern":
                self.patterns[self.name_of(section).values[0]] = self.flat(section)
            elif section.kind == "zone":
                name = self.name_of(section)
                self.zone(name.values[0], name.place, self.flat(section))
            elif section.kind in OTHER_NOTES:
                self.report.note(section.place, f"{section.kind}: {OTHER_NOTES[section.kind]}")
            else:
                self.report.warn(section.place, f"{section.kind}: {OTHER_SECTIONS[section.kind]}")
        self.settings()
        self.added_zones()
        return self.setup

    @staticmethod
    def name_of(section: Section) -> Statement:
        name = section.last("name")
        if not name:
            raise Fault(f"this {section.kind} has no name", section.place)
        return name

    def flat(self, section: Section) -> list[Statement]:
        """With the patterns in place that it includes; which stand above it."""
        out: list[Statement] = []
        for s in section.body:
            if s.key != "include-pattern":
                out.append(s)
                continue
            if s.values[0] not in self.patterns:
                raise Fault(f"there is no pattern {s.values[0]} above", s.place)
            out += [x for x in self.patterns[s.values[0]] if x.key != "name"] + [s]
        return out

    def key(self, section: Section) -> None:
        name, secret, algorithm = (section.last(k) for k in ("name", "secret", "algorithm"))
        if not name or not secret:
            raise Fault("this key has no name, or no secret", section.place)
        text = algorithm.values[0].lower() if algorithm else "sha256"
        text = text if text.startswith("hmac-") else f"hmac-{text}"
        self.setup.keys[model.fold_key(name.values[0])] = model.make_key(
            name.values[0], text, "".join(secret.values), secret.place, self.report)

    # --- [server] ---

    def settings(self) -> None:
        port, families, edns, hidden, texts = 53, {4: True, 6: True}, [], set(), {}
        tcp, servers = None, 1
        for s in self.server:
            value = s.values[0]
            if s.key == "port":
                port = common.port_number(value, s.place)
            elif s.key in ("do-ip4", "do-ip6", "ip4-only", "ip6-only"):
                on = switch(value, s.place)
                if s.key.startswith("do-"):
                    families[int(s.key[-1])] = on
                elif on:
                    families[6 if s.key == "ip4-only" else 4] = False
            elif s.key in ("hide-version", "hide-identity"):
                hidden |= {s.key.removeprefix("hide-")} if switch(value, s.place) else set()
            elif s.key in ("version", "identity"):
                texts[s.key] = s
            elif s.key in ("ipv4-edns-size", "ipv6-edns-size"):
                edns.append(s)
            elif s.key == "tcp-count":
                tcp = s
            elif s.key not in ("ip-address", "interface"):
                self.setting(s)
            if s.key == "server-count":
                servers = common.number(value, s.place)
        for option, s in texts.items():
            if option not in hidden:
                self.set_text(option, s.values[0], s.place)
        if tcp:
            count = common.number(tcp.values[0], tcp.place) * max(1, servers)
            self.put("tcp-clients", count, tcp.place)
        if edns:
            least = min(edns, key=lambda s: common.number(s.values[0], s.place))
            self.put("udp-payload", common.number(least.values[0], least.place), least.place)
        self.listen(port, families)

    def put(self, option: str, value: int, place: Place) -> None:
        self.setup.server[option] = (model.clamp(option, value, place, self.report), place)

    def set_text(self, option: str, value: str, place: Place) -> None:
        text = model.plain_text(option, value, place, self.report)
        if text:
            self.setup.server[option] = (text, place)

    def setting(self, s: Statement) -> None:
        value = s.values[0]
        if s.key == "nsid":
            text = value.removeprefix("ascii_") if value.startswith("ascii_") else f"0x{value}"
            found = model.nsid_text(text, s.place, self.report) if value else None
            if found:
                self.setup.server["nsid"] = (found, s.place)
        elif s.key == "tcp-timeout":
            self.put("tcp-idle", common.number(value, s.place), s.place)
        elif s.key == "round-robin":
            if switch(value, s.place):
                self.setup.server["rotate"] = ("on", s.place)
        elif s.key == "answer-cookie":
            self.setup.server["cookies"] = ("on" if switch(value, s.place) else "off", s.place)
        elif s.key == "cookie-secret":
            if not re.fullmatch(r"[0-9A-Fa-f]{32}", value):
                raise Fault("the cookie-secret is not 32 hex digits", s.place)
            self.setup.server["cookie-secret"] = (value, s.place)
        elif re.fullmatch(r"server-\d+-cpu-affinity", s.key):
            self.report.note(s.place, f"cpu-affinity: {OWN_WAY}")
        elif s.key in ("ip-transparent", "ip-freebind", "refuse-any") and not switch(value, s.place):
            pass
        elif s.key == "cookie-secret-file" and value == "" or s.key.startswith("tls-") and value == "":
            pass
        else:
            self.server_options.tell(s.key, s.place)

    def listen(self, port: int, families: dict[int, bool]) -> None:
        listed = [s for s in self.server if s.key in ("ip-address", "interface")]
        tls = any(s.key == "tls-service-key" and s.values[0] for s in self.server)
        tls_port = next((s.values[0] for s in reversed(self.server) if s.key == "tls-port"), "853")
        for s in listed:
            address, _, at = s.values[0].partition("@")
            if common.host(address) is None:
                self.report.warn(s.place, f"{s.key}: {address} is no address; write those of this interface "
                                 "into listen")
                continue
            if tls and at == tls_port:
                continue  # told by its options
            if len(s.values) > 1:
                self.report.warn(s.place, f"{s.key}: servers and devices of an address are not carried over")
            self.setup.listen.append((common.endpoint(s.values[0], s.place, port), s.place))
        if listed or (port == 53 and all(families.values())):
            return
        place = next(s.place for s in reversed(self.server)
                     if s.key == "port" or s.key.startswith(("do-ip", "ip4-", "ip6-")))
        self.setup.listen += [(f"{a}@{port}", place) for n, a in ((4, "0.0.0.0"), (6, "::")) if families[n]]

    # --- zones ---

    def zone(self, name: str, place: Place, body: list[Statement]) -> None:
        zone = Zone(wire_name(name, place), place)
        sources = [s for s in body if s.key == "outgoing-interface"]
        for s in body:
            if s.key == "request-xfr":
                self.server_of(zone, s, sources)
            elif s.key == "allow-notify":
                self.notifier(zone, s)
            elif s.key == "include-pattern":
                zone.hint = s.values[0]
            elif s.key in TIMERS or s.key == "size-limit-xfr":
                self.policy(zone, s)
            elif s.key not in ("name", "outgoing-interface"):
                self.told(s)
        if any(s.key == "request-xfr" for s in body):
            self.setup.zones.append(zone)
        else:
            self.report.warn(place, f"zone {zone.text} is left out: it is primary there, without request-xfr")

    def told(self, s: Statement) -> None:
        usual = {"allow-axfr-fallback": "yes", "verify-zone": "no", "catalog": ""}
        if s.values[0] != usual.get(s.key):
            self.zone_options.tell(s.key, s.place)

    def policy(self, zone: Zone, s: Statement) -> None:
        option = TIMERS.get(s.key, "max-size")
        if s.values[0].startswith("refresh+"):
            self.report.warn(s.place, f"{s.key}: {s.values[0]} can't be carried over; write a time into min-expire")
            return
        value = common.number(s.values[0], s.place)
        if value or option.startswith("min-expire"):
            zone.policy[option] = model.clamp(option, value, s.place, self.report)

    def source(self, address: str, sources: list[Statement]) -> tuple[str, ...]:
        """The first of each family, as NSD tries them in their order."""
        out: dict[bool, str] = {}
        for s in sources:
            text, _, port = s.values[0].partition("@")
            found = common.host(text)
            if found is None:
                raise Fault(f"'{text}' is no address", s.place)
            if port:
                self.report.warn(s.place, "outgoing-interface: its port is not carried over")
            if common.is4(found) in out and out[common.is4(found)] != found:
                self.report.warn(s.place, "outgoing-interface: only the first of each family is carried over")
            out.setdefault(common.is4(found), found)
        return tuple(a for four, a in out.items() if four == common.is4(address))

    def server_of(self, zone: Zone, s: Statement, sources: list[Statement]) -> None:
        values = list(s.values)
        if values[0] in ("AXFR", "UDP"):
            text = "secd asks for IXFR where it can, and takes AXFR in any case" if values[0] == "AXFR" else \
                "secd transfers over TCP"
            self.report.note(s.place, f"request-xfr: {values[0]}: {text}")
            values.pop(0)
        if len(values) not in (2, 3):
            raise Fault("request-xfr: is not of the form [AXFR|UDP] ADDRESS KEY", s.place)
        address = common.endpoint(values[0], s.place)
        if len(values) == 3:
            self.report.warn(s.place, f"request-xfr: {values[0]} is asked by TLS, which secd does not do: left out")
            return
        zone.servers.append(Server("", (address,), None if values[1] == "NOKEY" else values[1],
                                   self.source(address, sources), s.place))

    def notifier(self, zone: Zone, s: Statement) -> None:
        if len(s.values) != 2:
            raise Fault("allow-notify: is not of the form ADDRESS KEY", s.place)
        spec, _, port = s.values[0].partition("@")
        if s.values[1] == "BLOCKED":
            self.report.warn(s.place, f"allow-notify: {spec} BLOCKED: secd has no exceptions")
            return
        if port:
            self.report.warn(s.place, "allow-notify: secd does not look at the port that a NOTIFY comes from")
        key = None if s.values[1] == "NOKEY" else s.values[1]
        zone.notifiers.append(Notifier(tuple(common.networks(spec, s.place)), key, s.place))

    def added_zones(self) -> None:
        """Those of nsd-control addzone."""
        said = [s for s in self.server if s.key == "zonelistfile"]
        if said and not said[-1].values[0]:
            return
        base = next((s.values[0] for s in reversed(self.server) if s.key == "zonesdir"), "/etc/nsd")
        path = pathlib.Path(base or ".") / (said[-1].values[0] if said else ZONE_LIST)
        if not path.exists():
            if said:
                self.report.warn(said[-1].place, f"zonelistfile: {path} is not here: zones that were added by "
                                 "nsd-control are missing")
            return
        for n, line in enumerate(read_text(str(path)).split("\n"), 1):
            words, place = line.split(), Place(str(path), n)
            if words[:1] != ["add"] or len(words) != 3:
                continue
            if words[2] not in self.patterns:
                raise Fault(f"there is no pattern {words[2]}", place)
            body = [*self.patterns[words[2]], Statement("include-pattern", [words[2]], place)]
            self.zone(words[1], place, body)


def read(paths: list[str], report: Report) -> Setup:
    reader = Reader(report)
    for path in paths:
        reader.read(path)
    return Importer(report).run(reader.sections())
