"""TSIG (RFC 8945) by hand, so that it can be made wrong in any way."""
from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time

from . import wire

HASHES = {"hmac-md5": hashlib.md5, "hmac-sha1": hashlib.sha1, "hmac-sha224": hashlib.sha224,
          "hmac-sha256": hashlib.sha256, "hmac-sha384": hashlib.sha384,
          "hmac-sha512": hashlib.sha512}


def algorithm_name(algorithm: str) -> bytes:
    return wire.name("hmac-md5.sig-alg.reg.int." if algorithm == "hmac-md5" else algorithm + ".")


class Signer:
    """Signs the messages of one answer, in order. key is (name, algorithm, secret in base64)."""

    def __init__(self, key: tuple[str, str, str], request_mac: bytes):
        self.key = key
        self.mac = request_mac
        self.waiting = b""  # unsigned messages since the last signed one
        self.first = True

    def skip(self, msg: bytes) -> bytes:
        """Leave a message unsigned."""
        self.waiting += msg
        return msg

    def sign(self, msg: bytes, *, skew: int = 0, error: int = 0, other: bytes = b"",
             forge: bool = False, cut: int | None = None, name: str | None = None,
             algorithm: str | None = None) -> bytes:
        """The message with its TSIG. skew: seconds that the clock is off; forge: another secret;
        cut: octets of the MAC that are left; name, algorithm: others than the key's."""
        key_name, own, secret = self.key
        alg = algorithm or own
        owner = wire.name(name or key_name)
        when = int(time.time()) + skew
        timers = struct.pack("!HIH", when >> 32, when & 0xffffffff, 300)
        variables = (owner + struct.pack("!HI", 255, 0) + algorithm_name(alg) + timers
                     + struct.pack("!HH", error, len(other)) + other)
        data = (struct.pack("!H", len(self.mac)) + self.mac + self.waiting + msg
                + (variables if self.first else timers))
        raw = base64.b64decode(secret)
        mac = hmac.new(b"x" + raw if forge else raw, data, HASHES[alg]).digest()[:cut]
        self.mac, self.waiting, self.first = mac, b"", False
        rdata = (algorithm_name(alg) + timers + struct.pack("!H", len(mac)) + mac + msg[:2]
                 + struct.pack("!HH", error, len(other)) + other)
        return with_additional(msg, owner + struct.pack("!HHIH", 250, 255, 0, len(rdata)) + rdata)


def with_additional(msg: bytes, record: bytes) -> bytes:
    count = struct.unpack("!H", msg[10:12])[0]
    return msg[:10] + struct.pack("!H", count + 1) + msg[12:] + record


def unsigned_error(msg: bytes, key: tuple[str, str, str], error: int) -> bytes:
    """An answer whose TSIG has an error and no MAC (RFC 8945 5.2)."""
    now = int(time.time())
    rdata = (algorithm_name(key[1]) + struct.pack("!HIHH", now >> 32, now & 0xffffffff, 300, 0)
             + msg[:2] + struct.pack("!HH", error, 0))
    return with_additional(msg, wire.name(key[0]) + struct.pack("!HHIH", 250, 255, 0, len(rdata))
                           + rdata)
