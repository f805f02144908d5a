"""A zone becomes signed, its chain becomes another, and it is unsigned again: each time secd proves just what Knot proves."""
import subprocess

from lab import Lab
from lab.dnsio import compare
from lab.zones import RICH, questions, zone

APEX = "example."
MORE = """\
*.alias2 CNAME www
insecure NS ns.elsewhere.test.
below.only.insecure2 NS ns.elsewhere.test.
""" + "sub DS 1 13 2 " + 64 * "0" + "\n"
ASKED = [("x.alias2", "A"), ("x.y.alias2", "TXT"), ("x.insecure", "A"), ("insecure", "DS"),
         ("insecure2", "A"), ("only.insecure2", "A"), ("x.only.insecure2", "A"),
         ("x.below.only.insecure2", "A"), ("sub", "DS"), ("@", "DS"), ("@", "DNSKEY"),
         ("@", "NSEC3PARAM"), ("@", "NSEC"), ("www", "NSEC"), ("a.b.c.absent", "A"),
         ("nx.ent", "A"), ("x.www", "A")]
STEPS = [  # how each version is signed: options of ldns-signzone, None for not at all
    ("unsigned", None),
    ("NSEC", []),
    ("NSEC3 with a salt", ["-n", "-s", "abcd", "-t", "3"]),
    ("NSEC3 with another", ["-n", "-s", "00ff00ff", "-t", "1"]),
    ("NSEC3 with opt-out", ["-n", "-p", "-t", "0"]),
    ("NSEC again", []),
    ("unsigned again", None),
]


def version(lab: Lab, serial: int, how: list[str] | None) -> str:
    plain = lab.dir / f"{serial}.zone"
    plain.write_text(zone(APEX, serial, extra=RICH + MORE), encoding="utf-8")
    if how is None:
        return plain.read_text()
    key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", APEX], cwd=lab.dir,
                         check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["ldns-signzone", *how, "-o", APEX, "-f", f"{serial}.signed", plain.name, key],
                   cwd=lab.dir, check=True)
    return (lab.dir / f"{serial}.signed").read_text()


def run(lab: Lab) -> None:
    port = lab.port()
    knot = lab.knot({APEX: version(lab, 1, STEPS[0][1])}, notify=[("127.0.0.1", port)])
    secd = lab.secd({APEX: [knot]}, listen=port)
    asked = questions(APEX) + [(f"{name}.{APEX}" if name != "@" else APEX, rdtype)
                               for name, rdtype in ASKED]
    for serial, (what, how) in enumerate(STEPS, 1):
        if serial > 1:
            knot.update(APEX, version(lab, serial, how))
        secd.wait_serial(APEX, serial, 5 * secd.slow)
        signatures = secd.query("nothing.here." + APEX, do=True).authority
        assert any("RRSIG" in str(x) for x in signatures) == (how is not None), what
        print(what, flush=True)
        compare(secd, knot, asked, do=True)
        compare(secd, knot, asked)
