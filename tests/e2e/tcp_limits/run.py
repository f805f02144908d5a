"""Neither one TCP client nor all of them get more than their share, and who says nothing goes."""
import time

from lab import Lab
from lab.dnsio import make
from lab.zones import zone


def run(lab: Lab) -> None:
    primary = lab.scripted_primary({"example.": zone()})
    secd = lab.secd({"example.": [primary]},
                    server_opts={"tcp-clients": 8, "tcp-per-client": 3, "tcp-idle": "2s"})
    secd.wait_serial("example.", 1, 5)
    ask = make("example.", "SOA").to_wire()

    def answered(conn) -> bool:
        try:
            conn.send(ask)
            return conn.recv() is not None
        except ConnectionError:
            return False

    def opened(source: str, n: int) -> list:
        return [secd.tcp(source=source) for _ in range(n)]

    mine = opened("127.0.0.1", 3)
    assert all(answered(c) for c in mine)
    assert not answered(secd.tcp()), "a fourth connection of one client"
    others = opened("127.0.0.2", 3)
    assert all(answered(c) for c in others), "another client must get through"
    more = opened("127.0.0.3", 2)
    assert all(answered(c) for c in more)
    # All places are taken: the connection that has rested longest makes room (RFC 7766 6.2.3).
    ninth = secd.tcp(source="127.0.0.4")
    assert answered(ninth)
    lab.wait(lambda: mine[0].closed(0.05), 2, "the one that rested longest is closed")
    assert all(answered(c) for c in (*mine[1:], *others, *more, ninth))

    # Who says nothing goes after tcp-idle, and so does who never ends his query.
    began = time.monotonic()
    others[0].sock.sendall(b"\0")
    closed = {id(c): None for c in others}

    def all_closed() -> bool:
        for c in others:
            if closed[id(c)] is None and c.closed(0.01):
                closed[id(c)] = time.monotonic() - began
        return all(closed.values())

    lab.wait(all_closed, 2 + 3 * secd.slow, "idle connections are closed")
    assert min(closed.values()) > 1.5, f"closed too early: {closed}"
    assert answered(secd.tcp()), "served again"
    assert secd.rcode("www.example.") == "NOERROR"
