"""The root, and zones with long labels, blanks, dots and bytes in their names, are served."""
import dns.name

from lab import Lab
from lab.dnsio import compare
from lab.zones import zone

LONG = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 57]) + "."  # 251 of 255 octets
NAMES = [".", "test.", "with\\032blank.test.", "dot\\.in.test.", "semi\\;colon.test.",
         "\\000\\255.test.", "back\\\\slash.test.", "UPPER.test.", "0/25.2.0.192.in-addr.arpa.",
         "*.test.", "=.test.", LONG]


def run(lab: Lab) -> None:
    texts = {n: f"$ORIGIN {n}\n$TTL 300\n@ SOA . . 3 3600 600 86400 300\n@ NS ns.other.test.\n"
                f"w A 192.0.2.{i}\n" for i, n in enumerate(NAMES)}
    texts["test."] = zone("test.", 3)
    honest = lab.nsd(texts)
    primary = lab.scripted_primary(texts)
    secd = lab.secd({n: [primary] for n in NAMES})
    for n in NAMES:
        secd.wait_serial(n, 3, 5)
    asked = [(dns.name.from_text(n), t) for n in NAMES for t in ("SOA", "NS", "A")]
    # Not below test.: there NSD takes the zone *.test. for a wildcard of it.
    asked += [(dns.name.Name((b"w", *dns.name.from_text(n).labels)), "A")
              for n in NAMES if n != "test."]
    asked += [("nowhere.", "A"), ("x.y.nowhere.", "MX"), ("child.upper.test.", "A")]
    compare(secd, honest, asked)
    assert secd.rcode("w.test.", "A") == "NXDOMAIN"
