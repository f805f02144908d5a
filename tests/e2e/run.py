#!/usr/bin/python3
"""Run the end-to-end scenarios: all of them, or those named.

    tests/e2e/run.py [-j N] [--seed S] [--soak] [--zones N] [--sizes] [--list] [SCENARIO ...]

A scenario is a folder with a run.py whose docstring is the sentence that it proves and which
has run(lab). It may say TIME_LIMIT = seconds (60), ALONE = True (nothing runs beside it), and
SOAK = True (only with --soak), and SANITIZED = False (it waits, and does not crowd memory: under a
sanitizer only with --soak, or by name). SECD in the environment is the binary (build/secd).
"""
from __future__ import annotations

import argparse
import ast
import concurrent.futures
import functools
import importlib.util
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
GRACE_S = 5  # for a scenario to clean up after its time

running: set[subprocess.Popen] = set()


def find() -> dict[str, dict]:
    """Scenario name -> its settings, read without running it."""
    out = {}
    for path in sorted(HERE.glob("**/run.py")):
        if path.parent == HERE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        if not any(isinstance(n, ast.FunctionDef) and n.name == "run" for n in tree.body):
            continue
        said = {"TIME_LIMIT": 60, "ALONE": False, "SOAK": False, "SANITIZED": True}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) \
                    and node.targets[0].id in said:
                said[node.targets[0].id] = ast.literal_eval(node.value)
        said["path"] = path
        said["doc"] = (ast.get_docstring(tree) or "").split("\n")[0]
        out[str(path.parent.relative_to(HERE))] = said
    return out


def run_here(name: str, path: pathlib.Path, seed: int, soak: bool) -> int:
    """Run one scenario in this process."""
    def stop(_sig, _frame):
        raise KeyboardInterrupt("time is up")

    signal.signal(signal.SIGTERM, stop)
    from lab import Lab
    spec = importlib.util.spec_from_file_location("scenario", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(1, str(path.parent))
    spec.loader.exec_module(module)
    try:
        with Lab(name, seed, soak) as lab:
            print(f"dir: {lab.dir}", flush=True)
            module.run(lab)
    except (Exception, KeyboardInterrupt):  # whatever it was, it is told and counted
        traceback.print_exc(file=sys.stdout)
        return 1
    return 0


def sweep(out: str) -> None:
    """After a scenario had to be killed: end what works in its directory."""
    from lab.procs import kill_in
    for line in out.splitlines():
        if line.startswith("dir: "):
            kill_in(pathlib.Path(line[5:]))


@functools.cache
def slow() -> bool:
    """Is secd built with a sanitizer?"""
    from lab.secd import default_path, sanitized
    return default_path().exists() and sanitized(default_path())


def run_apart(name: str, said: dict, seed: int, soak: bool) -> tuple[bool, float, str]:
    """Run one scenario in a process of its own, within its time."""
    argv = [sys.executable, str(HERE / "run.py"), "--seed", str(seed), "--here", name]
    if soak:
        argv.append("--soak")
    limit = said["TIME_LIMIT"] * (5 if soak else 1) * (3 if slow() else 1)
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                             process_group=0)
        running.add(p)
        killed = ""
        try:
            p.wait(limit)
        except subprocess.TimeoutExpired:
            killed = f"over its time limit of {limit} s\n"
            p.terminate()
        finally:
            try:
                p.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                log.seek(0)
                sweep(log.read())
            running.discard(p)
        log.seek(0)
        out = log.read()
    return p.returncode == 0 and not killed, time.monotonic() - began, killed + out


def usual(known: dict[str, dict], soak: bool) -> list[str]:
    """What runs when nothing is named."""
    from lab.secd import default_path, sanitized
    slow = sanitized(default_path()) if default_path().exists() else False
    return [n for n, s in known.items()
            if soak or not s["SOAK"] and (s["SANITIZED"] or not slow)]


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("scenarios", nargs="*")
    ap.add_argument("-j", type=int, default=2, metavar="N", help="so many at once (2)")
    ap.add_argument("--seed", type=int, help="of all that is random; printed at the start")
    ap.add_argument("--soak", action="store_true", help="the long ones too, and longer")
    ap.add_argument("--zones", type=int, metavar="N", help="so many zones for differential")
    ap.add_argument("--sizes", action="store_true",
                    help="differential also wants answers no larger than Knot's")
    ap.add_argument("--list", action="store_true", help="say what each proves, run nothing")
    ap.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = ap.parse_args()

    all_known = find()
    if args.zones:
        os.environ["DIFFERENTIAL_ZONES"] = str(args.zones)
        all_known["differential"]["TIME_LIMIT"] += 3 * args.zones
    if args.sizes:
        os.environ["DIFFERENTIAL_SIZES"] = "1"
    wanted = [s.rstrip("/") for s in args.scenarios]
    wanted = [os.path.relpath(w, HERE) if pathlib.Path(w, "run.py").exists() else w
              for w in wanted]
    names = []
    for w in wanted or usual(all_known, args.soak):
        below = [n for n in all_known if n == w or n.startswith(w + "/")]
        if not below:
            ap.error(f"no scenario {w}")
        names += [n for n in below if n not in names]
    if args.list:
        for n in names:
            print(f"{n:24} {all_known[n]['doc']}")
        return 0
    seed = random.SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    if args.here:
        return run_here(names[0], all_known[names[0]]["path"], seed, args.soak)

    print(f"seed {seed}", flush=True)
    failed = []

    def tell(name: str, result: tuple[bool, float, str]) -> None:
        good, took, out = result
        print(f"{'ok  ' if good else 'FAIL'} {name:28} {took:5.1f} s  {all_known[name]['doc']}",
              flush=True)
        if not good:
            failed.append(name)
            print("     " + "\n     ".join(out.rstrip().split("\n")[-60:]), flush=True)

    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.default_int_handler)
    began = time.monotonic()
    together = [n for n in names if not all_known[n]["ALONE"]]
    together.sort(key=lambda n: -all_known[n]["TIME_LIMIT"])  # the long ones first
    pool = concurrent.futures.ThreadPoolExecutor(max(1, args.j))
    try:
        runs = {pool.submit(run_apart, n, all_known[n], seed, args.soak): n for n in together}
        for done in concurrent.futures.as_completed(runs):
            tell(runs[done], done.result())
        for n in names:
            if all_known[n]["ALONE"]:
                tell(n, pool.submit(run_apart, n, all_known[n], seed, args.soak).result())
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for p in list(running):
            p.terminate()
        pool.shutdown(wait=True)
        print("interrupted", flush=True)
        return 130
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed "
          f"in {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
