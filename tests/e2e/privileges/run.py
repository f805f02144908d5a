"""Started as root, secd goes on as a user of its own, all threads of it, with the right to bind low ports alone; a reload binds more; what is closed to that user is told."""
import base64
import errno
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from lab import Lab, dnsio
from lab.secd import check_config
from lab.zones import zone

WHO = "nobody"
BIND = 1 << 10  # CAP_NET_BIND_SERVICE
KEY = ("k.", "hmac-sha256", base64.b64encode(b"a secret in a file").decode())
TAKEN = {errno.EADDRINUSE, errno.EACCES}


def low_port(lab: Lab, addr: str) -> int:
    """One that only the privileged may bind, and nobody has."""
    for port in lab.rng.sample(range(200, 1024), 300):
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind((addr, port))
            return port
        except OSError as e:
            assert e.errno in TAKEN, e
    raise AssertionError("no low port is free")


def run(lab: Lab) -> None:
    unsaid(lab)
    if os.geteuid() != 0:
        print("skipped: only root can become another", flush=True)
        return
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    primary = lab.scripted_primary({"example.": zone(serial=1), "more.test.": zone("more.test.", 1)},
                                   key=KEY)
    secd = start(lab, primary)
    becomes(lab, secd, workers=2, low=low)
    more(lab, secd, primary, low)
    again(lab, secd, primary)
    closed(lab, secd)
    not_his(lab, secd)


def unsaid(lab: Lab) -> None:
    """Who is root says as whom it goes on, and who is not becomes nobody else."""
    primary = lab.scripted_primary({"example.": zone()})
    root = os.geteuid() == 0
    secd = lab.secd({"example.": [primary]}, start=False, user="" if root else "root")
    why = secd.start_fails().keys["why"]
    assert ("write user = secd" in why and "user = root" in why) if root \
        else why.startswith("user is root, group root, but this is "), why
    said = check_config(secd.path, secd.ini)
    assert said.returncode == 0 and f"warning: {why}" in said.stderr, said
    secd.user = "no-such-user"
    secd.write_ini()
    assert secd.start_fails().keys["why"].startswith("there is no user no-such-user"), secd.tail()
    assert check_config(secd.path, secd.ini).returncode == 1
    assert not secd.state.exists()
    secd.user = "root" if root else ""
    secd.write_ini()
    secd.start()
    secd.wait_serial("example.", 1, 5)
    status = pathlib.Path(f"/proc/{secd.child.pid}/status").read_text()
    assert f"Uid:\t{os.geteuid()}\t" in status and not secd.logged("privileges dropped"), status
    secd.stop()


def start(lab: Lab, primary):
    """State and socket are made for it in directories that are root's; all that it reads, it may read again."""
    secd = lab.secd({"example.": [primary]}, listen=[("127.0.0.7", low_port(lab, "127.0.0.7"))],
                    start=False, user=WHO)
    write(secd, workers=2)
    key = secd.dir / "k.key"
    key.write_text(KEY[2] + "\n")
    os.chown(key, 0, pwd.getpwnam(WHO).pw_gid)
    key.chmod(0o640)
    secd.start()
    secd.wait_serial("example.", 1, 5)
    return secd


def write(secd, workers: int) -> None:
    secd.write_ini(primary_opts={"key": "k"}, workers=workers,
                   ini_extra="\n[key k]\nalgorithm = hmac-sha256\nsecret-file = k.key\n")
    secd.ini.write_text(secd.ini.read_text().replace("control = secd", "control = run/secd"))


def ask(secd, *words: str) -> dict:
    return secd.ctl_json("-s", str(secd.dir / "run/secd.sock"), *words)


def becomes(lab: Lab, secd, workers: int, low: int) -> None:
    """By what the kernel says of each thread."""
    who = pwd.getpwnam(WHO)
    tasks = list(pathlib.Path(f"/proc/{secd.child.pid}/task").iterdir())
    said = [dict(line.split(":\t", 1) for line in (t / "status").read_text().splitlines()
                 if ":\t" in line) for t in tasks]
    names = [s["Name"] for s in said]
    assert names.count("secd-worker") == workers and len(names) > workers + 2, names
    for s in said:
        assert s["Uid"].split() == [str(who.pw_uid)] * 4, s
        assert s["Gid"].split() == [str(who.pw_gid)] * 4, s
        assert sorted(map(int, s["Groups"].split())) == sorted(os.getgrouplist(WHO, who.pw_gid)), s
        for kind, want in {"Eff": BIND, "Prm": BIND, "Inh": 0, "Bnd": 0, "Amb": 0}.items():
            assert int(s[f"Cap{kind}"], 16) == want, (kind, s)
        assert s["NoNewPrivs"] == "1", s
    line = secd.lines("privileges dropped")[-1]
    assert line.keys["user"] == WHO and line.keys["uid"] == str(who.pw_uid), line.text
    for addr, port in secd.listen:
        assert port < 1024 and (port < low or low == 0), (port, low)
        for tcp in (False, True):
            assert dnsio.serial(addr, port, "example.", tcp=tcp) == 1
    for path in (secd.state, *secd.state.iterdir(), secd.dir / "run", secd.dir / "run/secd.sock"):
        assert (path.stat().st_uid, path.stat().st_gid) == (who.pw_uid, who.pw_gid), path
    assert secd.dir.stat().st_uid == 0


def more(lab: Lab, secd, primary, low: int) -> None:
    """A reload reads the secret again, binds low ports, and adds workers to addresses that are bound."""
    secd.listen.append(("127.0.0.8", low_port(lab, "127.0.0.8")))
    secd.zones["more.test."] = [primary]
    write(secd, workers=4)
    got = ask(secd, "reload")
    assert got["added"] == 1 and got["restart"] is None and not secd.logged("settings partly"), got
    secd.wait_serial("more.test.", 1, 5)
    becomes(lab, secd, workers=4, low=low)
    for addr, port in secd.listen:
        for _ in range(30):  # all workers
            assert dnsio.serial(addr, port, "more.test.") == 1
    write(secd, workers=1)
    ask(secd, "reload")
    for addr, port in secd.listen:
        for _ in range(30):
            assert dnsio.serial(addr, port, "more.test.") == 1
    secd.user = "root"
    write(secd, workers=1)
    ask(secd, "reload")
    assert secd.lines("settings partly")[-1].keys["restart"] == "user", secd.tail()
    secd.user = WHO


def again(lab: Lab, secd, primary) -> None:
    """What it has saved it finds again, and goes on with."""
    write(secd, workers=2)
    primary.stop()
    secd.restart()
    secd.wait_serial("more.test.", 1, 5)
    primary.start()
    primary.set_zone("example.", zone(serial=2))
    ask(secd, "refresh", "example.")
    secd.wait_serial("example.", 2, 5)
    secd.stop()
    given = secd.dir / "given.zone"
    given.write_text(zone(serial=3))
    given.chmod(0o644)
    got = secd.offline("--import", f"example.={given}")
    assert got.returncode == 0, got
    assert all(p.stat().st_uid == pwd.getpwnam(WHO).pw_uid for p in secd.state.iterdir())


def told(secd, what: str) -> None:
    """By -t, with the line; and it does not start."""
    said = check_config(secd.path, secd.ini)
    assert said.returncode == 1 and what in said.stderr and "sound" not in said.stdout, said
    live = subprocess.run([secd.path, "-t", "--live", "-c", secd.ini], capture_output=True, text=True, timeout=60,
                          check=False, cwd=secd.dir)
    assert live.returncode == 1 and what in live.stderr and not live.stdout, live
    secd.expect_error("settings fault")
    assert secd.start_fails().keys["why"].startswith(f"closed to user {WHO}: 1 of"), secd.tail()
    assert what in secd.lines("settings fault")[-1].keys["text"], secd.tail()


def closed(lab: Lab, secd) -> None:
    """Files that a reload could not read, a state that is root's, no place for the socket."""
    assert check_config(secd.path, secd.ini).returncode == 0
    for path, mode in ((secd.ini, 0o600), (secd.dir / "k.key", 0o600)):
        was = path.stat().st_mode
        path.chmod(mode)
        told(secd, f"{path} can't be read by user {WHO}")
        path.chmod(was)
    for path, what in ((secd.state, "state-dir"), (next(secd.state.glob("log-*")), "by its file log-"),
                       (secd.dir / "run", "can't make the control socket")):
        was = path.stat()
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)
        told(secd, what)
        os.chown(path, was.st_uid, was.st_gid)
        path.chmod(was.st_mode)
    secd.start()
    secd.wait_serial("example.", 3, 5)
    secd.stop()


def not_his(lab: Lab, secd) -> None:
    """-t makes nothing, and a start hands over nothing that was there."""
    shutil.rmtree(secd.state)
    assert check_config(secd.path, secd.ini).returncode == 0 and not secd.state.exists()
    secd.state.mkdir(mode=0o755)
    told(secd, "state-dir")
    assert secd.state.stat().st_uid == 0 and not list(secd.state.iterdir())
    secd.state.rmdir()
    secd.start()
    secd.wait_serial("example.", 2, 5)
