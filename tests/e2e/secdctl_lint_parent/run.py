"""secdctl lint finds by a resolver who the parent is, asks it, and tells where its NS differ from the zone's."""
import contextlib
import socket
import threading

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from lab import Lab

ZONE = """$TTL 86400
@ SOA ns1 h 1 3600 600 1209600 300
@ NS ns1
@ NS ns2
ns1 A 127.0.0.1
ns2 A 198.51.100.1
"""
# The parent of all of them but deep.in.test., whose parent's apex is two labels above.
PARENT = """$TTL 86400
@ SOA ns h 1 3600 600 1209600 300
@ NS nobody
@ NS ns
ns A 127.0.0.1
same NS ns2.same
same NS NS1.Same
ns1.same A 127.0.0.1
ns2.same A 198.51.100.1
differs NS ns2.differs
differs NS old.differs
differs NS older.elsewhere.
ns2.differs A 198.51.100.1
old.differs A 198.51.100.9
deep.in NS ns1.deep.in
ns1.deep.in A 127.0.0.1
"""
MANY = "".join(f"many NS ns-{'x' * 50}-{i}.elsewhere.\n" for i in range(30))
DIFFERS = [("parent-only", "old.differs.test. and 1 more: an NS at the parent, but not in the zone"),
           ("parent-lacks", "ns1.differs.test.: an NS in the zone, but not at the parent")]


class Server:
    """Answers by UDP, or not at all."""

    def __init__(self, addr: str = "127.0.0.1", port: int = 0) -> None:
        self.asked: list[str] = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((addr, port))
        self.port = self.sock.getsockname()[1]
        self.addr = f"{addr}@{self.port}"
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_exc) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.sock.getsockname())
        self.thread.join()
        self.sock.close()

    def serve(self) -> None:
        while True:
            data, peer = self.sock.recvfrom(65535)
            if data == b"end":
                return
            with contextlib.suppress(dns.exception.DNSException):
                query = dns.message.from_wire(data)
                q = query.question[0]
                name, kind = q.name.to_text().lower(), dns.rdatatype.to_text(q.rdtype)
                self.asked.append(f"{name} {kind}")
                out = self.answer(query, q, name, kind)
                if out:
                    self.sock.sendto(out.to_wire(), peer)


class Lame(Server):
    """Has another zone, and says that what it is asked for is not in it."""

    def answer(self, query, _q, _name, _kind):
        assert not query.flags & dns.flags.RD
        out = dns.message.make_response(query)
        out.flags |= dns.flags.AA
        out.set_rcode(dns.rcode.NXDOMAIN)
        out.authority.append(dns.rrset.from_text(".", 60, "IN", "SOA", "a. b. 1 2 3 4 5"))
        return out


class Broken(Server):
    """Its referral has an NS that says nothing."""

    def answer(self, query, q, _name, _kind):
        out = dns.message.make_response(query)
        out.authority.append(nothing(q.name))
        return out


def nothing(name) -> dns.rrset.RRset:
    """An NS without RDATA."""
    out = dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.NS)
    out.add(dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.NS, b""), 60)
    return out


class Resolver(Server):
    """Answers from what it was given: (name, type) -> texts (None: never), or a response code for all; anything else has
    no data."""

    def __init__(self) -> None:
        super().__init__()
        self.data = {("test.", "NS"): ["nobody.test.", "ns.test."], ("ns.test.", "A"): ["127.0.0.1"]}
        self.rcode = dns.rcode.NOERROR
        self.broken = False

    def answer(self, query, q, name, kind):
        assert query.flags & dns.flags.RD
        if self.data.get((name, kind), "") is None:
            return None
        out = dns.message.make_response(query, recursion_available=True)
        out.set_rcode(self.rcode)
        texts = self.data.get((name, kind))
        if texts and self.rcode == dns.rcode.NOERROR:
            out.answer.append(dns.rrset.from_text_list(q.name, 300, "IN", kind, texts))
        if self.broken:
            out.answer = [nothing(q.name)]
        return out


def run(lab: Lab) -> None:
    names = ["same.test.", "differs.test.", "nowhere.test.", "deep.in.test.", "many.test.", "both.test."]
    primary = lab.scripted_primary({n: ZONE for n in names})
    secd = lab.secd({n: [primary] for n in names})
    for apex in names:
        secd.wait_serial(apex, 1, 5)
    parent = lab.nsd({"test.": PARENT + MANY, "both.test.": ZONE})
    with Resolver() as resolver:
        compares(secd, parent, resolver)
        among_others(secd, parent, resolver)
        unknown(lab, secd, parent, resolver)
    misused(secd)


def lint(secd, apex: str, resolver, port: int, status: int) -> list[tuple[str, str]]:
    got = secd.ctl_json("lint", apex, "--resolver", resolver.addr, "-P", str(port), status=status)
    return [(a["what"], a["words"]) for a in got["advice"]]


def compares(secd, parent, resolver) -> None:
    assert lint(secd, "same.test", resolver, parent.port, 0) == []
    assert resolver.asked[:1] == ["test. NS"] and "ns.test. A" in resolver.asked, resolver.asked
    assert lint(secd, "differs.test.", resolver, parent.port, 1) == DIFFERS
    assert lint(secd, "nowhere.test.", resolver, parent.port, 1) == [
        ("undelegated", "its parent has no NS for it: resolvers can't find it")]
    resolver.asked.clear()
    assert lint(secd, "deep.in.test.", resolver, parent.port, 1) == [
        ("parent-lacks", "ns2.deep.in.test.: an NS in the zone, but not at the parent")]
    assert resolver.asked[:2] == ["in.test. NS", "test. NS"], resolver.asked
    # A referral that takes TCP.
    said = dict(lint(secd, "many.test.", resolver, parent.port, 1))
    assert " and 29 more" in said["parent-only"] and " and 1 more" in said["parent-lacks"], said
    # For people, each with its RFC.
    out = secd.ctl("lint", "differs.test", "-P", str(parent.port), "--resolver", resolver.addr)
    assert out.returncode == 1 and "RFC 1034 4.2.2" in out.stdout and DIFFERS[1][1] in out.stdout, out


def among_others(secd, parent, resolver) -> None:
    """Servers that are silent, lame or broken are passed over, and when one has said it, nobody is asked any more."""
    addresses = ("ns.test.", "A")
    with Lame("127.0.0.2", parent.port) as lame, Broken("127.0.0.3", parent.port) as broken:
        resolver.data[addresses] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
        tries = 0
        while not (lame.asked and broken.asked):  # they come in any order
            assert lint(secd, "same.test", resolver, parent.port, 0) == []
            assert (tries := tries + 1) < 60
    resolver.data[addresses] = ["127.0.0.1"]
    # One whose address the resolver does not find in time.
    resolver.data["nobody.test.", "A"] = None
    resolver.asked.clear()
    assert lint(secd, "same.test", resolver, parent.port, 0) == []
    assert "ns.test. A" in resolver.asked and "ns.test. AAAA" not in resolver.asked, resolver.asked
    resolver.data.pop(("nobody.test.", "A"))
    # The first of many has said it.
    names = [f"n{i}.test." for i in range(10)]
    resolver.data["test.", "NS"] = names
    resolver.data |= {(n, "A"): ["127.0.0.1"] for n in names}
    resolver.asked.clear()
    assert lint(secd, "same.test", resolver, parent.port, 0) == []
    assert len(resolver.asked) == 2 and resolver.asked[1].endswith(" A"), resolver.asked
    resolver.data["test.", "NS"] = ["nobody.test.", "ns.test."]


def unknown(lab: Lab, secd, parent, resolver) -> None:
    """What is known without the parent is told all the same, and what is missing, on standard error."""
    def says(apex: str, why: str, port: int = parent.port, at: str = resolver.addr) -> None:
        out = secd.ctl("-j", "lint", apex, "--resolver", at, "-P", str(port))
        assert out.returncode == 1 and '"zones":1' in out.stdout and "parent" not in out.stdout, out
        assert "which NS the parent has is not known: " in out.stderr and why in out.stderr, out

    says("both.test", "have the zone themselves, and show its own NS alone")
    addr, port = lab.nobody()
    resolver.data["ns.test.", "A"] = [addr]
    says("same.test", "none of the parent's name servers, asked at 1 address, gives an answer of use",
         port=port)
    says("same.test", f"the resolver {addr}@{port} does not answer", at=f"{addr}@{port}")
    resolver.rcode = dns.rcode.SERVFAIL
    says("same.test", "answers SERVFAIL for test.")
    resolver.rcode = dns.rcode.NOERROR
    resolver.broken = True
    says("same.test", "knows no NS above it")
    resolver.broken = False
    resolver.rcode = dns.rcode.NXDOMAIN
    says("same.test", "knows no NS above it")
    resolver.rcode = dns.rcode.NOERROR
    resolver.data.pop(("ns.test.", "A"))
    says("same.test", "the parent's name servers have no address")


def misused(secd) -> None:
    for words in (["same.test", "--resolver"], ["--resolver", "127.0.0.1"], ["*.test", "--resolver", "127.0.0.1"],
                  ["same.test", "--resolver", "resolver.example"], ["same.test", "--resolver", "127.0.0.1", "--all"],
                  ["same.test", "--resolver", "127.0.0.1", "-P", "0"],
                  ["same.test", "differs.test", "--resolver", "127.0.0.1"]):
        out = secd.ctl("lint", *words)
        assert out.returncode == 2 and "lint NAME --resolver ADDRESS[@PORT]" in out.stderr, (words, out)
    for words in (["*.test", "--parent"], ["same.test", "--all", "--parent"], ["--parent", "same.test"],
                  ["same.test", "--parent", *["a.test"] * 33], ["same.test", "--parent", "a..b"]):
        out = secd.ctl("lint", *words)
        assert out.returncode == 2 and "lint NAME --parent [NS ...]" in out.stderr, (words, out)
    # Who knows it by other ways may say it.
    out = secd.ctl_json("lint", "same.test", "--parent", "NS1.same.test", "ns2.same.test.", status=0)
    assert out["advice"] == [], out
    out = secd.ctl_json("lint", "same.test", "--parent", status=1)
    assert [a["what"] for a in out["advice"]] == ["undelegated"], out
