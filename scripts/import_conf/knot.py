"""Knot DNS: knot.conf(5), and what `knotc conf-export` prints.

The subset of YAML is Knot's own: a line is an item, `key: value`, with a value that is bare, in double
quotes, or a list in brackets on one line. What Knot refuses is refused here."""
from __future__ import annotations

import dataclasses
import pathlib
import re

from . import common, model
from .common import HOLDS_ANY, Fault, Options, Place, Report, read_text, switch, wire_name
from .model import Notifier, Server, Setup, Zone

DEPTH_MAX = 8
ITEM = re.compile(r"(?P<front> *)(?P<dash>- +)?(?P<key>[A-Za-z0-9\\/._*][A-Za-z0-9\\/._*-]*) *:(?P<rest>.*)")
BARE = re.compile(r'(?:[^\s"#\[\],\\]|\\[ -~])+')
QUOTED = re.compile(r'"((?:[^"\\]|\\[ -~])*)"')

SINGLE = {"server", "xdp", "control", "statistics", "database"}
LISTS = {"module", "log", "keystore", "key", "remote", "remotes", "acl", "submission", "policy", "dnskey-sync",
         "external", "template", "zone"}
MULTIPLE = {"listen", "address", "via", "remote", "key", "action", "master", "notify", "acl", "module",
            "global-module", "update-type", "update-owner-name", "catalog-template", "ds-push", "dbus-event",
            "proxy-allowlist", "cert-key", "pin"}

OWN_WAY = "secd has its own way of that"
TO_OTHERS = "nobody can transfer a zone from secd, and it notifies nobody"
FILES = "secd keeps its zones in state-dir"
SIGNS = "secd signs nothing: it serves the zone as its primary signed it"
CATALOG = "catalog zones are not followed"
SERVER_WARN = {
    "edns-client-subnet": "secd ignores the client subnet",
    "proxy-allowlist": "secd does not speak the PROXY protocol",
    "listen-quic": "secd answers no queries by QUIC", "listen-tls": "secd answers no queries by TLS",
    "key-file": "secd answers no queries by TLS or QUIC", "cert-file": "secd answers no queries by TLS or QUIC",
    "dbus-event": "secd sends no D-Bus signals; its log has all events",
}
SERVER_NOTE = {
    **{o: OWN_WAY for o in (
        "rundir", "user", "pidfile", "udp-workers", "tcp-workers", "background-workers", "async-start",
        "tcp-io-timeout", "tcp-reuseport", "tcp-fastopen", "quic-max-clients", "quic-outbuf-max-size",
        "quic-idle-close-timeout", "remote-pool-limit", "remote-pool-timeout", "remote-retry-delay",
        "socket-affinity", "dbus-init-delay", "tcp-remote-io-timeout", "comment")},
    "automatic-acl": "secd takes NOTIFY from each primary of a zone, signed if the primary has a key",
}
ZONE_WARN = {
    "notify": TO_OTHERS, "dnssec-validation": "secd does not validate; see its gates in secd.ini(5)",
    "dnssec-signing": SIGNS, "module": "secd has no modules", "global-module": "secd has no modules",
    "catalog-role": CATALOG, "catalog-zone": CATALOG, "catalog-group": CATALOG, "catalog-template": CATALOG,
    "zonemd-generate": "secd serves the zone as its primary made it",
    "reverse-generate": "secd serves the zone as its primary made it",
    "default-ttl": "secd serves the zone as its primary made it",
}
ZONE_NOTE = {
    **{o: FILES for o in ("storage", "file", "zonefile-sync", "zonefile-load", "zonefile-skip", "journal-content",
                          "journal-max-usage", "journal-max-depth")},
    **{o: "of signing, which is its primary's" for o in ("dnssec-policy", "ds-push", "serial-policy",
                                                         "serial-modulo")},
    **{o: OWN_WAY for o in ("adjust-threads", "comment", "provide-ixfr", "ixfr-benevolent", "ixfr-by-one",
                            "ixfr-from-axfr", "master-pin-tolerance")},
    "semantic-checks": "secd has gates instead, see secd.ini(5)",
    "ddns-master": "secd takes no updates",
}
SECTION_WARN = {"xdp": "secd has no XDP"}
SECTION_NOTE = {
    "log": "secd logs to standard error, syslog or the journal, see [log]",
    "control": "secd has a control socket, see secdctl(8)",
    "statistics": OWN_WAY, "database": FILES,
    **{o: "of signing, which is its primary's" for o in ("keystore", "submission", "policy", "dnskey-sync",
                                                         "external")},
    "module": "secd has no modules",
}
MODULES = {"mod-rrl": "secd limits no rates; where that is needed, it stands in front of it",
           "mod-cookies": "secd has cookies in any case; servers that share an address share cookie-secret"}
POLICY = {f"{timer}-{end}-interval": f"{end}-{timer}" for end in ("min", "max")
          for timer in ("refresh", "retry", "expire")}


@dataclasses.dataclass
class Value:
    text: str
    place: Place


@dataclasses.dataclass
class Block:
    """A section, or one of its entries: item -> its values."""

    kind: str
    ident: str
    place: Place
    items: dict[str, list[Value]] = dataclasses.field(default_factory=dict)

    def all(self, key: str) -> list[Value]:
        return self.items.get(key, [])

    def one(self, key: str) -> Value | None:
        found = self.items.get(key)
        return found[-1] if found else None

    def on(self, key: str) -> bool:
        value = self.one(key)
        return bool(value) and switch(value.text, value.place)


# --- from text to blocks --------------------------------------------------------------------------


def unescape(text: str) -> str:
    """Only a quote's backslash is for the parser; all others are of the value."""
    return re.sub(r"\\(.)", lambda m: '"' if m[1] == '"' else m[0], text)


def datum(text: str, at: int, place: Place) -> tuple[str, int]:
    for pattern in (QUOTED, BARE):
        m = pattern.match(text, at)
        if m:
            return unescape(m[1] if pattern is QUOTED else m[0]), m.end()
    raise Fault("no value can be read here; write a word, a text in double quotes, or a list "
                "[a, b] on one line", place)


def blanks(text: str, at: int) -> int:
    while text[at:at + 1] == " ":
        at += 1
    return at


def values_of(rest: str, place: Place) -> list[Value]:
    """Behind the colon: nothing, a datum or a list, then maybe a comment."""
    if rest and rest[0] != " ":
        raise Fault("a blank must stand behind the colon", place)
    at = blanks(rest, 0)
    out: list[Value] = []
    if at < len(rest) and rest[at] == "[":
        while True:
            text, at = datum(rest, blanks(rest, at + 1), place)
            out.append(Value(text, place))
            at = blanks(rest, at)
            if rest[at:at + 1] not in ("]", ","):
                raise Fault("a list needs ',' between its values and ']' at its end, on one line", place)
            if rest[at] == "]":
                at += 1
                break
    elif at < len(rest) and rest[at] != "#":
        text, at = datum(rest, at, place)
        out.append(Value(text, place))
    end = blanks(rest, at)
    if end < len(rest) and (rest[end] != "#" or end == at):
        raise Fault("something stands behind the value; put double quotes around all of it", place)
    return out


class Reader:
    def __init__(self, report: Report):
        self.report = report
        self.blocks: list[Block] = []
        self.open: list[str] = []

    def read(self, path: str, at: Place | None = None) -> None:
        if path in self.open or len(self.open) > DEPTH_MAX:
            raise Fault(f"{path} includes itself, or files are nested too deeply", at)
        self.open.append(path)
        section: Block | None = None
        indent = dash = 0
        for n, line in enumerate(read_text(path, at).split("\n"), 1):
            place = Place(path, n)
            if not line.strip(" ") or line.lstrip(" ").startswith("#"):
                continue
            m = ITEM.fullmatch(line)
            if not m:
                if "\t" in line:
                    raise Fault("there is a tab in the line; write blanks", place)
                raise Fault("this is no item; write 'key: value'", place)
            column = m.start("key")
            values = [Value(m["rest"].strip(), place)] if m["key"] == "comment" else values_of(m["rest"], place)
            if column == 0:
                section, indent, dash = self.top(m["key"], values, place), 0, 0
            elif section is None:
                raise Fault("this is indented, but stands in no section", place)
            elif m["dash"]:
                if len(m["front"]) != dash and dash and m["front"]:
                    raise Fault("this '-' stands below no other one; indent it like those above", place)
                dash, indent = len(m["front"]), column
                self.entry(section, m["key"], values, place)
            else:
                if indent and column != indent:
                    raise Fault("this line is indented like none above; indent it like those", place)
                indent = column
                self.item(section, m["key"], values, place)
        self.open.pop()

    def top(self, key: str, values: list[Value], place: Place) -> Block | None:
        if key == "include":
            self.include(values, place)
            return None
        if values:
            raise Fault(f"'{key}' is a section, and takes no value", place)
        if key not in SINGLE | LISTS and not key.startswith("mod-"):
            self.report.warn(place, f"{key}: not known here, and not carried over")
        self.blocks.append(Block(key, "", place))
        return self.blocks[-1]

    def include(self, values: list[Value], place: Place) -> None:
        if len(values) != 1:
            raise Fault("include takes one path", place)
        base = pathlib.Path(self.open[-1]).parent
        found = common.included(values[0].text, [base])
        if not found and not common.is_pattern(values[0].text):
            raise Fault(f"{base / values[0].text} can't be found, and is included", place)
        for path in found:
            self.read(path, place)

    def entry(self, section: Block, key: str, values: list[Value], place: Place) -> None:
        if section.kind in SINGLE or len(values) != 1:
            raise Fault(f"an entry of {section.kind} can't begin with '{key}' here", place)
        self.blocks.append(Block(section.kind, values[0].text, place))

    def item(self, section: Block, key: str, values: list[Value], place: Place) -> None:
        block = self.blocks[-1]
        if section.kind in LISTS and not block.ident:
            raise Fault(f"'{key}' stands before the first '- id:' of {section.kind}", place)
        if not values:
            return  # as if it were not there
        if key in MULTIPLE:
            block.items.setdefault(key, []).extend(values)
        elif len(values) > 1:
            raise Fault(f"'{key}' takes one value", place)
        else:
            block.items[key] = values


# --- from blocks to a set-up ----------------------------------------------------------------------


class Importer:
    def __init__(self, blocks: list[Block], report: Report):
        self.report = report
        self.setup = Setup("Knot DNS")
        self.blocks = blocks
        self.by: dict[str, dict[str, Block]] = {}
        self.server_options = Options(report, SERVER_WARN, SERVER_NOTE)
        self.zone_options = Options(report, ZONE_WARN, ZONE_NOTE)

    def run(self) -> Setup:
        for block in self.blocks:
            known = self.by.setdefault(block.kind, {})
            ident = self.fold(block)
            if block.ident and ident in known:
                raise Fault(f"{block.kind} {block.ident} stands here and at {known[ident].place}", block.place)
            known[ident] = block
        for block in self.blocks:
            self.section(block)
        self.listens()
        for block in self.blocks:
            if block.kind == "zone" and block.ident:
                self.zone(block)
        return self.setup

    @staticmethod
    def fold(block: Block) -> str:
        """Names of domains and keys know no case."""
        return model.fold_key(block.ident) if block.kind in ("zone", "key") else block.ident

    def section(self, block: Block) -> None:
        kind = block.kind
        if kind == "server":
            self.server(block)
        elif kind == "key" and block.ident:
            algorithm, secret = block.one("algorithm"), block.one("secret")
            if not algorithm or not secret:
                raise Fault(f"key {block.ident} has no algorithm, or no secret", block.place)
            self.setup.keys[self.fold(block)] = model.make_key(block.ident, algorithm.text, secret.text,
                                                               block.place, self.report)
        elif block.ident:
            pass
        elif kind.startswith("mod-"):
            self.report.warn(block.place, f"{kind}: {MODULES.get(kind, 'secd has no modules')}")
        elif kind in SECTION_WARN:
            self.report.warn(block.place, f"{kind}: {SECTION_WARN[kind]}")
        elif kind in SECTION_NOTE:
            self.report.note(block.place, f"{kind}: {SECTION_NOTE[kind]}")

    def named(self, kind: str, value: Value) -> Block:
        ident = model.fold_key(value.text) if kind == "key" else value.text
        block = self.by.get(kind, {}).get(ident)
        if not block:
            raise Fault(f"there is no {kind} {value.text}", value.place)
        return block

    # --- [server] ---

    def put(self, option: str, value: int, place: Place) -> None:
        self.setup.server[option] = (model.clamp(option, value, place, self.report), place)

    def server(self, block: Block) -> None:
        payload = []
        for key, values in block.items.items():
            value = values[-1]
            if key in ("version", "identity", "nsid"):
                text = model.nsid_text(value.text, value.place, self.report) if key == "nsid" else \
                    model.plain_text(key, value.text, value.place, self.report)
                if text:
                    self.setup.server[key] = (text, value.place)
            elif key == "tcp-idle-timeout":
                self.put("tcp-idle", common.number(value.text, value.place, "smhd"), value.place)
            elif key == "tcp-max-clients":
                self.put("tcp-clients", common.number(value.text, value.place), value.place)
            elif key.startswith("udp-max-payload"):
                payload.append((common.number(value.text, value.place, "BKMG"), value.place))
            elif key == "answer-rotation":
                if switch(value.text, value.place):
                    self.setup.server["rotate"] = ("on", value.place)
            elif key != "listen":
                if key != "edns-client-subnet" or block.on(key):
                    self.server_options.tell(key, value.place)
        if payload:
            self.put("udp-payload", *min(payload, key=lambda p: p[0]))

    def listens(self) -> None:
        for value in (v for b in self.blocks if b.kind == "server" for v in b.all("listen")):
            if value.text.startswith("/"):
                self.report.warn(value.place, f"listen: {value.text}: secd answers on no UNIX socket")
            else:
                self.setup.listen.append((common.endpoint(value.text, value.place), value.place))
        if not self.setup.listen:
            place = next((b.place for b in self.blocks if b.kind == "server"),
                         self.blocks[0].place if self.blocks else Place("knot.conf", 1))
            self.report.warn(place, "listen: there is none, and secd listens on port 53 of all addresses")

    # --- zones ---

    def remotes(self, value: Value) -> list[Block]:
        if value.text in self.by.get("remotes", {}):
            return [self.named("remote", v) for v in self.by["remotes"][value.text].all("remote")]
        return [self.named("remote", value)]

    def addresses(self, remote: Block) -> list[str]:
        out = []
        for value in remote.all("address"):
            if value.text.startswith("/"):
                self.report.warn(value.place, f"remote {remote.ident}: secd asks at no UNIX socket")
            else:
                out.append(common.endpoint(value.text, value.place))
        return out

    def source(self, remote: Block) -> tuple[str, ...]:
        out: dict[bool, str] = {}
        for value in remote.all("via"):
            text, _, port = value.text.partition("@")
            found = common.host(text)
            if found is None:
                raise Fault(f"'{text}' is no address", value.place)
            if port:
                self.report.warn(value.place, "via: its port is not carried over")
            if common.is4(found) in out:
                self.report.warn(value.place, "via: only the first of each family is carried over")
            out.setdefault(common.is4(found), found)
        return tuple(out.values())

    def server_of(self, remote: Block) -> Server | None:
        addresses = self.addresses(remote)
        for how in ("quic", "tls"):
            if remote.on(how):
                self.report.warn(remote.place, f"remote {remote.ident} is asked by {how.upper()}, which secd does "
                                 "not do: left out")
                return None
        if remote.on("no-edns"):
            self.report.warn(remote.place, f"remote {remote.ident}: secd asks with EDNS")
        if not addresses:
            self.report.warn(remote.place, f"remote {remote.ident} has no address, and is left out")
            return None
        key = remote.one("key")
        name = self.named("key", key).ident if key else None
        return Server(remote.ident, tuple(dict.fromkeys(addresses)), name, self.source(remote), remote.place)

    def zone(self, block: Block) -> None:
        zone = Zone(wire_name(block.ident, block.place), block.place)
        template = block.one("template")
        base = self.named("template", template) if template else self.by.get("template", {}).get("default")
        items = {**(base.items if base else {}), **block.items}
        if base:
            zone.hint = base.ident
        if self.left_out(zone, block, items):
            return
        for value in items["master"]:
            zone.servers += [s for s in map(self.server_of, self.remotes(value)) if s]
        for value in items.get("acl", []):
            self.acl(zone, self.named("acl", value))
        for key, values in items.items():
            self.zone_item(zone, key, values[-1])
        self.setup.zones.append(zone)

    def left_out(self, zone: Zone, block: Block, items: dict[str, list[Value]]) -> bool:
        role = items.get("catalog-role")
        if role and role[-1].text == "interpret":
            self.report.warn(block.place, f"zone {zone.text} is left out: it is a catalog, and secd follows none")
            return True
        if not items.get("master"):
            self.report.warn(block.place, f"zone {zone.text} is left out: it is primary there, without a master")
            return True
        return False

    def zone_item(self, zone: Zone, key: str, value: Value) -> None:
        off = {"dnssec-signing": "off", "dnssec-validation": "off", "catalog-role": "none", "zonemd-generate": "none"}
        if key in POLICY:
            amount = common.number(value.text, value.place, "smhdw")
            zone.policy[POLICY[key]] = model.clamp(POLICY[key], amount, value.place, self.report)
        elif key == "zone-max-size":
            amount = common.number(value.text, value.place, "BKMG")
            zone.policy["max-size"] = model.clamp("max-size", amount, value.place, self.report)
        elif key == "zonemd-verify":
            if switch(value.text, value.place):
                zone.policy["zonemd"] = "required"
        elif key in off and value.text.lower() in (off[key], "false", "no"):
            pass
        elif key not in ("master", "acl", "template"):
            self.zone_options.tell(key, value.place)

    def acl(self, zone: Zone, acl: Block) -> None:
        actions = {v.text for v in acl.all("action")}
        if acl.on("deny"):
            self.report.warn(acl.place, f"acl {acl.ident} denies: secd has no exceptions")
            return
        for action, text in (("transfer", TO_OTHERS), ("update", "secd takes no updates")):
            if action in actions:
                self.report.warn(acl.place, f"acl {acl.ident}: {action}: {text}")
        if "query" in actions or not actions:
            self.report.warn(acl.place, f"acl {acl.ident}: query: secd answers everybody")
        if "notify" in actions:
            zone.notifiers += self.notifiers(acl)

    def notifiers(self, acl: Block) -> list[Notifier]:
        out = []
        for value in acl.all("remote"):
            for remote in self.remotes(value):
                key = remote.one("key")
                found = tuple(a.partition("@")[0] for a in self.addresses(remote))
                out.append(Notifier(found, self.named("key", key).ident if key else None, acl.place))
        if out:
            return out
        found = tuple(n for v in acl.all("address") for n in common.networks(v.text, v.place)) or None
        keys = [self.named("key", v).ident for v in acl.all("key")]
        if not keys and found is None:
            found = HOLDS_ANY
        return [Notifier(found, key, acl.place) for key in keys or [None]]


def read(paths: list[str], report: Report) -> Setup:
    reader = Reader(report)
    for path in paths:
        reader.read(path)
    return Importer(reader.blocks, report).run()
