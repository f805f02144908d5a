/* conf/options.c - every option there is, one row each. secd.ini(5) and etc/secd.ini say the
 * same in words, and a test holds them against this table. */
#include "conf/build.h"

#include <stdio.h>
#include <string.h>

#define GIB                    (UINT64_C(1) << 30)
#define TEN_YEARS              (UINT64_C(3650) * 86400)
#define SERVER(member)         .offset = offsetof(conf_t, member)
#define PRIMARY(member)        .offset = offsetof(conf_primary_t, member)
#define POLICY(member)         .offset = offsetof(conf_group_t, policy.member)
#define COUNT_IN(type, member) .count_offset = offsetof(type, member)

/* The rows of a section stand together. */
static const conf_option_t options[] = {
	{ CONF_SERVER, "listen", CONF_ADDRESSES, .fallback = "0.0.0.0@53, ::@53", SERVER(listen),
	  COUNT_IN(conf_t, listen_count) },
	{ CONF_SERVER, "workers", CONF_NUMBER, .max = 256, .fallback = "0", SERVER(workers) },
	{ CONF_SERVER, "user", CONF_USER, .fallback = "", SERVER(user) },
	{ CONF_SERVER, "state-dir", CONF_DIR, .fallback = "/var/lib/secd", SERVER(state_dir) },
	{ CONF_SERVER, "durability", CONF_DURABILITY, .fallback = "commit", SERVER(relaxed) },
	{ CONF_SERVER, "old-versions", CONF_SHARE, .min = 1, .max = 10000, .may_be_off = true,
	  .fallback = "300%", SERVER(old_versions) },
	{ CONF_SERVER, "max-removed", CONF_SHARE, .max = 100, .fallback = "10%",
	  SERVER(max_removed) },
	{ CONF_SERVER, "keep-removed", CONF_SECONDS, .max = TEN_YEARS, .fallback = "7d",
	  SERVER(keep_removed) },
	{ CONF_SERVER, "control", CONF_SOCKET, .fallback = "/run/secd/secd.sock", SERVER(control) },
	{ CONF_SERVER, "metrics-listen", CONF_ADDRESSES, .port = 9953, SERVER(metrics_listen),
	  COUNT_IN(conf_t, metrics_listen_count) },
	{ CONF_SERVER, "metrics-zones", CONF_NUMBER, .max = 10000000, .fallback = "1000",
	  SERVER(metrics_zones) },
	{ CONF_SERVER, "version", CONF_TEXT, .fallback = "", SERVER(version) },
	{ CONF_SERVER, "identity", CONF_TEXT, .fallback = "", SERVER(identity) },
	{ CONF_SERVER, "nsid", CONF_OCTETS, .fallback = "", SERVER(nsid),
	  COUNT_IN(conf_t, nsid_len) },
	{ CONF_SERVER, "cookies", CONF_SWITCH, .fallback = "on", SERVER(cookies) },
	{ CONF_SERVER, "cookie-secret", CONF_COOKIE_SECRETS, SERVER(cookie_secrets),
	  COUNT_IN(conf_t, cookie_secret_count) },
	{ CONF_SERVER, "rotate", CONF_SWITCH, .fallback = "off", SERVER(rotate) },
	{ CONF_SERVER, "udp-payload", CONF_NUMBER, .min = 512, .max = 4096, .fallback = "1232",
	  SERVER(udp_payload) },
	{ CONF_SERVER, "tcp-clients", CONF_NUMBER, .min = 1, .max = 100000, .fallback = "1000",
	  SERVER(tcp_clients) },
	{ CONF_SERVER, "tcp-per-client", CONF_NUMBER, .min = 1, .max = 100000, .fallback = "30",
	  SERVER(tcp_per_client) },
	{ CONF_SERVER, "tcp-idle", CONF_SECONDS, .min = 1, .max = 3600, .fallback = "10",
	  SERVER(tcp_idle) },
	{ CONF_SERVER, "builders", CONF_NUMBER, .min = 1, .max = 64, .fallback = "2",
	  SERVER(builders) },
	{ CONF_SERVER, "transfers", CONF_NUMBER, .min = 1, .max = 1000, .fallback = "20",
	  SERVER(transfers) },
	{ CONF_SERVER, "polls", CONF_NUMBER, .min = 1, .max = 10000, .fallback = "200",
	  SERVER(polls) },
	{ CONF_SERVER, "transfer-idle", CONF_SECONDS, .min = 1, .max = 3600, .fallback = "30",
	  SERVER(transfer_idle) },
	{ CONF_SERVER, "transfer-time", CONF_SECONDS, .min = 10, .max = 86400, .fallback = "1h",
	  SERVER(transfer_time) },
	{ CONF_SERVER, "transfer-min-rate", CONF_NUMBER, .max = 1000000000, .fallback = "100",
	  SERVER(transfer_min_rate) },
	{ CONF_SERVER, "transfer-memory", CONF_SIZE, .min = 1 << 20, .max = 1024 * GIB,
	  .fallback = "4G", SERVER(transfer_memory) },
	{ CONF_SERVER, "connect-time", CONF_SECONDS, .min = 1, .max = 120, .fallback = "10",
	  SERVER(connect_time) },

	{ CONF_LOG, "target", CONF_LOG_TARGET, .fallback = "stderr", SERVER(log_target) },
	{ CONF_LOG, "facility", CONF_LOG_FACILITY, .fallback = "daemon", SERVER(log_facility) },
	{ CONF_LOG, "level", CONF_LOG_LEVEL, .fallback = "info", SERVER(log_level) },

	{ CONF_KEY, "algorithm", CONF_ALGORITHM, .required = true },
	{ CONF_KEY, "secret", CONF_SECRET, .fallback = NULL },
	{ CONF_KEY, "secret-file", CONF_SECRET_FILE, .fallback = NULL },

	{ CONF_PRIMARY, "address", CONF_ADDRESSES, .required = true, PRIMARY(addresses),
	  COUNT_IN(conf_primary_t, address_count) },
	{ CONF_PRIMARY, "notify-from", CONF_PREFIXES, PRIMARY(notify_from),
	  COUNT_IN(conf_primary_t, notify_from_count) },
	{ CONF_PRIMARY, "source", CONF_SOURCES, .fallback = NULL },
	{ CONF_PRIMARY, "key", CONF_KEY_NAME, .fallback = NULL },
	{ CONF_PRIMARY, "max-queries", CONF_NUMBER, .min = 1, .max = 10000, .fallback = "100",
	  PRIMARY(max_queries) },
	{ CONF_PRIMARY, "max-transfers", CONF_NUMBER, .min = 1, .max = 1000, .fallback = "50",
	  PRIMARY(max_transfers) },
	{ CONF_PRIMARY, "max-connections", CONF_NUMBER, .min = 1, .max = 1000, .fallback = "10",
	  PRIMARY(max_connections) },
	{ CONF_PRIMARY, "max-rate", CONF_NUMBER, .max = 1000000, .fallback = "0",
	  PRIMARY(max_rate) },
	{ CONF_PRIMARY, "tsig-strict", CONF_SWITCH, .fallback = "off", PRIMARY(tsig_strict) },

	{ CONF_GROUP, "primaries", CONF_NAMES, .required = true },
	{ CONF_GROUP, "min-refresh", CONF_SECONDS, .min = 1, .max = TEN_YEARS, .fallback = "1s",
	  POLICY(min_refresh) },
	{ CONF_GROUP, "max-refresh", CONF_SECONDS, .min = 1, .max = TEN_YEARS, .fallback = "4w",
	  POLICY(max_refresh) },
	{ CONF_GROUP, "min-retry", CONF_SECONDS, .min = 1, .max = TEN_YEARS, .fallback = "1s",
	  POLICY(min_retry) },
	{ CONF_GROUP, "max-retry", CONF_SECONDS, .min = 1, .max = TEN_YEARS, .fallback = "2w",
	  POLICY(max_retry) },
	{ CONF_GROUP, "min-expire", CONF_SECONDS, .max = TEN_YEARS, .fallback = "0",
	  POLICY(min_expire) },
	{ CONF_GROUP, "max-expire", CONF_SECONDS, .min = 1, .max = TEN_YEARS, .fallback = "3650d",
	  POLICY(max_expire) },
	{ CONF_GROUP, "max-records", CONF_COUNT, .min = 1, .max = UINT64_C(1) << 32,
	  .fallback = "100000000", POLICY(max_records) },
	{ CONF_GROUP, "max-size", CONF_SIZE, .min = 1, .max = 1024 * GIB, .fallback = "16G",
	  POLICY(max_size) },
	{ CONF_GROUP, "max-rrset", CONF_NUMBER, .min = 1, .max = 65535, .fallback = "10000",
	  POLICY(max_rrset) },
	{ CONF_GROUP, "max-rrsets", CONF_NUMBER, .min = 1, .max = 65535, .fallback = "1000",
	  POLICY(max_rrsets) },
	{ CONF_GROUP, "no-ns", CONF_CHOICE, .fallback = "warn", POLICY(gates.no_ns) },
	{ CONF_GROUP, "single-ns", CONF_CHOICE, .fallback = "warn", POLICY(gates.single_ns) },
	{ CONF_GROUP, "cname-beside", CONF_CHOICE, .fallback = "warn", POLICY(gates.cname_beside) },
	{ CONF_GROUP, "below-dname", CONF_CHOICE, .fallback = "warn", POLICY(gates.below_dname) },
	{ CONF_GROUP, "missing-glue", CONF_CHOICE, .fallback = "warn", POLICY(gates.missing_glue) },
	{ CONF_GROUP, "zonemd", CONF_ZONEMD, .fallback = "if-present", POLICY(gates.zonemd) },
	{ CONF_GROUP, "max-shrink", CONF_SHARE, .min = 1, .max = 99, .may_be_off = true,
	  .fallback = "off", POLICY(gates.max_shrink) },
	{ CONF_GROUP, "warn-signatures", CONF_SECONDS, .min = 1, .max = TEN_YEARS,
	  .may_be_off = true, .fallback = "3d", POLICY(gates.warn_signatures) },
	{ CONF_GROUP, "refuse-signatures", CONF_SECONDS, .min = 1, .max = TEN_YEARS,
	  .may_be_off = true, .fallback = "off", POLICY(gates.refuse_signatures) },
	{ CONF_GROUP, "max-iterations", CONF_NUMBER, .max = 2500, .fallback = "2500",
	  POLICY(gates.max_iterations) },
	{ CONF_GROUP, "stale-grace", CONF_SECONDS, .max = TEN_YEARS, .fallback = "0",
	  POLICY(stale_grace) },
	{ CONF_GROUP, "signature-check", CONF_SWITCH, .fallback = "on", POLICY(signature_check) },

	{ CONF_INCLUDE, "path", CONF_FILES, .fallback = NULL },
	{ CONF_INCLUDE, "zone-list", CONF_LISTS, .fallback = NULL },
};

size_t conf_option_count(void)
{
	return ARRAY_LEN(options);
}

const conf_option_t *conf_option_at(size_t i)
{
	return &options[i];
}

const char *conf_section_text(conf_section_t section)
{
	switch (section) {
	case CONF_SERVER:
		return "server";
	case CONF_LOG:
		return "log";
	case CONF_KEY:
		return "key";
	case CONF_PRIMARY:
		return "primary";
	case CONF_GROUP:
		return "group";
	case CONF_ZONES:
		return "zones";
	case CONF_INCLUDE:
		return "include";
	case CONF_SECTIONS:
		break;
	}
	return "?";
}

bool conf_type_adds_up(conf_type_t type)
{
	switch (type) {
	case CONF_ADDRESSES:
	case CONF_PREFIXES:
	case CONF_SOURCES:
	case CONF_NAMES:
	case CONF_FILES:
	case CONF_LISTS:
	case CONF_COOKIE_SECRETS:
		return true;
	case CONF_NUMBER:
	case CONF_COUNT:
	case CONF_SECONDS:
	case CONF_SIZE:
	case CONF_SHARE:
	case CONF_CHOICE:
	case CONF_ZONEMD:
	case CONF_TEXT:
	case CONF_OCTETS:
	case CONF_SWITCH:
	case CONF_DURABILITY:
	case CONF_PATH:
	case CONF_DIR:
	case CONF_SOCKET:
	case CONF_USER:
	case CONF_LOG_TARGET:
	case CONF_LOG_LEVEL:
	case CONF_LOG_FACILITY:
	case CONF_KEY_NAME:
	case CONF_ALGORITHM:
	case CONF_SECRET:
	case CONF_SECRET_FILE:
		break;
	}
	return false;
}

const conf_option_t *conf_options_of(conf_section_t section, size_t *count)
{
	const conf_option_t *first = NULL;

	*count = 0;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].section != section)
			continue;
		if (!first)
			first = &options[i];
		(*count)++;
	}
	return first;
}

const conf_option_t *conf_option_find(conf_section_t section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i].section == section && strcmp(options[i].key, key) == 0)
			return &options[i];
	}
	return NULL;
}

const char *conf_options_text(conf_section_t section, char *out, size_t room)
{
	size_t count, used = 0;
	const conf_option_t *option = conf_options_of(section, &count);

	out[0] = '\0';
	for (size_t i = 0; i < count && used < room; i++) {
		const char *between = i == 0 ? "" : i + 1 < count ? ", " : " and ";

		used += (size_t)snprintf(out + used, room - used, "%s%s", between, option[i].key);
	}
	return out;
}
