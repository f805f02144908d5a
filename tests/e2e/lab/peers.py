"""Real primaries: knotd, NSD, BIND's named, YADIFA, PowerDNS, each with a private configuration."""
from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess

from . import dnsio

START_TRIES = 3
CONTROL_SECRET = "c2VjZCBlbmQtdG8tZW5kIHRlc3RzLCBubyBzZWNyZXQ="


class Primary:
    """A name server of somebody else that is a zone's primary. name says which."""

    name = ""

    def __init__(self, lab, zones, notify, *, addr: str = "127.0.0.1", extra: str = "",
                 zone_extra: str = "", key: tuple[str, str, str] | None = None):
        """extra goes to the end of the configuration (Knot: before its zones), zone_extra into
        each zone's. key (name, algorithm, secret in base64) signs NOTIFYs; who asks may sign with
        it."""
        self.lab = lab
        self.addr = addr
        self.port = lab.port(addr)
        self.notify = notify
        self.key = key
        self.dir: pathlib.Path = lab.dir / lab.unique(self.name)
        self.dir.mkdir()
        self.dir.chmod(0o777)
        self.zones: dict[str, pathlib.Path] = {}
        self.extra, self.zone_extra = extra, zone_extra
        self.child = None
        for i, (apex, content) in enumerate(zones.items()):
            path = self.dir / f"z{i}.zone"
            self._put(path, content)
            self.zones[apex] = path
        self.configure()

    @staticmethod
    def _put(path: pathlib.Path, content) -> None:
        """Text with a line break is content; anything else is the path of a file."""
        new = path.with_suffix(".new")
        if isinstance(content, pathlib.Path) or "\n" not in content:
            shutil.copyfile(content, new)
        else:
            new.write_text(content, encoding="utf-8")
        new.replace(path)

    # Each kind fills these in.
    def configure(self) -> None:
        raise NotImplementedError

    def argv(self) -> list[str]:
        raise NotImplementedError

    def reload(self, apex: str) -> None:
        """Have it load the zone's file anew, and tell those it knows."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, unless it runs; wait_ready() tells when it answers."""
        if self.child and self.child.alive():
            return
        self.lab.release(self.port)
        self.child = self.lab.spawn(self.argv(), self.dir / "log", cwd=self.dir)

    def wait_ready(self, deadline_s: float = 15) -> None:
        """Until every zone is served (the last one stands for all when there are many)."""
        tries = START_TRIES
        apexes = list(self.zones)
        probe = apexes if len(apexes) <= 20 else apexes[-1:]

        def ready() -> bool:
            nonlocal tries
            if not self.child.alive():
                tries -= 1
                assert tries, f"{self.name} does not start:\n{self.child.text()[-2000:]}"
                self.start()
                return False
            return all(dnsio.serial(self.addr, self.port, a, timeout=0.5) is not None
                       for a in probe)

        self.lab.wait(ready, deadline_s, f"{self.name} ready")

    def stop(self) -> None:
        """SIGTERM, and gone when this returns."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL for it and its children."""
        self._end(signal.SIGKILL)

    def _end(self, sig: int) -> None:
        if not self.child:
            return
        if sig == signal.SIGTERM:
            self.child.signal(sig)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                pass
        self.child.kill_group()

    def update(self, apex: str, content) -> None:
        """Load new content for a zone; the server itself sends NOTIFY to those it knows."""
        self._put(self.zones[apex], content)
        self.reload(apex)

    def control(self, *argv: str) -> str:
        got = subprocess.run(argv, cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=20, check=False)
        assert got.returncode == 0, f"{' '.join(argv)}: {got.stdout}{got.stderr}"
        return got.stdout

    def query(self, name, rdtype="A", **opts):
        return dnsio.ask(self.addr, self.port, name, rdtype, **opts)

    def serial(self, apex: str) -> int | None:
        return dnsio.serial(self.addr, self.port, apex)


# Of Knot: what "dnssec-policy: nsec" and "nsec3" say.
KNOT_SIGNS = """\
policy:
  - id: nsec3
    nsec3: on
    nsec3-iterations: 3
    nsec3-salt-length: 4
    single-type-signing: on
  - id: nsec
    single-type-signing: on
"""


class Knot(Primary):
    name = "knot"

    def configure(self) -> None:
        out = ["server:", f"    rundir: {self.dir}", f"    listen: {self.addr}@{self.port}",
               "    udp-workers: 1", "    tcp-workers: 2", "    background-workers: 2",
               "log:", "  - target: stderr", "    any: info",
               "control:", f"    listen: {self.dir}/ctl",
               "database:", f"    storage: {self.dir}/db", "    journal-db-max-size: 64M",
               "    kasp-db-max-size: 16M", "    timer-db-max-size: 16M"]
        name, algorithm, secret = self.key or ("", "", "")
        if name:
            out += ["key:", f"  - id: {name}", f"    algorithm: {algorithm}",
                    f"    secret: {secret}"]
        out += ["acl:", "  - id: local", "    address: [127.0.0.0/8, ::1]", "    action: transfer"]
        if name:
            out += ["  - id: signed", f"    key: {name}", "    action: transfer"]
        if self.notify:
            out.append("remote:")
            for i, (addr, port) in enumerate(self.notify):
                out += [f"  - id: n{i}", f"    address: {addr}@{port}"]
                out += [f"    key: {name}"] if name else []
        out += self.extra.splitlines()
        out += ["template:", "  - id: default", f"    storage: {self.dir}",
                "    acl: [local, signed]" if name else "    acl: local",
                "    zonefile-sync: -1"]
        if self.notify:
            out.append("    notify: [" + ", ".join(f"n{i}" for i in range(len(self.notify))) + "]")
        out += [f"    {line}" for line in self.zone_extra.splitlines()]
        out.append("zone:")
        for apex, path in self.zones.items():
            quoted = apex.replace("\\", "\\\\").replace('"', '\\"')
            out += [f'  - domain: "{quoted}"', f"    file: {path.name}"]
        (self.dir / "db").mkdir()
        (self.dir / "knot.conf").write_text("\n".join(out) + "\n")

    def argv(self) -> list[str]:
        return ["knotd", "-c", str(self.dir / "knot.conf")]

    def reload(self, apex: str) -> None:
        self.control("knotc", "-c", str(self.dir / "knot.conf"), "-b", "zone-reload", apex)


class Nsd(Primary):
    name = "nsd"

    def configure(self) -> None:
        out = ["server:", f"    ip-address: {self.addr}@{self.port}", "    server-count: 1",
               '    username: ""', f'    zonesdir: "{self.dir}"', f'    pidfile: "{self.dir}/pid"',
               f'    xfrdfile: "{self.dir}/xfrd.state"', f'    xfrdir: "{self.dir}"',
               f'    zonelistfile: "{self.dir}/zone.list"', '    database: ""', "    verbosity: 1",
               "    reuseport: no", "    tcp-count: 200",
               "remote-control:", "    control-enable: yes",
               f"    control-interface: {self.dir}/ctl"]
        name, algorithm, secret = self.key or ("NOKEY", "", "")
        if self.key:
            out += ["key:", f'    name: "{name}"', f"    algorithm: {algorithm}",
                    f'    secret: "{secret}"']
        for apex, path in self.zones.items():
            out += ["zone:", f'    name: "{apex}"', f'    zonefile: "{path.name}"',
                    "    provide-xfr: 127.0.0.0/8 NOKEY", "    provide-xfr: ::1 NOKEY"]
            if self.key:
                out += [f"    provide-xfr: 127.0.0.0/8 {name}", f"    provide-xfr: ::1 {name}"]
            for addr, port in self.notify:
                out.append(f"    notify: {addr}@{port} {name}")
            out += [f"    {line}" for line in self.zone_extra.splitlines()]
        (self.dir / "nsd.conf").write_text("\n".join(out) + "\n" + self.extra)

    def argv(self) -> list[str]:
        return ["nsd", "-d", "-c", str(self.dir / "nsd.conf")]

    def reload(self, apex: str) -> None:
        self.control("nsd-control", "-c", str(self.dir / "nsd.conf"), "reload", apex)


class Named(Primary):
    name = "named"

    def configure(self) -> None:
        self.control_port = self.lab.port("127.0.0.1")
        control = ('key "ctl" { algorithm hmac-sha256; '
                   f'secret "{CONTROL_SECRET}"; }};')
        v6 = ":" in self.addr
        name, algorithm, secret = self.key or ("", "", "")
        signed = f' key "{name}"' if name else ""
        key = control
        if name:
            key += f'\nkey "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};'
        out = [key, "options {", f'  directory "{self.dir}";', f'  pid-file "{self.dir}/pid";',
               f'  session-keyfile "{self.dir}/session.key";',
               f'  managed-keys-directory "{self.dir}";',
               f"  listen-on{'-v6' if v6 else ''} port {self.port} {{ {self.addr}; }};",
               f"  listen-on{'' if v6 else '-v6'} {{ none; }};",
               "  recursion no;", "  dnssec-validation no;", "  empty-zones-enable no;",
               "  allow-transfer { 127.0.0.0/8; ::1; };", "  notify-delay 0;",
               "  notify-rate 1000;", "  startup-notify-rate 1000;", "  transfers-out 200;"]
        if self.notify:
            out += ["  notify explicit;", "  also-notify { "
                    + " ".join(f"{a} port {p}{signed};" for a, p in self.notify) + " };"]
        else:
            out.append("  notify no;")
        out += ["};", f"controls {{ inet 127.0.0.1 port {self.control_port} "
                'allow { 127.0.0.1; } keys { "ctl"; }; };']
        for apex, path in self.zones.items():
            out.append(f'zone "{apex}" {{ type primary; file "{path.name}"; {self.zone_extra} }};')
        (self.dir / "named.conf").write_text("\n".join(out) + "\n" + self.extra)
        (self.dir / "rndc.conf").write_text(
            f'{control}\noptions {{ default-key "ctl"; default-server 127.0.0.1; '
            f"default-port {self.control_port}; }};\n")

    def argv(self) -> list[str]:
        self.lab.release(self.control_port)
        return ["named", "-g", "-n", "1", "-c", str(self.dir / "named.conf")]

    def reload(self, apex: str) -> None:
        self.control("rndc", "-c", str(self.dir / "rndc.conf"), "reload", apex)


class Yadifa(Primary):
    """YADIFA. It takes differences from updates alone, and adds a file's to no journal."""

    name = "yadifa"

    def configure(self) -> None:
        for sub in ("data", "keys", "logs", "xfr"):
            (self.dir / sub).mkdir()
        name, algorithm, secret = self.key or ("", "", "")
        signed = f" key {name}" if name else ""
        to = ",".join(f"{addr} port {port}{signed}" for addr, port in self.notify)
        keys = [("ctl", "hmac-sha256", CONTROL_SECRET)] + ([self.key] if name else [])
        out = ["<main>", "    daemon off", "    chroot off", f"    logpath {self.dir}/logs",
               f"    pidfile {self.dir}/pid", f"    datapath {self.dir}/data",
               f"    keyspath {self.dir}/keys", f"    xfrpath {self.dir}/xfr",
               f"    user {os.getuid()}", f"    group {os.getgid()}",
               f"    port {self.port}", f"    listen {self.addr}", "    statistics off",
               "    thread-count-by-address 1", "    allow-transfer any", "    allow-control any",
               "    max-tcp-queries 200", "</main>", "<rrl>", "    enabled false", "</rrl>",
               "<channels>", "    errors STDERR", "</channels>",
               "<loggers>", "    * * errors", "</loggers>"]
        for key in keys:
            out += ["<key>", f"    name {key[0]}", f"    algorithm {key[1]}",
                    f"    secret {key[2]}", "</key>"]
        for apex, path in self.zones.items():
            out += ["<zone>", f"    domain {apex}", f"    file {path}", "    type primary",
                    "    notify-auto false"]
            out += [f"    also-notify {to}"] if to else []
            out += [*(f"    {line}" for line in self.zone_extra.splitlines()), "</zone>"]
        (self.dir / "yadifad.conf").write_text("\n".join(out) + "\n" + self.extra)

    def argv(self) -> list[str]:
        return ["yadifad", "--nodaemon", "-c", str(self.dir / "yadifad.conf")]

    def reload(self, apex: str) -> None:
        self.control("yadifa", "ctrl", "-s", f"{self.addr} port {self.port}",
                     "-y", f"hmac-sha256:ctl:{CONTROL_SECRET}", "-t", "reload", "-q", apex)


class Pdns(Primary):
    """PowerDNS on zone files. It answers IXFR with the whole zone."""

    name = "pdns"

    def configure(self) -> None:
        (self.dir / "named.conf").write_text(
            f'options {{ directory "{self.dir}"; }};\n'
            + "".join(f'zone "{apex}" {{ type master; file "{path}"; }};\n'
                      for apex, path in self.zones.items()))
        to = ",".join(f"[{a}]:{p}" if ":" in a else f"{a}:{p}" for a, p in self.notify)
        out = ["launch=bind", f"bind-config={self.dir}/named.conf", "bind-check-interval=0",
               f"bind-dnssec-db={self.dir}/keys.db", f"local-address={self.addr}",
               f"local-port={self.port}", "primary=yes", "allow-axfr-ips=127.0.0.0/8,::1",
               "only-notify=127.0.0.0/8,::1", f"also-notify={to}", "xfr-cycle-interval=1",
               f"socket-dir={self.dir}", "daemon=no", "guardian=no", "disable-syslog=yes",
               "write-pid=no", "cache-ttl=0", "query-cache-ttl=0", "negquery-cache-ttl=0",
               "zone-cache-refresh-interval=0", "dname-processing=yes", "receiver-threads=1",
               "distributor-threads=1"]
        (self.dir / "pdns.conf").write_text("\n".join(out) + "\n" + self.extra)
        self._util("create-bind-db", str(self.dir / "keys.db"))
        if self.key:
            self._util("import-tsig-key", *self.key)
            for apex in self.zones:
                self._util("set-meta", apex, "TSIG-ALLOW-AXFR", self.key[0])

    def _util(self, *argv: str) -> None:
        self.control("pdnsutil", f"--config-dir={self.dir}", *argv)

    def argv(self) -> list[str]:
        return ["pdns_server", f"--config-dir={self.dir}"]

    def reload(self, apex: str) -> None:
        self.control("pdns_control", f"--config-dir={self.dir}", "bind-reload-now", apex)
        self.control("pdns_control", f"--config-dir={self.dir}", "notify", apex)
