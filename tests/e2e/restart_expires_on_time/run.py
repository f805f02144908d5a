"""EXPIRE runs on over a restart and while nobody runs, and what has expired stays so until a primary confirms it."""
import threading
import time

from lab import Lab, dnsio, state
from lab.zones import zone

TIME_LIMIT = 90
SANITIZED = False
EXPIRE = 5
SHORT, LONG = "short.test.", "long.test."


class Hold:
    """What is answered for SHORT from the first answer on, in a thread."""

    def __init__(self, secd):
        self.secd, self.rcodes = secd, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                r = dnsio.ask(self.secd.addr, self.secd.port, "www." + SHORT, timeout=0.2)
            except (TimeoutError, ConnectionError):
                continue
            self.rcodes.append((time.time(), int(r.rcode())))

    def stop(self) -> list[tuple[float, int]]:
        self._stop.set()
        self._thread.join()
        return self.rcodes


def expires(secd) -> float:
    return secd.ctl_json("zone", SHORT)["held"]["expires"]


def fresh(secd, primary) -> float:
    """It is served and its clocks are on the disk; the primary goes: when it expires."""
    primary.start()
    secd.ctl("refresh", SHORT)
    secd.wait_serial(SHORT, 1, 10 * secd.slow)
    count = secd.logged("zone current", zone=SHORT)
    secd.wait_log("zone current", 10 * secd.slow, count=count + 1, zone=SHORT)
    primary.stop()
    secd.wait_log("zone unrefreshed", 10 * secd.slow, zone=SHORT,
                  count=secd.logged("zone unrefreshed", zone=SHORT) + 1)
    return expires(secd)


def until(lab: Lab, moment: float) -> None:
    lab.wait(lambda: time.time() >= moment, 20, "the moment")


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({SHORT: zone(SHORT, refresh=1, retry=1, expire=EXPIRE),
                                    LONG: zone(LONG, refresh=1, retry=1)})
    secd = lab.secd({SHORT: [primary], LONG: [primary]},
                    group_opts={"min-refresh": 1, "min-retry": 1, "min-expire": 2})
    for end in (secd.kill, secd.stop):
        secd.wait_serial(LONG, 1, 10)
        at_its_instant(lab, secd, primary, end)
        stays_expired(lab, secd, end)
        while_down(lab, secd, primary, end)
        primary.start()
        secd.wait_log("zone fresh", 10 * secd.slow, zone=SHORT,
                      count=secd.logged("zone fresh", zone=SHORT) + 1)
        assert secd.rcode("www." + SHORT) == "NOERROR"


def at_its_instant(lab: Lab, secd, primary, end) -> None:
    instant = fresh(secd, primary)
    until(lab, instant - EXPIRE / 2)
    assert secd.rcode("www." + SHORT) == "NOERROR"
    end()
    secd.start()
    state.wait_loaded(lab, secd)
    assert abs(expires(secd) - instant) <= state.CLOCKS_S, (expires(secd), instant)
    assert secd.rcode("www." + SHORT) == "NOERROR"
    secd.wait_rcode("www." + SHORT, "A", "SERVFAIL", EXPIRE * 2)
    late = time.time() - instant
    print(f"expired {late:+.3f} s off its instant after {end.__name__}")
    assert abs(late) <= 1
    secd.wait_log("zone expired", 1, zone=SHORT)
    assert secd.rcode("www." + LONG) == "NOERROR"


def stays_expired(lab: Lab, secd, end) -> None:
    """Over a restart; also at once, when nothing but the moment says so."""
    for _ in range(2):
        end()
        hold = Hold(secd)
        secd.start()
        state.wait_loaded(lab, secd)
        until(lab, time.time() + 0.5)
        never_answered(hold.stop())
        assert secd.ctl_json("zone", SHORT)["state"] == "expired"
        assert secd.rcode("www." + LONG) == "NOERROR"


def while_down(lab: Lab, secd, primary, end) -> None:
    instant = fresh(secd, primary)
    assert time.time() < instant - 1
    end()
    until(lab, instant + 0.05)
    hold = Hold(secd)
    secd.start()
    count = secd.logged("zone expired", zone=SHORT)
    state.wait_loaded(lab, secd)
    until(lab, time.time() + 0.5)
    never_answered(hold.stop())
    assert secd.rcode("www." + LONG) == "NOERROR"
    assert secd.logged("zone expired", zone=SHORT) >= max(count, 1)
    assert abs(expires(secd) - instant) <= state.CLOCKS_S


def never_answered(rcodes: list[tuple[float, int]]) -> None:
    assert rcodes and {rcode for _at, rcode in rcodes} == {2}, rcodes[:5]
