"""delv validates what secd serves of NSEC, NSEC3 and opt-out zones, positive, negative, wildcard and at cuts; and not what was spoiled."""
from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "differential"))

import signing  # noqa: E402

TIME_LIMIT = 120
ZONE = """$TTL 300
@ IN SOA ns host 7 3600 600 864000 300
@ IN NS ns
ns IN A 192.0.2.1
www IN A 192.0.2.2
deep.ent IN TXT "below an empty non-terminal"
*.wild IN A 192.0.2.3
*.wildent.x IN MX 10 www
alias IN CNAME www
walias IN CNAME y.wild
moved IN DNAME other
www.other IN A 192.0.2.4
secure IN NS ns.secure
ns.secure IN A 192.0.2.5
insecure IN NS ns.insecure
ns.insecure IN A 192.0.2.6
insecure.only.cuts IN NS ns.insecure
"""
CHILD = """$TTL 300
@ IN SOA ns host 7 3600 600 864000 300
@ IN NS ns
ns IN A 192.0.2.7
www IN A 192.0.2.8
"""
GOOD, NONE, UNSIGNED = "fully validated", "negative response, fully validated", "unsigned answer"
NONE_UNSIGNED = "negative response, unsigned answer"
BOGUS = "not validated"

QUESTIONS = [
    ("@ SOA", GOOD), ("@ NS", GOOD), ("@ DNSKEY", GOOD), ("www A", GOOD), ("WWW A", GOOD), ("alias A", GOOD),
    ("x.wild A", GOOD), ("a.b.wild A", GOOD), ("walias A", GOOD), ("www.moved A", GOOD),
    ("www AAAA", NONE), ("@ AAAA", NONE), ("ent A", NONE), ("wild A", NONE), ("missing A", NONE),
    ("a.b.missing A", NONE), ("below.www A", NONE), ("missing.ent A", NONE), ("x.wild AAAA", NONE),
    ("z.wildent.x A", NONE), ("secure DS", GOOD), ("www.secure A", GOOD), ("www.secure AAAA", NONE),
    ("missing.secure A", NONE), ("insecure DS", NONE), ("www.insecure A", UNSIGNED),
    ("missing.insecure A", NONE_UNSIGNED), ("cuts A", NONE), ("www.insecure.only.cuts A", UNSIGNED),
]
# Where a span of opt-out covers the name, an unsigned cut may be there, and what a wildcard gives
# for it is not secure (RFC 5155 12.2).
OPT_OUT = {"x.wild A": UNSIGNED, "a.b.wild A": UNSIGNED, "walias A": f"{GOOD} and {UNSIGNED}"}
# Of the spoiled zone: what was changed after it had been signed, and what was not.
SPOILED = [("www A", BOGUS), ("missing A", BOGUS), ("www AAAA", BOGUS), ("x.wild A", BOGUS),
           ("x.wild AAAA", BOGUS), ("ns A", GOOD), ("www.other A", BOGUS), ("alias CNAME", GOOD)]


class Zones:
    """The zones' files, and delv's trust anchors."""

    def __init__(self, directory: pathlib.Path):
        directory.mkdir()
        self.dir = directory
        self.keys = signing.Keys(directory / "keys")
        self.files: dict[str, pathlib.Path] = {}
        self.anchors: dict[str, str] = {}

    def add(self, apex: str, text: str, how: signing.Signing | None) -> None:
        path = self.dir / f"{apex}zone"
        path.write_text(f"$ORIGIN {apex}\n{text}", encoding="ascii")
        self.files[apex] = signing.sign(path, apex, how, self.keys) if how else path

    def key_file(self, apex: str) -> pathlib.Path:
        """That of the key-signing key."""
        return next(p for p in sorted((self.dir / f"{apex}keys").glob("K*.key"))
                    if "DNSKEY 257" in re.sub(r"\s+", " ", p.read_text()))

    def ds(self, apex: str) -> str:
        return signing.run(["dnssec-dsfromkey", "-2", str(self.key_file(apex))])

    def anchor(self, apex: str) -> pathlib.Path:
        words = re.search(r"DNSKEY\s+257 3 (\d+) (.+)", self.key_file(apex).read_text())
        path = self.dir / f"{apex}anchor"
        path.write_text(f'trust-anchors {{ "{apex}" static-key 257 3 {words[1]} '
                        f'"{words[2].replace(" ", "")}"; }};\n')
        return path


def spoil(text: str) -> str:
    """An address, a wildcard's and another one changed; every NSEC says that there are no types."""
    for was, now in (("192.0.2.2", "192.0.2.222"), ("192.0.2.3", "192.0.2.223"), ("192.0.2.4", "192.0.2.224")):
        assert re.search(re.escape(was) + r"\n", text)
        text = re.sub(re.escape(was) + r"\n", now + "\n", text)
    text, n = re.subn(r"(\sNSEC\s+\S+) [^\n(]*\n", r"\1 RRSIG NSEC\n", text)
    assert n > 10, "no NSEC was spoiled"
    return text


def delv(secd, anchor: pathlib.Path, apex: str, question: str) -> str:
    """What delv finds; the log of its validation when it finds a fault."""
    name, qtype = question.split(" ")
    name = apex if name == "@" else f"{name}.{apex}"
    got = subprocess.run(["delv", "-4", f"@{secd.addr}", "-p", str(secd.port), "-a", str(anchor),
                          f"+root={apex}", name, qtype], check=False, capture_output=True, text=True,
                         timeout=30, stdin=subprocess.DEVNULL)
    told = re.findall(r"^; ((?:negative response, )?(?:fully validated|unsigned answer))", got.stdout, re.M)
    if told and ";; resolution failed" not in got.stdout:
        return told[0] if len(set(told)) == 1 else " and ".join(told)
    if told and told[0].startswith("negative"):
        return told[0]
    faults = got.stdout + got.stderr
    if re.search(r"resolution failed: .*(RRSIG failed to verify|broken trust chain|no valid|insecurity proof)",
                 faults):
        return BOGUS
    return f"something else: {faults}"


def run(lab) -> None:
    zones = Zones(lab.dir / "zones")
    kinds = {
        "nsec.test.": signing.Signing("dnssec-signzone", (13,), False, False, False, "-", 0),
        "nsec3.test.": signing.Signing("ldns-signzone", (8,), False, True, False, "aabbccdd", 5),
        "opt-out.test.": signing.Signing("dnssec-signzone", (15,), False, True, True, "-", 0),
    }
    for apex, how in kinds.items():
        zones.add(f"secure.{apex}", CHILD, dataclasses.replace(how, opt_out=False))
        zones.add(f"insecure.{apex}", CHILD, None)
        zones.add(f"insecure.only.cuts.{apex}", CHILD, None)
        zones.add(apex, ZONE + zones.ds(f"secure.{apex}"), how)
    zones.add("spoiled.test.", ZONE, kinds["nsec.test."])
    spoiled = zones.files["spoiled.test."]
    spoiled.write_text(spoil(spoiled.read_text()))
    primary = lab.nsd(zones.files)
    secd = lab.secd({apex: [primary] for apex in zones.files})
    for apex in zones.files:
        secd.wait_serial(apex, 7, 10)
    asked = [(apex, q, OPT_OUT.get(q, want) if how.opt_out else want) for apex, how in kinds.items()
             for q, want in QUESTIONS]
    asked += [("spoiled.test.", q, want) for q, want in SPOILED]
    anchors = {apex: zones.anchor(apex) for apex in [*kinds, "spoiled.test."]}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda a: delv(secd, anchors[a[0]], a[0], a[1]), asked))
    wrong = [f"{q} of {apex}: {got}, not {want}" for (apex, q, want), got in zip(asked, found) if got != want]
    assert not wrong, "\n".join(wrong)
    # The other zone's key must not do.
    got = delv(secd, wrong_anchor(zones, "nsec.test.", "nsec3.test."), "nsec.test.", "www A")
    assert got == BOGUS, f"with another zone's key: {got}"


def wrong_anchor(zones: Zones, apex: str, other: str) -> pathlib.Path:
    """An anchor for apex with the key of another zone."""
    path = zones.dir / "wrong-anchor"
    path.write_text(zones.anchor(other).read_text().replace(other, apex))
    return path
