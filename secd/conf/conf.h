/* conf/conf.h - the settings: secd.ini, what it includes and its zone lists, checked and at rest.
 *
 *     secd.ini --+--> conf_read() --> conf_t        every reference resolved, every limit checked
 *     includes --+        |
 *     lists    --+        +---------> conf_faults_t  every fault with its file and line
 *
 * A conf_t is read once and never changes: any thread may read it, until the one who has it
 * calls conf_free(). All pointers in it are borrowed from it. The file's own rules are in
 * secd.ini(5); each option is one row of the table behind conf_option_at(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/log.h"
#include "common/siphash.h"
#include "common/status.h"

enum {
	CONF_NSID_MAX = 128, /* octets */
	CONF_COOKIE_SECRETS_MAX = 8,
	CONF_FAULTS_MAX = 1000, /* kept, errors before warnings; those beyond are only counted */
	CONF_DEPTH_MAX = 8,     /* files that include one another */
	CONF_KEYS_MAX = 65535,
	CONF_SECRET_MAX = 512, /* octets */
	CONF_SOCKET_MAX = 107, /* octets of a socket's path: what the kernel takes */
};

/* A key of TSIG. Its secret is wiped when the configuration is freed. */
typedef struct conf_key {
	const char *name;      /* as the file has it */
	const uint8_t *wire;   /* the same as a domain name in wire form, folded */
	size_t index;          /* in conf_t */
	uint16_t number;       /* that access lists know it by, from 1 on: conf_number_keys() */
	const char *algorithm; /* "hmac-sha256", ... */
	uint8_t *secret;
	size_t secret_len; /* at least 1 */
} conf_key_t;

/* A primary: one server, with one or more ways to it. */
typedef struct conf_primary {
	const char *name;
	size_t index;      /* in conf_t */
	addr_t *addresses; /* in configured order, at least one, each with its port */
	size_t address_count;
	addr_prefix_t *notify_from; /* who else may send NOTIFY for its zones */
	size_t notify_from_count;
	bool has_source4, has_source6;
	addr_t source4, source6; /* local addresses of polls and transfers, port 0 */
	const conf_key_t *key;   /* of polls, transfers and its NOTIFYs; NULL: none */
	/* The budget of each of its addresses, shared by all zones. */
	uint32_t max_queries;     /* SOA queries under way */
	uint32_t max_transfers;   /* transfers under way */
	uint32_t max_connections; /* TCP connections open */
	uint32_t max_rate;        /* queries and transfers begun in a second; 0: any number */
	bool tsig_strict;         /* every message of a transfer must be signed */
} conf_primary_t;

typedef enum conf_choice { CONF_CHOICE_OFF, CONF_CHOICE_WARN, CONF_CHOICE_REFUSE } conf_choice_t;
typedef enum conf_zonemd {
	CONF_ZONEMD_OFF,
	CONF_ZONEMD_IF_PRESENT,
	CONF_ZONEMD_REQUIRED,
} conf_zonemd_t;

/* What is wrong with a zone and told, or too wrong to take it. 0: off, where there is a number. */
typedef struct conf_gates {
	conf_choice_t no_ns, single_ns, cname_beside, below_dname, missing_glue;
	conf_zonemd_t zonemd;
	uint32_t max_shrink; /* percent of the records held */
	uint32_t warn_signatures, refuse_signatures;
	uint32_t max_iterations; /* of NSEC3PARAM; 0 is a limit here */
} conf_gates_t;

/* What a group of zones may ask for. Times in seconds, sizes in octets. */
typedef struct conf_policy {
	uint32_t min_refresh, max_refresh;
	uint32_t min_retry, max_retry;
	uint32_t min_expire, max_expire;
	uint64_t max_records; /* of one zone */
	uint64_t max_size;    /* of one zone */
	uint32_t max_rrset;   /* records of one RRset */
	uint32_t max_rrsets;  /* RRsets of one name */
	conf_gates_t gates;
	uint32_t stale_grace; /* how long equal serials renew EXPIRE though a newer one is known */
	bool signature_check; /* pull a zone of the same serial whose SOA is signed anew */
} conf_policy_t;

/* Primaries and options shared by zones. A zone that names its primaries itself is in a group
 * without a name and with default options; zones with the same primaries in the same order
 * share it. */
enum { CONF_PRIMARIES_MOST = 1000 }; /* of a group */
typedef struct conf_group {
	const char *name;                 /* NULL for one without a name */
	size_t index;                     /* in conf_t */
	const conf_primary_t **primaries; /* in order of preference, at least one */
	size_t primary_count;
	conf_policy_t policy;
	addr_acl_t notify; /* who may send NOTIFY: every address and notify-from of the primaries,
	                    * those of one with a key by that key's number */
} conf_group_t;

typedef struct conf_zone {
	const uint8_t *apex; /* wire form, folded */
	const conf_group_t *group;
	const char *file; /* where it stands */
	unsigned line;
} conf_zone_t;

typedef struct conf_own conf_own_t;

typedef struct conf {
	/* [server] */
	addr_t *listen; /* addresses with their ports, at least one */
	size_t listen_count;
	uint32_t workers;      /* 0: one per core */
	const char *user;      /* "NAME" or "NAME:GROUP", whom root becomes; "": not said */
	const char *state_dir; /* "": nothing is kept on disk */
	bool relaxed;          /* serve before it is on disk */
	uint32_t old_versions; /* percent of a zone that they may take on disk; 0: none are kept */
	uint32_t
		max_removed; /* percent of the zones that a reload may take out, unless it is forced */
	uint32_t keep_removed;  /* seconds that what is kept of such a zone stays */
	const char *control;    /* the socket for secdctl; "": none */
	addr_t *metrics_listen; /* for HTTP; may be none */
	size_t metrics_listen_count;
	uint32_t metrics_zones; /* that have metrics of their own */
	const char *version;    /* for CHAOS version.bind and version.server; "" refuses */
	const char *identity;   /* for CHAOS id.server and hostname.bind; "" refuses */
	const uint8_t *nsid;    /* for EDNS NSID; without octets it is ignored */
	size_t nsid_len;
	bool cookies;
	bool rotate;                   /* the order of records */
	siphash_key_t *cookie_secrets; /* the first makes, all verify; none: a random one */
	size_t cookie_secret_count;
	uint32_t udp_payload; /* octets */
	uint32_t tcp_clients, tcp_per_client;
	uint32_t tcp_idle; /* seconds */
	uint32_t builders, transfers, polls;
	uint32_t transfer_idle, transfer_time, connect_time; /* seconds */
	uint32_t transfer_min_rate;                          /* octets a second; 0: any */
	uint64_t transfer_memory;                            /* octets */

	/* [log] */
	log_target_t log_target;
	int log_facility; /* of syslog(3) */
	log_level_t log_level;

	/* In the order in which the files name them. */
	conf_key_t **keys; /* no two of one name, whatever their case */
	size_t key_count;
	const conf_primary_t **primaries;
	size_t primary_count;
	const conf_group_t **groups; /* those without a name last */
	size_t group_count;
	conf_zone_t *zones; /* no two of one name */
	size_t zone_count;

	conf_own_t *own; /* the memory behind it all */
} conf_t;

typedef struct conf_fault {
	char *file;     /* as it was named: relative to where secd runs, or absolute */
	unsigned line;  /* from 1; 0 when no line is to blame */
	unsigned order; /* of the file among those read, for sorting */
	bool is_warning;
	char *text; /* what is wrong, what to write instead; no secret, no control characters */
} conf_fault_t;

/* Start with zeros, end with conf_faults_free(). In the order of files and lines. */
typedef struct conf_faults {
	conf_fault_t *list;
	size_t count;
	size_t errors; /* all that are no warnings, kept or not */
	size_t more;   /* those beyond CONF_FAULTS_MAX, of which the last of the list tells */
} conf_faults_t;

/* Read and check a configuration.
 *   path     of the main file; relative paths in a file start at the place of that file.
 *   out      on ST_OK the configuration, for conf_free(); NULL otherwise.
 *   faults   takes every fault. Warnings alone leave ST_OK.
 * Returns    ST_OK; ST_MALFORMED when there are errors, unreadable files among them (all are in
 *            faults); ST_NOMEM. Threads: any; opens files and blocks. */
status_t conf_read(const char *path, conf_t **out, conf_faults_t *faults);

/* The control socket alone, as far as the files name it, whatever else is wrong with them: who has to mend them
 * wants to see how the daemon stands. malloc'd. NULL: the main file can't be read, or no memory; faults say so.
 * Threads: as conf_read(). */
char *conf_read_control(const char *path, conf_faults_t *faults);

/* The same from memory, called name in faults; no other file is opened, so [include] is a fault. */
status_t conf_read_memory(const char *name, const char *text, size_t len, conf_t **out,
                          conf_faults_t *faults);

/* Give each key of next the number that the same key (name, algorithm, secret) has in now, or one that none there
 * has: so a number means one key, whichever of the two it is looked up in. Access lists go along. Before next is
 * used. ST_LIMIT: there are no more numbers; ST_NOMEM. */
status_t conf_number_keys(conf_t *next, const conf_t *now);

/* A zone that the files don't name, as if they did, from those of these primaries that there are; with the options of
 * a group of exactly these, if there is one. Its file is called from. Zones move: whoever points to one looks anew.
 * ST_NOMEM: some of it may be there. Before anybody else looks. */
status_t conf_adopt(conf_t *conf, const uint8_t *apex, const char *const *primaries, size_t count,
                    const char *from);

/* Try, as whoever this process is now, what a daemon does with the paths that it read or that stand in it: read the files
 * again (a reload does), write to the state-dir and to what is in it, make the socket. A directory that is not there is
 * no fault: who starts makes it, or tells.
 *   user, group   who that is, for texts.
 *   faults        takes what is closed to it, where it was named, and what to do.
 * ST_OK, also with faults; ST_NOMEM. conf_read() made conf; any thread. */
status_t conf_reach(const conf_t *conf, const char *user, const char *group, conf_faults_t *faults);

/* NULL is fine. */
void conf_free(conf_t *conf);

/* "file:line: text", "file:line: warning: text", or "file: text" without a line; cut to fit. */
const char *conf_fault_text(const conf_fault_t *fault, char *out, size_t room);

/* Each fault as a line of its own. */
void conf_faults_print(const conf_faults_t *faults, FILE *to);

/* Leaves an empty list. */
void conf_faults_free(conf_faults_t *faults);

/* --- the table of options ----------------------------------------------------------------- */

typedef enum conf_section {
	CONF_SERVER,
	CONF_LOG,
	CONF_KEY,
	CONF_PRIMARY,
	CONF_GROUP,
	CONF_ZONES, /* its keys are zone names, not options */
	CONF_INCLUDE,
	CONF_SECTIONS,
} conf_section_t;

typedef enum conf_type {
	CONF_NUMBER,     /* uint32_t */
	CONF_COUNT,      /* uint64_t */
	CONF_SECONDS,    /* uint32_t; s, m, h, d, w behind the number */
	CONF_SIZE,       /* uint64_t octets; k, M, G behind the number */
	CONF_SHARE,      /* uint32_t percent; % behind the number */
	CONF_TEXT,       /* const char *, may be empty */
	CONF_OCTETS,     /* uint8_t list: text as it is, or 0x and hex digits; may be empty */
	CONF_SWITCH,     /* bool: on or off */
	CONF_CHOICE,     /* conf_choice_t: off, warn or refuse */
	CONF_ZONEMD,     /* conf_zonemd_t: off, if-present or required */
	CONF_DURABILITY, /* bool, is it relaxed: commit or relaxed */
	CONF_PATH,       /* const char *, relative to the file */
	CONF_DIR,        /* the same, of a directory; may be empty */
	CONF_SOCKET,     /* the same, of a socket; may be empty */
	CONF_USER,       /* const char *: NAME or NAME:GROUP, which need not exist; may be empty */
	CONF_LOG_TARGET,
	CONF_LOG_LEVEL,
	CONF_LOG_FACILITY,
	CONF_ADDRESSES, /* addr_t list; adds up */
	CONF_PREFIXES,  /* addr_prefix_t list; adds up */
	CONF_SOURCES,   /* one address of each family; adds up */
	CONF_NAMES,     /* names of primaries; adds up */
	CONF_KEY_NAME,
	CONF_ALGORITHM,
	CONF_SECRET,
	CONF_SECRET_FILE,
	CONF_COOKIE_SECRETS, /* siphash_key_t list, 32 hex digits each; adds up */
	CONF_FILES,          /* settings to include; adds up */
	CONF_LISTS,          /* zone lists to include; adds up */
} conf_type_t;

typedef struct conf_option {
	conf_section_t section;
	const char *key;
	conf_type_t type;
	bool required;        /* in each section of this kind */
	bool may_be_off;      /* of numbers: "off" is 0 */
	uint64_t min, max;    /* of numbers */
	uint16_t port;        /* of addresses that name none; 0: that of DNS */
	const char *fallback; /* the default as it would stand in the file; NULL: none */
	size_t offset;        /* of the target in conf_t, conf_primary_t or conf_group_t */
	size_t count_offset;  /* of the list's count beside it */
} conf_option_t;

size_t conf_option_count(void);
const conf_option_t *conf_option_at(size_t i);

/* "server", "primary", ... as it stands in a section's title. */
const char *conf_section_text(conf_section_t section);

/* May an option of this type stand several times, each adding to the list? */
bool conf_type_adds_up(conf_type_t type);
