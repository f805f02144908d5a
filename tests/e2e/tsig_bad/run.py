"""However the signatures of a transfer are broken, nothing of it is served, the log says in which way, and it heals."""
import base64
import re
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

import dns.message
import dns.tsig

from lab import Lab, dnsio
from lab.dnsio import differ
from lab.scripted import Plain, notify_wire
from lab.tsig import unsigned_error
from lab.zones import zone

SECRET = base64.b64encode(b"a secret of secd's tests, no secret").decode()
KEY = ("transfer", "hmac-sha256", SECRET)
NOTAUTH = 9


class Bad(NamedTuple):
    steps: Callable
    why: str


def messages(r, count: int) -> list[bytes]:
    """The zone in so many messages at least."""
    records = r.records + r.records[:1]
    return [r.answer(records[:1]), *[r.answer([x]) for x in records[1:-1]],
            *[r.answer(records[1:2])] * max(0, count - len(records)), r.answer(records[-1:])]


def signing(which: Callable[[int, int], bool], count: int = 3) -> Callable:
    """Messages of which some are signed."""
    def steps(r):
        signer, out = r.signer(), []
        msgs = messages(r, count)
        for i, m in enumerate(msgs):
            out.append(Plain(signer.sign(m) if which(i, len(msgs) - 1) else signer.skip(m)))
        return out
    return steps


def one(at: int, **wrong) -> Callable:
    """All are signed, the one at that place in another way."""
    def steps(r):
        signer = r.signer()
        msgs = messages(r, 3)
        return [Plain(signer.sign(m, **(wrong if i == at % len(msgs) else {})))
                for i, m in enumerate(msgs)]
    return steps


def changed(at: int) -> Callable:
    """An octet of a message is another than the one that was signed."""
    def steps(r):
        signer = r.signer()
        msgs = messages(r, 3)
        out = [bytearray(signer.sign(m)) for m in msgs]
        out[at][len(msgs[at]) - 1] ^= 1  # of the RDATA of its last record
        return [Plain(bytes(m)) for m in out]
    return steps


def swapped(r) -> list:
    signer = r.signer()
    out = [Plain(signer.sign(m)) for m in messages(r, 4)]
    out[1], out[2] = out[2], out[1]
    return out


def twice(r) -> list:
    signer = r.signer()
    msg = r.answer(r.records + r.records[:1])
    return [Plain(signer.sign(signer.sign(msg)))]


def refusal(error: int) -> Callable:
    return lambda r: [Plain(unsigned_error(r.answer(rcode=NOTAUTH), KEY, error))]


def bad_time(r) -> list:
    now = int(time.time()) + 4000
    other = struct.pack("!HI", now >> 32, now & 0xffffffff)
    return [Plain(r.signer().sign(r.answer(rcode=NOTAUTH), error=18, other=other))]


CASES = {
    "none-signed": Bad(signing(lambda i, last: False), "not signed"),
    "first-unsigned": Bad(signing(lambda i, last: i > 0), "not signed"),
    "last-unsigned": Bad(signing(lambda i, last: i < last), "not signed"),
    "hundred-unsigned": Bad(signing(lambda i, last: i in (0, 101, last), 130), "unsigned|not signed"),
    "forged-first": Bad(one(0, forge=True), "MAC"),
    "forged-second": Bad(one(1, forge=True), "MAC"),
    "forged-last": Bad(one(-1, forge=True), "MAC"),
    "changed-first": Bad(changed(0), "MAC"),
    "changed-second": Bad(changed(1), "MAC"),
    "swapped": Bad(swapped, "MAC"),
    "clock-behind": Bad(one(0, skew=-4000), "4000 s|3999 s|4001 s"),
    "clock-ahead": Bad(one(1, skew=4000), "4000 s|3999 s|4001 s"),
    "cut-mac": Bad(one(0, cut=16), "MAC|truncated"),
    "empty-mac": Bad(one(0, cut=0), "."),
    "other-algorithm": Bad(one(0, algorithm="hmac-sha512"), "algorithm"),
    "other-name": Bad(one(0, name="other."), "key"),
    "two-tsigs": Bad(twice, "."),
    "badkey": Bad(refusal(17), "BADKEY|does not know"),
    "badsig": Bad(refusal(16), "BADSIG|wrong"),
    "badtime": Bad(bad_time, "4000 s|3999 s|4001 s"),
    "bare-refusal": Bad(lambda r: [Plain(r.answer(rcode=5))], "not signed"),
}


def run(lab: Lab) -> None:
    apexes = {f"{what}.tsig.test.": case for what, case in CASES.items()}
    fine = "ninety-nine.tsig.test."
    primary = lab.scripted_primary({a: zone(a, serial=1) for a in (*apexes, fine)}, key=KEY)
    secd = lab.secd({a: [primary] for a in (*apexes, fine)},
                    group_opts={"min-retry": "1h"},
                    server_opts={"transfer-idle": 2},
                    ini_extra="[key transfer]\nalgorithm = hmac-sha256\n"
                              f"secret = {SECRET}\n[primary scripted1]\nkey = transfer\n")
    for apex in (*apexes, fine):
        secd.wait_serial(apex, 1, 10)

    def asked(apex):
        return [(apex, "SOA"), ("www." + apex, "A")]

    before = {apex: [secd.query(*q) for q in asked(apex)] for apex in apexes}
    steps = {apex: case.steps for apex, case in apexes.items()}
    steps[fine] = signing(lambda i, last: i in (0, 100, last), 130)
    primary.on("IXFR", lambda r: [Plain(r.signer().sign(r.answer(rcode=4)))])
    primary.on("AXFR", lambda r: steps[r.apex](r))
    wrong = []
    for apex in (*apexes, fine):
        primary.set_zone(apex, zone(apex, serial=2))
        primary_notify(primary, secd, apex)
    secd.wait_serial(fine, 2, 10)
    for apex, case in apexes.items():
        line = secd.wait_log("xfr failed", 10 * secd.slow, zone=apex)
        if not re.search(case.why, line.keys["why"]):
            wrong.append(f"{apex}: {line.text}")
        for q, was in zip(asked(apex), before[apex]):
            if differ(was, secd.query(*q)):
                wrong.append(f"{apex} {q} was changed")
    assert not wrong, "\n".join(wrong)

    primary.on("AXFR", None)
    for apex in apexes:
        primary_notify(primary, secd, apex)
        secd.wait_serial(apex, 2, 10 * secd.slow)


def primary_notify(primary, secd, apex: str) -> None:
    """A NOTIFY that is signed, as one of a primary with a key must be."""
    q = dns.message.from_wire(notify_wire(apex, 2))
    key = dns.tsig.Key(KEY[0], KEY[2], KEY[1])
    q.use_tsig({key.name: key}, key.name)
    dnsio.udp_raw(secd.addr, secd.port, q.to_wire())
