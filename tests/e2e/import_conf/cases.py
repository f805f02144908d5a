"""Tables: configurations, and what secd-import-conf makes of them.

Each case is (what it shows, text, lines of secd.ini or of the list that must be there, what is told). A fault
is (what it shows, text, what is said)."""

KEY = "c2VjcmV0IG9mIG5vYm9keQ=="

NSD_KEY = f'key:\n name: "k.example"\n algorithm: sha256\n secret: "{KEY}"\n'
NSD = [
    ("the least", "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\n",
     ["[primary 192.0.2.1]", "address = 192.0.2.1", "[group of-192.0.2.1]", "primaries = 192.0.2.1",
      "a.test = of-192.0.2.1 ; @:2"], []),
    ("all on one line", 'server: ip-address: 192.0.2.9 port: 5353 zone: name: "a.test" request-xfr: AXFR '
     "192.0.2.1@54 NOKEY\n",
     ["listen = 192.0.2.9@5353", "address = 192.0.2.1@54", "[primary 192.0.2.1-54]"],
     ["note: request-xfr: AXFR: secd asks for IXFR where it can"]),
    ("a port for all addresses", "server:\n port: 5353\n do-ip6: no\nzone:\n name: a.test\n"
     " request-xfr: 192.0.2.1 NOKEY\n", ["listen = 0.0.0.0@5353"], []),
    ("key, several primaries in order, IPv6, sources",
     NSD_KEY + "zone:\n name: a.test\n request-xfr: 2001:DB8:0::2 K.example.\n request-xfr: 192.0.2.1 NOKEY\n"
     " outgoing-interface: 192.0.2.53\n outgoing-interface: 2001:db8::53\n",
     ["[key k.example]", "algorithm = hmac-sha256", f"secret = {KEY}", "[primary 2001-db8--2]",
      "address = 2001:db8::2", "source = 2001:db8::53", "key = K.example.",
      "primaries = 2001-db8--2, 192.0.2.1", "source = 192.0.2.53"], []),
    ("patterns in patterns share a group",
     "pattern:\n name: base\n request-xfr: 192.0.2.1 NOKEY\n min-refresh-time: 90\n"
     "pattern:\n name: 'cust omers'\n include-pattern: base\n allow-notify: 198.51.100.0/25 NOKEY\n"
     "zone:\n name: a.test\n include-pattern: 'cust omers'\nzone:\n name: b.test\n include-pattern: 'cust omers'\n",
     ["[group cust-omers]", "min-refresh = 90", "notify-from = 198.51.100.0/25", "a.test = cust-omers ; @:10",
      "b.test = cust-omers ; @:13"], []),
    ("NOTIFY from a mask, a range, and with a port",
     "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\n allow-notify: 192.0.2.1 NOKEY\n"
     " allow-notify: 10.1.2.0&255.255.255.0 NOKEY\n allow-notify: 10.2.0.0-10.2.0.5 NOKEY\n"
     " allow-notify: 10.3.0.7/16@54 NOKEY\n allow-notify: 10.9.9.9 BLOCKED\n",
     ["notify-from = 10.1.2.0/24, 10.2.0.0/30, 10.2.0.4/31, 10.3.0.0/16"],
     ["allow-notify: secd does not look at the port", "10.9.9.9 BLOCKED: secd has no exceptions"]),
    ("who may notify differs: the primary is two",
     "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\nzone:\n name: b.test\n request-xfr: 192.0.2.1 NOKEY\n"
     " allow-notify: 10.0.0.1 NOKEY\n", ["[primary 192.0.2.1]", "[primary 192.0.2.1-2]", "notify-from = 10.0.0.1"], []),
    ("keys of NOTIFY", NSD_KEY + f"key:\n name: other\n algorithm: hmac-sha512\n secret: {KEY}\n"
     "zone:\n name: a.test\n request-xfr: 192.0.2.1 k.example\n allow-notify: 192.0.2.1 NOKEY\n"
     " allow-notify: 10.0.0.1 k.example\n allow-notify: 10.0.0.2 NOKEY\n allow-notify: 10.0.0.3 other\n",
     ["notify-from = 10.0.0.1, 10.0.0.2"],
     ["@:12: warning: unsigned NOTIFY of 192.0.2.1 is refused", "NOTIFY of 10.0.0.2 must be signed",
      "NOTIFY of 10.0.0.3 signed with other can't be carried over", "note: key other is no primary's"]),
    ("odd names go to the list", 'zone:\n name: "od d\\032x.test."\n request-xfr: 192.0.2.1 NOKEY\n'
     "zone:\n name: a=b;c.test\n request-xfr: 192.0.2.1 NOKEY\nzone:\n name: .\n request-xfr: 192.0.2.1 NOKEY\n"
     "zone:\n name: x#y:z.test\n request-xfr: 192.0.2.1 NOKEY\nzone:\n name: 0/25.2.0.192.in-addr.arpa\n"
     " request-xfr: 192.0.2.1 NOKEY\n",
     ["od\\032d\\032x.test of-192.0.2.1 ; @:2", "a\\061b\\059c.test of-192.0.2.1 ; @:5", ". = of-192.0.2.1 ; @:8",
      "x\\035y\\058z.test of-192.0.2.1 ; @:11", "0/25.2.0.192.in-addr.arpa = of-192.0.2.1 ; @:14",
      "zone-list = secd.zones"], []),
    ("what has no counterpart", "server:\n rrl-ratelimit: 100\n verbosity: 2\n nonsense: 1\n ip-address: eth0\n"
     "remote-control:\n control-enable: yes\ndnstap:\n dnstap-enable: yes\n"
     "zone:\n name: p.test\n zonefile: p\nzone:\n name: a.test\n zonefile: a\n request-xfr: 192.0.2.1 NOKEY\n"
     " provide-xfr: 0.0.0.0/0 NOKEY\n allow-query: 10.0.0.0/8 NOKEY\n allow-axfr-fallback: no\n"
     " notify: 192.0.2.9 NOKEY\n",
     ["; Not carried over, or not as it was:", "; @:2: warning: rrl-ratelimit: secd limits no rates; where that is"],
     ["@:2: warning: rrl-ratelimit: secd limits no rates", "@:3: note: verbosity: ", "@:4: warning: nonsense: not known",
      "@:5: warning: ip-address: eth0 is no address", "@:6: note: remote-control", "@:8: warning: dnstap",
      "@:11: warning: zone p.test is left out: it is primary there", "note: zonefile: secd keeps its zones",
      "warning: provide-xfr: nobody", "warning: allow-query: secd answers everybody",
      "warning: allow-axfr-fallback", "warning: notify: nobody"]),
    ("texts and numbers", 'server:\n version: "v 1"\n identity: me\n hide-identity: yes\n nsid: ascii_ns1\n'
     " tcp-count: 50\n server-count: 4\n tcp-timeout: 7200\n ipv4-edns-size: 1400\n ipv6-edns-size: 1300\n"
     " round-robin: yes\n answer-cookie: no\n cookie-secret: 000102030405060708090a0b0c0d0e0f\n"
     "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\n min-refresh-time: 400000000\n size-limit-xfr: 5000\n",
     ["version = v 1", "nsid = ns1", "tcp-clients = 200", "tcp-idle = 3600", "udp-payload = 1300", "rotate = on",
      "cookies = off", "cookie-secret = 000102030405060708090a0b0c0d0e0f", "min-refresh = 315360000",
      "max-refresh = 315360000", "max-size = 5000"],
     ["tcp-idle: 7200 is out of secd's range, 3600 is taken", "min-refresh: 400000000 is out"]),
    ("by TLS, and by no key that an ini file can hold",
     f'key:\n name: "a/b"\n secret: {KEY}\ntls-auth:\n name: t\n auth-domain-name: x.test\n'
     "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY t\n request-xfr: 192.0.2.2 NOKEY\n"
     "zone:\n name: b.test\n request-xfr: 192.0.2.3 a/b\n",
     ["a.test = of-192.0.2.2 ; @:8"],
     ["request-xfr: 192.0.2.1 is asked by TLS", "can't hold a key of the name a/b",
      "zone b.test is left out: it has no primary"]),
    ("addresses that are one, and that are no host's", "server:\n ip-address: ::ffff:192.0.2.9\n ip-address: 192.0.2.9\n"
     " ip-address: ::1\nzone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\n request-xfr: 192.0.2.1@53 NOKEY\n"
     " request-xfr: 0.0.0.0 NOKEY\n", ["listen = 192.0.2.9", "listen = ::1", "primaries = 192.0.2.1"],
     ["primary 0.0.0.0@53 is left out"]),
    ("a secret longer than a line", f'key:\n name: k\n secret: "{KEY[:20] * 15}"\nzone:\n name: a.test\n'
     " request-xfr: 192.0.2.1 k\n", ["secret-file = secd.k.secret"], []),
]
NSD_FAULTS = [
    ("a key that is not there", "zone:\n name: a.test\n request-xfr: 192.0.2.1 nobody\n", "no zone is left"),
    ("a pattern below", "zone:\n name: a.test\n include-pattern: x\npattern:\n name: x\n", "@:3: there is no pattern x"),
    ("an open quote", 'zone:\n name: "a.test\n', "@:2: a quote is open"),
    ("no address", "zone:\n name: a.test\n request-xfr: host.test NOKEY\n", "@:3: 'host.test' is no address"),
    ("no port", "server:\n port: 70000\nzone:\n name: a.test\n", "@:2: '70000' is no port"),
    ("no name", "zone:\n request-xfr: 192.0.2.1 NOKEY\n", "@:1: this zone has no name"),
    ("twice", "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\nzone:\n name: A.test.\n"
     " request-xfr: 192.0.2.1 NOKEY\n", "@:5: zone a.test stands here and at @:2"),
    ("a name with an empty label", "zone:\n name: a..test\n request-xfr: 192.0.2.1 NOKEY\n", "@:2: 'a..test' is no"),
    ("a bad escape", "zone:\n name: a\\999.test\n request-xfr: 192.0.2.1 NOKEY\n", "@:2: 'a\\999.test' has a bad escape"),
    ("a bad secret", "key:\n name: k\n secret: not-base-64\n", "@:3: the secret of key k is no base64"),
    ("a file that is not there", 'include: "absent.conf"\n', "@:1: absent.conf can't be found"),
    ("itself", 'include: "@"\n', "includes itself"),
    ("no value", "zone:\n name:\n request-xfr: 192.0.2.1 NOKEY\n", "@:2: name: has no value"),
    ("too few values", "zone:\n name: a.test\n request-xfr: 192.0.2.1\n", "@:3: request-xfr: is not of the form"),
    ("no network", "zone:\n name: a.test\n request-xfr: 192.0.2.1 NOKEY\n allow-notify: 10.0.0.9-10.0.0.1 NOKEY\n",
     "@:4: '10.0.0.9-10.0.0.1' is no address and no network"),
]

KNOT_LISTEN = "server:\n  listen: 192.0.2.9\n"
KNOT_REMOTE = "remote:\n  - id: hidden\n    address: [192.0.2.1, 2001:db8::1@5353]\n"
KNOT = [
    ("the least", KNOT_REMOTE + "zone:\n  - domain: a.test\n    master: hidden\n",
     ["[primary hidden]", "address = 192.0.2.1, 2001:db8::1@5353", "[group of-hidden]", "a.test = of-hidden ; @:5"],
     ["warning: listen: there is none"]),
    ("templates, and what overrides them",
     "server:\n  listen: [ 192.0.2.9@5353 , ::1 ]\n" + KNOT_REMOTE + "  - id: other\n    address: 192.0.2.2\n"
     "    via: [192.0.2.53@77, 2001:db8::53]\nremotes:\n  - id: both\n    remote: [other, hidden]\n"
     "template:\n  - id: default\n    master: hidden\n    refresh-min-interval: 2m\n  - id: \"t w\"\n"
     "    master: [both]\n    zone-max-size: 5M\n    zonemd-verify: on\n"
     "zone:\n  - domain: a.test\n  - domain: b.test\n    master: other\n"
     "  - domain: c.test # a comment\n    template: \"t w\"\n    comment: a \"quoted\" # one\n",
     ["listen = 192.0.2.9@5353, ::1", "source = 192.0.2.53, 2001:db8::53", "min-refresh = 120",
      "primaries = other, hidden", "max-size = 5242880", "zonemd = required", "c.test = t-w ; @:24",
      "[group default]", "[group default-2]"], ["via: its port is not carried over"]),
    ("who may notify",
     f"key:\n  - id: K.test.\n    algorithm: hmac-sha384\n    secret: {KEY}\n" + KNOT_REMOTE + "    key: k.test\n"
     "acl:\n  - id: a\n    address: [10.0.0.0/8, 10.9.0.0-10.9.0.1]\n    key: K.test\n    action: [notify, transfer]\n"
     "  - id: b\n    remote: hidden\n    action: notify\n  - id: c\n    action: notify\n    deny: on\n"
     "    address: 10.0.0.1\n  - id: d\n    key: k.test\n    action: notify\n"
     "zone:\n  - domain: a.test\n    master: hidden\n    acl: [a, b, c, d]\n",
     ["[key K.test.]", "algorithm = hmac-sha384", "key = K.test.", "notify-from = 10.0.0.0/8, 10.9.0.0/31"],
     ["acl a: transfer: nobody can transfer", "acl c denies: secd has no exceptions"]),
    ("anybody may", KNOT_LISTEN + KNOT_REMOTE + "acl:\n  - id: all\n    action: notify\nzone:\n  - domain: a.test\n"
     "    master: hidden\n    acl: all\n", ["notify-from = 0.0.0.0/0, ::/0"], []),
    ("escapes: Knot's own and of names", KNOT_REMOTE + "zone:\n" + "".join(
        f"  - domain: {d}\n    master: hidden\n"
        for d in ('"od d.test"', '"od\\032e.test"', '"q\\"u.test"', "semi\\;x.test", "back\\\\x.test", "hash\\#h.test",
                  "col:on.test", "at@eq=.test")),
     ["od\\032d.test of-hidden ; @:5", "od\\032e.test of-hidden ; @:7", "q\\034u.test of-hidden ; @:9",
      "semi\\059x.test of-hidden ; @:11", "back\\092x.test of-hidden ; @:13", "hash\\035h.test of-hidden ; @:15",
      "col\\058on.test of-hidden ; @:17", "at\\064eq\\061.test of-hidden ; @:19"], ["listen: there is none"]),
    ("what has no counterpart", KNOT_REMOTE + "log:\n  - target: syslog\n    any: info\nmod-rrl:\n  - id: default\n"
     "    rate-limit: 200\nserver:\n  listen: /run/x\n  tcp-idle-timeout: 2m\n  nsid: 0xabcd\n  version: \"\"\n"
     "  rundir: /run/knot\n  answer-rotation: on\n  udp-max-payload-ipv4: 4K\n  edns-client-subnet: off\n"
     "zone:\n  - domain: p.test\n  - domain: c.test\n    master: hidden\n    catalog-role: interpret\n"
     "  - domain: s.test\n    master: hidden\n    dnssec-signing: on\n    dnssec-validation: off\n"
     "    notify: hidden\n    file: x\n",
     ["tcp-idle = 120", "nsid = 0xabcd", "rotate = on", "udp-payload = 4096", "s.test = of-hidden ; @:24"],
     ["warning: mod-rrl: secd limits no rates", "note: log: secd logs", "listen: /run/x: secd answers on no UNIX",
      "zone p.test is left out: it is primary there", "zone c.test is left out: it is a catalog",
      "warning: dnssec-signing: secd signs nothing", "warning: notify: nobody", "note: file: secd keeps"]),
]
KNOT_FAULTS = [
    ("a tab", "server:\n\tlisten: 192.0.2.1\n", "@:2: there is a tab"),
    ("no blank behind the colon", "server:\n  listen:192.0.2.1\n", "@:2: a blank must stand"),
    ("a comment that touches", "server:\n  listen: 192.0.2.1#c\n", "@:2: something stands behind the value"),
    ("two values without a list", "server:\n  listen: 192.0.2.1, 192.0.2.2\n", "@:2: something stands behind"),
    ("a list without commas", "server:\n  listen: [192.0.2.1 192.0.2.2]\n", "@:2: a list needs ','"),
    ("a list over lines", "server:\n  listen: [\n  192.0.2.1 ]\n", "@:2: no value can be read here"),
    ("an empty list", "server:\n  listen: []\n", "@:2: no value can be read here"),
    ("indented otherwise", "server:\n   version: a\n  identity: b\n", "@:3: this line is indented like none"),
    ("a dash elsewhere", "zone:\n  - domain: a.test\n   - domain: b.test\n", "@:3: this '-' stands below no other"),
    ("a dash where none belongs", "server:\n  - listen: 192.0.2.1\n", "@:2: an entry of server"),
    ("no entry", "zone:\n  domain: a.test\n", "@:2: 'domain' stands before the first"),
    ("no section", "  listen: 192.0.2.1\n", "@:1: this is indented, but stands in no section"),
    ("an open quote", 'server:\n  version: "a\n', "@:2: no value can be read here"),
    ("no item", "server:\n  listen\n", "@:2: this is no item"),
    ("no such remote", "zone:\n  - domain: a.test\n    master: x\n", "@:3: there is no remote x"),
    ("no such template", "zone:\n  - domain: a.test\n    template: x\n", "@:3: there is no template x"),
    ("no such key", "remote:\n  - id: r\n    address: 192.0.2.1\n    key: x\nzone:\n  - domain: a\n    master: r\n",
     "@:4: there is no key x"),
    ("twice", KNOT_REMOTE + "zone:\n  - domain: a.test\n    master: hidden\n  - domain: A.test.\n    master: hidden\n",
     "@:7: zone A.test. stands here and at @:5"),
    ("a secret", "key:\n  - id: k\n    algorithm: hmac-sha256\n    secret: x\n", "the secret of key k is no base64"),
    ("an algorithm", f"key:\n  - id: k\n    algorithm: hmac-sha3\n    secret: {KEY}\n", "@:2: the algorithm 'hmac-sha3'"),
    ("a section with a value", "server: x\n", "@:1: 'server' is a section"),
    ("an include", "include: absent.conf\n", "can't be found, and is included"),
]

BIND_KEY = f'key "k.test" {{ algorithm HMAC-SHA256; secret "{KEY}"; }};\n'
BIND = [
    ("the least", 'zone "a.test" { type secondary; primaries { 192.0.2.1; }; };\n',
     ["[primary 192.0.2.1]", "a.test = of-192.0.2.1 ; @:1"], []),
    ("old words, all comments, ports", "/* one\n two */ // three { \n# four }\noptions { listen-on port 5353 "
     '{ 192.0.2.9; /* x */ 127.0.0.1; }; listen-on-v6 { any; }; };\nzone "a.test" IN { type slave; masters port 54 '
     "{ 192.0.2.1 port 55; 2001:db8::1; }; };\n",
     ["listen = 192.0.2.9@5353, 127.0.0.1@5353, ::", "address = 192.0.2.1@55", "address = 2001:db8::1@54",
      "primaries = 192.0.2.1-55, 2001-db8--1-54"], []),
    ("lists in lists, keys of lists and of peers",
     BIND_KEY + f"key other {{ algorithm hmac-sha512; secret {KEY}; }};\n"
     "primaries inner port 5300 { 192.0.2.3; 192.0.2.1 key other; };\n"
     'masters hidden { 192.0.2.1 key "k.test"; inner; 192.0.2.4; };\n'
     "server 192.0.2.0/24 { transfers 7; };\nserver 192.0.2.3 { keys { k.test; }; };\nserver 192.0.2.4 { keys k.test; };\n"
     'zone "a.test" { type secondary; primaries { hidden; inner; }; };\nzone "b.test" { type secondary; '
     "primaries { hidden; inner; }; };\nzone c.test { type secondary; primaries { hidden; }; };\n",
     ["[group of-192.0.2.1]", "primaries = 192.0.2.1, 192.0.2.3-5300, 192.0.2.1-5300, 192.0.2.4", "key = k.test", "key = other",
      "max-transfers = 7", "a.test = of-192.0.2.1 ; @:8", "b.test = of-192.0.2.1 ; @:9", "c.test = of-192.0.2.1 ; @:10"],
     ["BIND takes unsigned NOTIFY from primaries"]),
    ("who may notify",
     'acl far { 10/8; !10.1.1.1; { 198.51.100.7; }; };\noptions { allow-notify { far; key k.test; localhost; }; '
     "transfer-source 192.0.2.53; transfer-source-v6 *; min-refresh-time 60; max-records-per-type 50; };\n" + BIND_KEY +
     'zone "a.test" { type secondary; primaries { 192.0.2.1; }; };\n'
     'zone "b.test" { type secondary; primaries { 192.0.2.1; }; allow-notify { none; }; transfer-source *; };\n'
     'zone "c.test" { type secondary; primaries { 192.0.2.1; }; allow-notify { any; }; max-refresh-time 30; };\n',
     ["notify-from = 10.0.0.0/8, 127.0.0.1, 198.51.100.7, ::1", "source = 192.0.2.53", "min-refresh = 60",
      "max-rrset = 50", "notify-from = 0.0.0.0/0, ::/0"],
     ["allow-notify: !10.1.1.1: secd has no exceptions", "NOTIFY signed with k.test can't be carried over",
      "allow-notify: localhost is not carried over"]),
    ("names with quotes and escapes", 'zone "od d\\032x.test" { type secondary; primaries { 192.0.2.1; }; };\n'
     'zone "q\\"u;{}.test." { type secondary; primaries { 192.0.2.1; }; };\n'
     "zone 0/25.2.0.192.in-addr.arpa { type secondary; primaries { 192.0.2.1; }; };\n",
     ["od\\032d\\032x.test of-192.0.2.1 ; @:1", "q\\034u\\059\\123\\125.test of-192.0.2.1 ; @:2",
      "0/25.2.0.192.in-addr.arpa = of-192.0.2.1 ; @:3"], []),
    ("what has no counterpart", 'logging { category default { null; }; };\noptions { directory "."; recursion yes; '
     'rate-limit { responses-per-second 5; }; allow-transfer { any; }; version "v"; hostname none; server-id "id 1"; '
     "max-udp-size 8000; tcp-clients 150; max-transfer-time-in 20; tcp-idle-timeout 300; answer-cookie no; "
     "dnssec-validation no; allow-query { any; }; nonsense 5; pid-file none; };\n"
     'zone "." { type hint; file "root"; };\nzone "p.test" { type primary; file "p"; };\n'
     'zone "f.test" { type forward; forwarders { 192.0.2.1; }; };\nzone "bind" CH { type primary; file "b"; };\n'
     'zone "a.test" { type secondary; primaries { 192.0.2.1; }; file "a"; allow-transfer { none; }; '
     "also-notify { 192.0.2.7; }; inline-signing yes; dnssec-policy default; };\n",
     ["version = v", "identity = id 1", "nsid = id 1", "udp-payload = 4096", "tcp-clients = 150",
      "transfer-time = 1200", "tcp-idle = 30", "cookies = off"],
     ["warning: recursion: secd resolves nothing", "warning: rate-limit: secd limits no rates",
      "warning: allow-transfer: nobody", "udp-payload: 8000 is out", "nonsense: not known", "note: pid-file",
      "zone p.test is left out: it is primary there", "zone f.test is left out: it is of type forward",
      "zone bind is left out: it is of class CH", "note: zone . is left out", "warning: also-notify",
      "warning: inline-signing: secd signs nothing", "warning: dnssec-policy: secd signs", "note: file: secd keeps"]),
    ("TLS", "tls t { };\noptions { listen-on tls t port 853 { any; }; listen-on { 127.0.0.1; }; "
     "listen-on-v6 { none; }; };\nzone \"a.test\" { type secondary; primaries { 192.0.2.1 tls t; 192.0.2.2; }; };\n",
     ["listen = 127.0.0.1", "a.test = of-192.0.2.2 ; @:3"],
     ["listen-on: secd answers no queries by TLS", "primary 192.0.2.1 is asked by TLS"]),
    ("cut MACs", f'key k {{ algorithm hmac-sha256-128; secret "{KEY}"; }};\nzone "a.test" {{ type secondary; '
     "primaries { 192.0.2.1 key k; }; };\n", ["algorithm = hmac-sha256"], ["MACs cut to 128 bits"]),
]
BIND_FAULTS = [
    ("no semicolon", 'zone "a" { type secondary; primaries { 192.0.2.1 }; };\n', "@:1: a ';' is missing before this '}'"),
    ("none at the end", 'options { }\n', "@:1: a ';' is missing behind"),
    ("an open brace", "options {\n recursion no;\n", "@:1: this '{' is never closed"),
    ("a brace too many", "options { };\n};\n", "@:2: this '}' closes nothing"),
    ("an open quote", 'zone "a.test {\n};\n', "@:1: a quote is open"),
    ("an open comment", "options { };\n/* x\n", "@:2: this comment does not end"),
    ("no such list", 'zone "a" { type slave;\n masters { nobody; }; };\n', "@:2: there is no list of primaries nobody"),
    ("no such key", 'zone "a" { type slave; masters { 192.0.2.1 key k; }; };\n', "@:1: there is no key k"),
    ("no primaries", 'zone "a" { type slave; };\n', "@:1: zone a is secondary, but has no primaries"),
    ("no such acl", 'zone "a" { type slave; masters { 192.0.2.1; }; allow-notify { x; }; };\n', "@:1: 'x' is no address"),
    ("views", 'view "in" { zone "a" { type slave; masters { 192.0.2.1; }; }; };\nview "out" { };\n',
     "@:1: secd has no views; choose one of in, out with --view"),
    ("an include", 'include "absent";\n', "@:1: absent can't be found"),
    ("a key without a secret", "key k { algorithm hmac-md5; };\n", "@:1: key k has no algorithm, or no secret"),
    ("nothing for secd", 'zone "a" { type primary; file "x"; };\n', "no zone is left that secd could follow"),
]
