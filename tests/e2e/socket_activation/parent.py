"""What a supervisor does: bind sockets, lay them out from descriptor 3 on, say so in the environment, become secd.

    parent.py JSON COMMAND ...

JSON: {"sockets": [["udp" or "tcp", address, port], ...], "share": SO_REUSEPORT?, "env": more of the environment; "PID" in it is
ours, "told": a file that takes the inodes of the sockets}.
"""
import json
import os
import socket
import sys

FIRST = 3
said = json.loads(sys.argv[1])
made = []
for kind, addr, port in said["sockets"]:
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET,
                      socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == "tcp"))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(said["share"]))
    s.bind((addr, port))
    made.append(s)
high = [os.dup(s.fileno()) for s in made]  # out of the way of those below
for i, fd in enumerate(high):
    os.dup2(fd, 100 + i)
for i in range(len(made)):
    os.dup2(100 + i, FIRST + i, inheritable=True)
os.closerange(FIRST + len(made), 200)
with open(said["told"], "w", encoding="ascii") as f:
    f.write(" ".join(str(os.fstat(FIRST + i).st_ino) for i in range(len(made))))
os.environ.update({k: v.replace("PID", str(os.getpid())) for k, v in said["env"].items()})
os.execvp(sys.argv[2], sys.argv[2:])
