"""BIND's options that are not carried over, and what is told of them."""
from __future__ import annotations

OWN_WAY = "secd has its own way of that"
TO_OTHERS = "nobody can transfer a zone from secd, and it notifies nobody"
FILES = "secd keeps its zones in state-dir"
RESOLVER = "of a resolver, which secd is not"
SIGNS = "secd signs nothing: it serves the zone as its primary signed it"
UPDATES = "secd takes no updates, and passes none on"
CHECKS = "of zone files; secd has gates instead, see secd.ini(5)"
EVERYBODY = "secd answers everybody"
RATES = "secd limits no rates; where that is needed, it stands in front of it"
TLS = "secd answers no queries by TLS or HTTP"

# Option and value: nothing changes, so nothing is told.
AS_SECD = {
    ("recursion", "no"), ("notify", "no"), ("dnssec-validation", "no"), ("empty-zones-enable", "no"),
    ("auth-nxdomain", "no"), ("minimal-any", "yes"), ("request-ixfr", "yes"), ("request-expire", "yes"),
    ("multi-master", "yes"), ("multi-master", "no"), ("inline-signing", "no"), ("dnssec-policy", "none"),
    ("auto-dnssec", "off"), ("require-server-cookie", "no"), ("ixfr-from-differences", "no"),
    ("allow-new-zones", "no"), ("provide-ixfr", "yes"), ("ipv4only-enable", "no"), ("update-check-ksk", "no"),
}

SERVER_WARN = {
    # Top level
    "dlz": "secd has no databases", "dyndb": "secd has no databases", "plugin": "secd has no plugins",
    "http": TLS, "tls": TLS, "parental-agents": SIGNS,
    # options, view
    "recursion": "secd resolves nothing: resolvers that are asked here must move",
    "forwarders": RESOLVER, "response-policy": RESOLVER, "dns64": RESOLVER,
    "rate-limit": RATES, "catalog-zones": "catalog zones are not followed",
    "allow-new-zones": "zones that were added by rndc are not here: named-nzd2nzf prints them",
    "blackhole": EVERYBODY, "match-clients": EVERYBODY, "match-destinations": EVERYBODY,
    "match-recursive-only": EVERYBODY, "allow-query-on": EVERYBODY,
    "sortlist": OWN_WAY, "rrset-order": "secd keeps the order of records, or rotates them, see rotate",
    "require-server-cookie": "secd turns nobody away for a missing cookie",
    "dnstap": "secd has no dnstap", "deny-answer-addresses": RESOLVER, "deny-answer-aliases": RESOLVER,
    "response-padding": TLS, "minimal-responses": OWN_WAY,
    "no-case-compress": OWN_WAY, "max-zone-ttl": "secd does not look at TTLs",
}
SERVER_NOTE = {
    **{o: OWN_WAY for o in (
        "automatic-interface-scan", "interface-interval", "reuseport", "coresize", "datasize", "files", "stacksize",
        "dscp", "edns-udp-size", "nocookie-udp-size", "empty-contact", "empty-server", "empty-zones-enable",
        "disable-empty-zone", "flush-zones-on-shutdown", "geoip-directory", "glue-cache", "keep-response-order",
        "lock-file", "match-mapped-addresses", "memstatistics", "memstatistics-file", "message-compression",
        "minimal-any", "auth-nxdomain", "pid-file", "preferred-glue", "querylog", "random-device",
        "reserved-sockets", "serial-query-rate", "session-keyalg", "session-keyfile", "session-keyname",
        "statistics-file", "dump-file", "secroots-file", "tcp-advertised-timeout", "tcp-initial-timeout",
        "tcp-keepalive-timeout", "tcp-listen-queue", "tcp-receive-buffer", "tcp-send-buffer",
        "udp-receive-buffer", "udp-send-buffer", "tls-port", "https-port", "http-port", "http-listener-clients",
        "http-streams-per-connection", "transfer-message-size", "send-cookie", "cookie-algorithm",
        "request-nsid", "heartbeat-interval", "servfail-ttl", "nsec3-test-zone", "root-key-sentinel",
        "trust-anchor-telemetry", "update-quota", "use-v4-udp-ports", "use-v6-udp-ports", "avoid-v4-udp-ports",
        "avoid-v6-udp-ports", "query-source", "query-source-v6", "ipv4only-enable", "ipv4only-contact",
        "ipv4only-server", "zero-no-soa-ttl", "zero-no-soa-ttl-cache", "statistics-channels")},
    **{o: RESOLVER for o in (
        "allow-query-cache", "allow-query-cache-on", "allow-recursion", "allow-recursion-on", "attach-cache",
        "bindkeys-file", "clients-per-query", "disable-algorithms", "disable-ds-digests", "dns64-contact",
        "dns64-server", "dnsrps-enable", "dnsrps-options", "dnssec-accept-expired", "dnssec-must-be-secure",
        "dnssec-validation", "dual-stack-servers", "fetch-quota-params", "fetches-per-server", "fetches-per-zone",
        "forward", "lame-ttl", "max-cache-size", "max-cache-ttl", "max-clients-per-query", "max-ncache-ttl",
        "max-query-count", "max-query-restarts", "max-recursion-depth", "max-recursion-queries", "max-stale-ttl",
        "min-cache-ttl", "min-ncache-ttl", "nta-lifetime", "nta-recheck", "nxdomain-redirect", "prefetch",
        "qname-minimization", "recursing-file", "recursive-clients", "resolver-nonbackoff-tries",
        "resolver-query-timeout", "resolver-retry-interval", "root-delegation-only", "stale-answer-client-timeout",
        "stale-answer-enable", "stale-answer-ttl", "stale-cache-enable", "stale-refresh-time", "synth-from-dnssec",
        "v6-bias", "validate-except", "trust-anchors", "trusted-keys", "managed-keys")},
    **{o: FILES for o in ("directory", "managed-keys-directory", "new-zones-directory", "lmdb-mapsize",
                          "key-directory")},
    **{o: "secd logs to standard error, syslog or the journal, see [log]" for o in ("logging",)},
    **{o: TO_OTHERS for o in ("transfers-out", "startup-notify-rate", "notify-rate", "max-transfer-idle-out",
                              "max-transfer-time-out", "transfer-format")},
    **{o: UPDATES for o in ("tkey-dhkey", "tkey-domain", "tkey-gssapi-credential", "tkey-gssapi-keytab")},
    **{o: "of dnstap" for o in ("dnstap-identity", "dnstap-output", "dnstap-version")},
    "controls": "secd has a control socket, see secdctl(8)",
}
ZONE_WARN = {
    "allow-transfer": TO_OTHERS, "also-notify": TO_OTHERS, "notify": TO_OTHERS,
    "allow-query": EVERYBODY, "allow-update-forwarding": UPDATES, "allow-update": UPDATES, "update-policy": UPDATES,
    "dnssec-policy": SIGNS, "auto-dnssec": SIGNS, "inline-signing": SIGNS, "forwarders": RESOLVER,
    "dlz": "secd has no databases", "request-ixfr": "secd asks for IXFR where it can",
    "catalog-zones": "catalog zones are not followed",
}
ZONE_NOTE = {
    **{o: FILES for o in ("file", "journal", "masterfile-format", "masterfile-style", "max-journal-size", "database",
                          "ixfr-from-differences", "max-ixfr-ratio")},
    **{o: TO_OTHERS for o in ("notify-delay", "notify-source", "notify-source-v6", "notify-to-soa", "provide-ixfr")},
    **{o: "of signing, which is the primary's" for o in (
        "dnskey-sig-validity", "dnssec-dnskey-kskonly", "dnssec-loadkeys-interval", "dnssec-secure-to-insecure",
        "dnssec-update-mode", "sig-signing-nodes", "sig-signing-signatures", "sig-signing-type",
        "sig-validity-interval", "update-check-ksk", "serial-update-method", "parental-source",
        "parental-source-v6")},
    **{o: CHECKS for o in ("check-names", "check-dup-records", "check-integrity", "check-mx", "check-mx-cname",
                           "check-sibling", "check-spf", "check-srv-cname", "check-wildcard")},
    **{o: OWN_WAY for o in ("alt-transfer-source", "alt-transfer-source-v6", "use-alt-transfer-source", "dialup",
                            "try-tcp-refresh", "zone-statistics", "request-expire", "forward")},
    "multi-master": "secd always asks all primaries, and takes the newest",
}
