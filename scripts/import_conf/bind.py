"""BIND: from statements to a set-up. What a zone does not say, its view says, or options."""
from __future__ import annotations

import ipaddress
import re

from . import bindopts, common, model
from .bindparse import Block, Parser, Statement, Word
from .common import HOLDS_ANY, Fault, Options, Place, Report, switch, wire_name
from .model import Notifier, Server, Setup, Zone

LISTS = ("primaries", "masters", "remote-servers")
SECONDARY = ("secondary", "slave")
TIMERS = {f"{end}-{timer}-time": f"{end}-{timer}" for end in ("min", "max") for timer in ("refresh", "retry")}
LIMITS = {"max-records": "max-records", "max-records-per-type": "max-rrset", "max-types-per-name": "max-rrsets"}
CARRIED = {*LISTS, *TIMERS, *LIMITS, "type", "allow-notify", "transfer-source", "transfer-source-v6"}
PREFIX = re.compile(r"(\d+(?:\.\d+){0,3})/(\d+)")


def amount(statement: Statement, units: str = "") -> int:
    return common.number(statement.word(1), statement.place, units)


class Importer:
    def __init__(self, statements: list[Statement], view: str | None, report: Report):
        self.report = report
        self.setup = Setup("BIND")
        self.view = self.choose(statements, view)
        inner = self.view.body() if self.view else []
        self.top = [*inner, *(s for s in statements if s is not self.view)]
        options = [x for s in statements if s.name == "options" for x in s.body()]
        self.options = options
        # What is said nearest counts.
        self.scopes = [inner, options]
        self.acls = {s.word(1): s for s in self.top if s.name == "acl"}
        self.lists = {s.word(1): s for s in self.top if s.name in LISTS}
        self.peers: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Statement]] = []
        self.server_told = Options(report, bindopts.SERVER_WARN, bindopts.SERVER_NOTE)
        self.zone_told = Options(report, bindopts.ZONE_WARN, bindopts.ZONE_NOTE)

    @staticmethod
    def choose(statements: list[Statement], view: str | None) -> Statement | None:
        views = {s.word(1): s for s in statements if s.name == "view"}
        if not views and view is None:
            return None
        if view in views:
            return views[view]
        names = ", ".join(views)
        if not views:
            raise Fault(f"there is no view {view}: the configuration has none")
        first = next(iter(views.values()))
        wrong = f"there is no view {view}; " if view else "secd has no views; "
        raise Fault(f"{wrong}choose one of {names} with --view", first.place)

    def run(self) -> Setup:
        for s in self.top:
            if s.name == "key":
                self.key(s)
            elif s.name == "server":
                self.peer(s)
            elif s.name == "view":
                self.report.warn(s.place, f"view {s.word(1)} is left out")
            elif s.name not in ("options", "acl", "zone", *LISTS) and s.name not in CARRIED:
                self.server_told.tell(s.name, s.place)
        self.settings()
        for s in self.top:
            if s.name == "zone":
                self.zone(s)
        return self.setup

    # --- keys and peers ---

    def key(self, s: Statement) -> None:
        parts = {x.name: x for x in s.body()}
        if "algorithm" not in parts or "secret" not in parts:
            raise Fault(f"key {s.word(1)} has no algorithm, or no secret", s.place)
        name = s.word(1)
        self.setup.keys.setdefault(model.fold_key(name), model.make_key(
            name, parts["algorithm"].word(1), parts["secret"].word(1), s.place, self.report))

    def key_name(self, name: str, place: Place) -> str:
        if model.fold_key(name) not in self.setup.keys:
            raise Fault(f"there is no key {name}", place)
        return self.setup.keys[model.fold_key(name)].name

    def peer(self, s: Statement) -> None:
        self.peers.append((ipaddress.ip_network(common.networks(s.word(1), s.place)[0]), s))
        for x in s.body():
            if x.name not in ("keys", "transfers", "transfer-source", "transfer-source-v6"):
                self.report.warn(x.place, f"server {s.word(1)}: {x.name} is not carried over")

    def of_peer(self, address: str, name: str) -> Statement | None:
        """What the narrowest server statement of this address says."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        fitting = [(n.prefixlen, s) for n, s in self.peers if ip in n]
        for _, s in sorted(fitting, key=lambda f: -f[0]):
            found = [x for x in s.body() if x.name == name]
            if found:
                return found[-1]
        return None

    # --- address match lists ---

    def match(self, statements: list[Statement], what: str, seen: tuple[str, ...] = ()):
        """(networks or None for anybody, key or None, place) for each element; exceptions are told."""
        for s in statements:
            if s.negated:
                text = s.name or "{ ... }"
                self.report.warn(s.place, f"{what}: !{text}: secd has no exceptions")
            elif s.block:
                yield from self.match(s.body(), what, seen)
            elif s.name == "key":
                yield None, self.key_name(s.word(1), s.place), s.place
            else:
                yield from self.match_word(s, what, seen)

    def match_word(self, s: Statement, what: str, seen: tuple[str, ...]):
        text = s.name
        short = PREFIX.fullmatch(text)
        if short:
            text = ".".join((short[1].split(".") + ["0"] * 3)[:4]) + "/" + short[2]
        if text in self.acls and text not in seen:
            yield from self.match(self.acls[text].body(), what, (*seen, text))
        elif text == "any":
            yield HOLDS_ANY, None, s.place
        elif text == "none":
            return
        elif text in ("localhost", "localnets"):
            self.report.warn(s.place, f"{what}: {text} is not carried over, but for 127.0.0.1 and ::1")
            yield ("127.0.0.1", "::1"), None, s.place
        elif text == "geoip":
            self.report.warn(s.place, f"{what}: geoip is not carried over")
        else:
            yield tuple(common.networks(text, s.place)), None, s.place

    # --- options ---

    def find(self, name: str, zone: list[Statement] | None = None) -> Statement | None:
        for scope in [zone or [], *self.scopes]:
            found = [s for s in scope if s.name == name]
            if found:
                return found[-1]
        return None

    def put(self, option: str, value: int, place: Place) -> None:
        self.setup.server[option] = (model.clamp(option, value, place, self.report), place)

    def set_text(self, option: str, s: Statement) -> None:
        part = s.parts[1] if len(s.parts) > 1 else None
        if isinstance(part, Word) and (part.quoted or part.text not in ("none", "hostname")):
            text = model.plain_text(option, part.text, s.place, self.report)
            if text:
                self.setup.server[option] = (text, s.place)
        elif isinstance(part, Word) and part.text == "hostname":
            self.report.warn(s.place, f"{s.name}: secd does not look for the host's name; write it into {option}")

    def port(self) -> int:
        """On which it listens, and where it asks, unless that is said otherwise."""
        said = self.find("port")
        return common.port_number(said.word(1), said.place) if said else 53

    def settings(self) -> None:
        numbers = {"max-udp-size": ("udp-payload", 1), "tcp-clients": ("tcp-clients", 1),
                   "transfers-in": ("transfers", 1), "max-transfer-time-in": ("transfer-time", 60),
                   "max-transfer-idle-in": ("transfer-idle", 60)}
        secrets = []
        for s in [*self.options, *(self.view.body() if self.view else [])]:
            if s.name in numbers:
                option, factor = numbers[s.name]
                self.put(option, amount(s) * factor, s.place)
            elif s.name == "tcp-idle-timeout":
                self.put("tcp-idle", max(1, amount(s) // 10), s.place)
            elif s.name in ("version", "hostname", "server-id"):
                self.texts(s)
            elif s.name == "answer-cookie":
                self.setup.server["cookies"] = ("on" if switch(s.word(1), s.place) else "off", s.place)
            elif s.name == "cookie-secret":
                secrets.append(s)
            elif s.name not in CARRIED | {"listen-on", "listen-on-v6", "port", "zone", "key", "server", "acl",
                                          "transfers-per-ns"}:
                self.option(s)
        if secrets:
            self.cookies(secrets)
        self.listen()

    def texts(self, s: Statement) -> None:
        if s.name == "server-id":
            self.set_text("identity", s)
            if "identity" in self.setup.server:
                self.setup.server["nsid"] = self.setup.server["identity"]
        elif s.name == "version":
            self.set_text("version", s)
        elif not any(x.name == "server-id" for x in self.options):
            self.set_text("identity", s)

    def cookies(self, secrets: list[Statement]) -> None:
        fits = [s for s in secrets if re.fullmatch(r"[0-9A-Fa-f]{32}", s.word(1))]
        for s in secrets:
            if s not in fits:
                self.report.warn(s.place, "cookie-secret: secd takes those of 128 bits for siphash24")
        if fits:
            self.setup.server["cookie-secret"] = (", ".join(s.word(1) for s in fits[:8]), fits[0].place)

    def option(self, s: Statement) -> None:
        """Of options or the view: told, unless it is as secd has it."""
        value = s.words[1].lower() if len(s.words) > 1 else ""
        elements = [x.name for x in s.body()] if s.block else []
        if (s.name, value) in bindopts.AS_SECD or (elements == ["any"] and s.name.startswith("allow-query")) or \
                (elements == ["none"] and s.name.startswith("allow-")):
            return
        known = s.name in bindopts.SERVER_WARN or s.name in bindopts.SERVER_NOTE
        (self.server_told if known else self.zone_told).tell(s.name, s.place)

    def listen(self) -> None:
        said, port = self.find("port"), self.port()
        place = said.place if said else (self.options[0].place if self.options else None)
        plain = True
        for name, any_address in (("listen-on", "0.0.0.0"), ("listen-on-v6", "::")):
            found = [s for s in self.options if s.name == name]
            plain = plain and not found
            for s in found:
                self.listen_on(s, port, any_address)
            if not found and place:
                self.setup.listen.append((f"{any_address}@{port}", place))
        if plain and port == 53:
            self.setup.listen = []  # the default of both

    def listen_on(self, s: Statement, port: int, any_address: str) -> None:
        for how in ("tls", "http"):
            if s.after(how) not in (None, "none"):
                self.report.warn(s.place, f"{s.name}: secd answers no queries by {how.upper()}")
                return
        at = s.after("port")
        number = common.port_number(at, s.place) if at else port
        for networks, _, place in self.match(s.body(), s.name):
            for network in networks or ():
                if network in HOLDS_ANY:
                    if (":" in network) == (":" in any_address):
                        self.setup.listen.append((f"{any_address}@{number}", place))
                elif "/" in network:
                    self.report.warn(place, f"{s.name}: {network}: secd listens on addresses, not on networks")
                elif (":" in network) == (":" in any_address):
                    self.setup.listen.append((f"{network}@{number}", place))

    # --- zones ---

    def zone(self, s: Statement) -> None:
        name, body = s.word(1), s.body()
        kind = next((x.word(1).lower() for x in body if x.name == "type"), "")
        klass = s.words[2].upper() if len(s.words) > 2 else "IN"
        if any(x.name == "in-view" for x in body):
            self.report.warn(s.place, f"zone {name} is left out: it is another view's")
        elif klass != "IN":
            self.report.warn(s.place, f"zone {name} is left out: it is of class {klass}")
        elif kind == "hint":
            self.report.note(s.place, f"zone {name} is left out: hints are a resolver's")
        elif kind not in SECONDARY:
            shown = "primary there" if kind in ("primary", "master") else f"of type {kind or 'none'}"
            self.report.warn(s.place, f"zone {name} is left out: it is {shown}")
        else:
            self.secondary(Zone(wire_name(name, s.place), s.place), body)

    def secondary(self, zone: Zone, body: list[Statement]) -> None:
        lists = [x for x in body if x.name in LISTS]
        if not lists:
            raise Fault(f"zone {zone.text} is secondary, but has no primaries", zone.place)
        for s in lists:
            zone.servers += self.servers(s, body, self.port(), [])
        names = [x.name for s in lists for x in s.body()]
        if len(names) == 1 and names[0] in self.lists:
            zone.hint = names[0]
        notify = self.find("allow-notify", body)
        if notify:
            for networks, key, place in self.match(notify.body(), "allow-notify"):
                zone.notifiers.append(Notifier(networks, key, place))
        signed = next((x for x in zone.servers if x.key), None)
        if signed:
            self.report.warn(signed.place, "BIND takes unsigned NOTIFY from primaries; secd wants it signed with the "
                             "primary's key: look at the primary's also-notify")
        for name, option in {**TIMERS, **LIMITS}.items():
            said = self.find(name, body)
            if said and amount(said) > 0:
                zone.policy[option] = model.clamp(option, amount(said), said.place, self.report)
        for s in body:
            if s.name not in CARRIED:
                self.option(s)
        self.setup.zones.append(zone)

    def servers(self, s: Statement, body: list[Statement], port: int, seen: list[str]) -> list[Server]:
        """Of a list of primaries, and of those that it names."""
        out: list[Server] = []
        at = s.after("port")
        port = common.port_number(at, s.place) if at else port
        for x in s.body():
            if x.name in self.lists:
                if x.after("key"):
                    self.report.warn(x.place, f"{x.name}: a key behind the name of a list is not looked at by BIND")
                if x.name not in seen:
                    seen.append(x.name)
                    out += self.servers(self.lists[x.name], body, self.port(), seen)
            elif common.host(x.name):
                server = self.server(x, body, port)
                out += [server] if server else []
            else:
                raise Fault(f"there is no list of primaries {x.name}", x.place)
        return out

    def server(self, x: Statement, body: list[Statement], port: int) -> Server | None:
        address = common.host(x.name) or ""
        if x.after("tls") not in (None, "none"):
            self.report.warn(x.place, f"primary {address} is asked by TLS, which secd does not do: left out")
            return None
        at, key = x.after("port"), x.after("key")
        number = common.port_number(at, x.place) if at else port
        keys = self.of_peer(address, "keys")
        if not key and keys:
            inner = keys.block.body[0].name if keys.block and keys.block.body else ""
            key = inner or keys.word(1)
        transfers = self.of_peer(address, "transfers") or self.find("transfers-per-ns")
        most = int(model.clamp("max-transfers", amount(transfers), transfers.place, self.report)) if transfers else None
        return Server("", (f"{address}@{number}",), self.key_name(key, x.place) if key else None,
                      self.source(address, body), x.place, most)

    def source(self, address: str, body: list[Statement]) -> tuple[str, ...]:
        name = "transfer-source" if common.is4(address) else "transfer-source-v6"
        said = self.find(name, body) if any(s.name == name for s in body) else \
            self.of_peer(address, name) or self.find(name)
        if not said or said.word(1) == "*":
            return ()
        if said.after("port"):
            self.report.warn(said.place, f"{name}: its port is not carried over")
        found = common.host(said.word(1))
        if found is None:
            raise Fault(f"'{said.word(1)}' is no address", said.place)
        return (found,)


def read(paths: list[str], report: Report, view: str | None = None) -> Setup:
    parser = Parser()
    statements = [s for path in paths for s in parser.read(path)]
    for s in statements:
        if isinstance(s.parts[0], Block):
            raise Fault("a block stands here without a name", s.place)
    return Importer(statements, view, report).run()
