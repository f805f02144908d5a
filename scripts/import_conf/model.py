"""What a secondary is, in the terms of none of them; and how it becomes primaries and groups of secd.

    reader (nsd, knot, bind)  ->  Setup  ->  settle()  ->  Result  ->  write

A reader resolves all names: a Zone has its Servers, in order, and its Notifiers. In secd, who may notify
belongs to a primary, so settle() gives each notifier to a primary of the zone that has its key; primaries
that differ in that are two, though their address be one."""
from __future__ import annotations

import base64
import dataclasses
import re

from .common import HOLDS_ANY, Fault, Place, Report, is_any, name_text

ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
SECRET_MAX = 512  # octets
KEY_TITLE = re.compile(r"[A-Za-z0-9._-]{1,44}")
NAME_MAX = 38  # of a primary or group: a title has 48
TEN_YEARS = 3650 * 86400

# Option of secd -> least, most, its default if a pair of others must stay in order.
RANGES = {
    "min-refresh": (1, TEN_YEARS), "max-refresh": (1, TEN_YEARS), "min-retry": (1, TEN_YEARS),
    "max-retry": (1, TEN_YEARS), "min-expire": (0, TEN_YEARS), "max-expire": (1, TEN_YEARS),
    "max-records": (1, 1 << 32), "max-size": (1, 1 << 40), "max-rrset": (1, 65535),
    "max-rrsets": (1, 65535), "udp-payload": (512, 4096), "tcp-clients": (1, 100000),
    "tcp-idle": (1, 3600), "transfers": (1, 1000), "polls": (1, 10000), "transfer-idle": (1, 3600),
    "transfer-time": (10, 86400), "max-transfers": (1, 1000), "connect-time": (1, 120),
}
PAIRS = (("min-refresh", "max-refresh", 28 * 86400), ("min-retry", "max-retry", 14 * 86400))


@dataclasses.dataclass
class Key:
    name: str
    algorithm: str
    secret: str
    place: Place


@dataclasses.dataclass(frozen=True)
class Server:
    """Somebody who is asked for zones."""

    label: str  # what it is called there, or ""
    addresses: tuple[str, ...]  # addr@port
    key: str | None
    source: tuple[str, ...]
    place: Place = dataclasses.field(compare=False)
    max_transfers: int | None = None


@dataclasses.dataclass(frozen=True)
class Notifier:
    """Who may send NOTIFY: networks, or None for anybody; with this key, or None for none."""

    networks: tuple[str, ...] | None
    key: str | None
    place: Place


@dataclasses.dataclass
class Zone:
    labels: tuple[bytes, ...]
    place: Place
    hint: str = ""  # a name for its group
    servers: list[Server] = dataclasses.field(default_factory=list)
    notifiers: list[Notifier] = dataclasses.field(default_factory=list)
    policy: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def text(self) -> str:
        return name_text(self.labels)


@dataclasses.dataclass
class Setup:
    """All that a reader found."""

    kind: str  # "NSD" ...
    keys: dict[str, Key] = dataclasses.field(default_factory=dict)  # by folded name
    server: dict[str, tuple[str, Place]] = dataclasses.field(default_factory=dict)
    listen: list[tuple[str, Place]] = dataclasses.field(default_factory=list)
    zones: list[Zone] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Primary:
    name: str
    server: Server
    notify_from: tuple[str, ...]


@dataclasses.dataclass
class Group:
    name: str
    primaries: list[Primary]
    policy: dict[str, str]
    zones: list[Zone]


@dataclasses.dataclass
class Result:
    setup: Setup
    keys: list[Key]
    primaries: list[Primary]
    groups: list[Group]


# --- keys -----------------------------------------------------------------------------------------


def fold_key(name: str) -> str:
    return name.lower().rstrip(".")


def make_key(name: str, algorithm: str, secret: str, place: Place, report: Report) -> Key:
    """Raises Fault, which does not repeat the secret."""
    plain = algorithm.lower().rstrip(".")
    plain = "hmac-md5" if plain == "hmac-md5.sig-alg.reg.int" else plain
    cut = re.fullmatch(r"(hmac-(?:md5|sha\d+))-(\d+)", plain)
    if cut:
        report.warn(place, f"key {name}: MACs cut to {cut[2]} bits are not taken: the primary must send whole ones")
        plain = cut[1]
    if plain not in ALGORITHMS:
        raise Fault(f"the algorithm '{algorithm}' of key {name} is not known", place)
    text = "".join(secret.split())
    if not BASE64.fullmatch(text) or not 0 < len(base64.b64decode(text)) <= SECRET_MAX:
        raise Fault(f"the secret of key {name} is no base64 of 1 to {SECRET_MAX} octets", place)
    return Key(name, plain, text, place)


def unusable(key: Key | None, name: str) -> str:
    """Why secd can't hold it, or ""."""
    if key is None:
        return f"its key {name} is not there"
    if not KEY_TITLE.fullmatch(key.name):
        return f"secd.ini can't hold a key of the name {name}: letters, digits, '.', '-' and '_', at most 44"
    return ""


# --- amounts --------------------------------------------------------------------------------------


def clamp(option: str, value: int, place: Place, report: Report) -> str:
    least, most = RANGES[option]
    if least <= value <= most:
        return str(value)
    taken = least if value < least else most
    report.warn(place, f"{option}: {value} is out of secd's range, {taken} is taken")
    return str(taken)


def plain_text(option: str, value: str, place: Place, report: Report) -> str | None:
    """A text that an ini file can hold, or None."""
    if value and len(value) <= 128 and all(" " <= c <= "~" for c in value) and value == value.strip() \
            and value[0] not in ";#" and " ;" not in value:
        return value
    if value:
        report.warn(place, f"{option}: its text can't stand in secd.ini, and is left out")
    return None


def nsid_text(value: str, place: Place, report: Report) -> str | None:
    """0x and hex digits, or a text."""
    if value.startswith("0x"):
        if not re.fullmatch(r"0x(?:[0-9A-Fa-f]{2}){1,128}", value):
            raise Fault("nsid: these are not 1 to 128 pairs of hex digits", place)
        if len(value) < 180:
            return value
        report.warn(place, "nsid: it is too long for a line of secd.ini, and is left out")
        return None
    return plain_text("nsid", value, place, report)


def ordered(policy: dict[str, str]) -> dict[str, str]:
    """A least value above secd's largest by default raises that."""
    out = dict(policy)
    for low, high, default in PAIRS:
        if low in out and int(out[low]) > int(out.get(high, default)):
            out[high] = out[low]
    return dict(sorted(out.items()))


# --- from zones to primaries and groups -----------------------------------------------------------


def own(network: str, server: Server) -> bool:
    return any(network == a.partition("@")[0] for a in server.addresses)


def owner_of(notifier: Notifier, network: str, zone: Zone, report: Report) -> int | None:
    """The primary that this network is to be named with; None: with none, as far as needed told."""
    keys = [s.key and fold_key(s.key) for s in zone.servers]
    for server, key in zip(zone.servers, keys):
        if own(network, server):
            if key and not notifier.key:
                report.warn(notifier.place, f"unsigned NOTIFY of {network} is refused by secd: it has the key "
                            f"{server.key}, and must sign")
            elif notifier.key and key != fold_key(notifier.key):
                report.warn(notifier.place, f"NOTIFY of {network} is taken by secd as its primary signs, "
                            f"{'with ' + server.key if server.key else 'unsigned'}, and not with {notifier.key}")
            return None
    if notifier.key is None:
        if None in keys:
            return keys.index(None)
        report.warn(notifier.place, f"NOTIFY of {network} must be signed with the key "
                    f"{zone.servers[0].key} of its primary: secd refuses it unsigned")
        return 0
    if fold_key(notifier.key) in keys:
        return keys.index(fold_key(notifier.key))
    report.warn(notifier.place, f"NOTIFY of {network} signed with {notifier.key} can't be carried over: no primary "
                "of the zone has this key")
    return None


def by_anybody(notifier: Notifier, zone: Zone, report: Report) -> tuple[str, ...]:
    """Networks of a notifier that names none; with a key of a primary's, secd takes it from anywhere."""
    keys = [s.key and fold_key(s.key) for s in zone.servers]
    if notifier.key and fold_key(notifier.key) in keys:
        return ()
    if notifier.key:
        report.warn(notifier.place, f"NOTIFY signed with {notifier.key} can't be carried over: no primary of the "
                    "zone has this key")
        return ()
    return HOLDS_ANY


def notify_from(zone: Zone, report: Report) -> list[tuple[str, ...]]:
    """For each server of the zone."""
    out: list[set[str]] = [set() for _ in zone.servers]
    for notifier in zone.notifiers:
        found = notifier.networks
        for network in by_anybody(notifier, zone, report) if found is None else found:
            at = owner_of(notifier, network, zone, report)
            if at is not None:
                out[at].add(network)
    return [tuple(sorted(x, key=lambda n: (":" in n, n))) for x in out]


class Names:
    """Of primaries and groups, which share theirs."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def give(self, wanted: str) -> str:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-")[:NAME_MAX].strip("-") or "primary"
        out, n = name, 1
        while out in self.taken:
            n += 1
            out = f"{name[:NAME_MAX - 6]}-{n}"
        self.taken.add(out)
        return out


def address_label(address: str) -> str:
    host, _, port = address.partition("@")
    text = re.sub(r"[:%]", "-", host).strip("-")
    return text if port == "53" else f"{text}-{port}"


def usable_servers(zone: Zone, setup: Setup, report: Report) -> list[Server]:
    """Each once, in order, without those that secd can't ask."""
    out: list[Server] = []
    for server in zone.servers:
        why = unusable(setup.keys.get(fold_key(server.key)), server.key) if server.key else ""
        if any(is_any(a.partition("@")[0]) for a in server.addresses):
            why = "this is the address of no host"
        if why:
            report.warn(server.place, f"primary {', '.join(server.addresses)} is left out: {why}")
        elif server not in out:
            out.append(server)
    return out


def settle(setup: Setup, report: Report) -> Result:
    """Primaries, groups and the keys that are used, named. Raises Fault."""
    names = Names()
    primaries: dict[tuple, Primary] = {}
    groups: dict[tuple, Group] = {}
    seen: dict[tuple[bytes, ...], Place] = {}
    for zone in setup.zones:
        if zone.labels in seen:
            raise Fault(f"zone {zone.text} stands here and at {seen[zone.labels]}; remove one", zone.place)
        seen[zone.labels] = zone.place
        zone.servers = usable_servers(zone, setup, report)
        if not zone.servers:
            report.warn(zone.place, f"zone {zone.text} is left out: it has no primary that secd can ask")
            continue
        chosen = []
        for server, networks in zip(zone.servers, notify_from(zone, report)):
            ident = (server, networks)
            if ident not in primaries:
                name = names.give(server.label or address_label(server.addresses[0]))
                primaries[ident] = Primary(name, server, networks)
            if primaries[ident] not in chosen:
                chosen.append(primaries[ident])
        policy = ordered(zone.policy)
        ident = (tuple(p.name for p in chosen), tuple(policy.items()))
        group = groups.setdefault(ident, Group("", chosen, policy, []))
        group.zones.append(zone)
    for group in groups.values():
        hints = {z.hint for z in group.zones}
        hint = hints.pop() if len(hints) == 1 else ""
        group.name = names.give(hint or f"of-{group.primaries[0].name}")
    used = {fold_key(p.server.key) for p in primaries.values() if p.server.key}
    for folded, key in setup.keys.items():
        if folded not in used:
            report.note(key.place, f"key {key.name} is no primary's, and is left out")
    return Result(setup, [k for f, k in setup.keys.items() if f in used], list(primaries.values()),
                  list(groups.values()))

