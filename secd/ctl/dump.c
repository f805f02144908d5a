/* ctl/dump.c - walk, print, write; and who frees what when one side is in a hurry. */
#include "ctl/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "ctl/request.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "dns/wire.h"

enum {
	NICE = 10,
	CHUNK = 64 * 1024, /* octets of text that are written at once */
	FRAME_MAX = 32,    /* "data N\n" */
};

/* Who comes second frees all. */
typedef enum stage { DUMP_RUNS, DUMP_SENT, DUMP_ABANDONED } stage_t;

struct ctl_dump {
	mail_t mail; /* first: the mailbox hands out this pointer */
	ctl_dump_order_t order;
	pthread_t thread;
	bool joined;
	_Atomic int stage;

	/* The thread's. */
	const zone_version_t *v;
	dns_text_t *text;
	mono_t began, progress;
	status_t status; /* sticks: what follows does nothing */
	uint64_t records, octets;
	size_t len, room;
	char *out; /* FRAME_MAX, then len octets of text */
	uint8_t rdata[65535];
};

/* --- octets to the client --------------------------------------------------------------------- */

/* Wait until the client takes more, or the time is up. */
static status_t wait_writable(ctl_dump_t *d)
{
	struct pollfd p = { .fd = d->order.fd, .events = POLLOUT };
	mono_t now = clock_mono();
	double left = d->order.idle - mono_diff(d->progress, now);
	double all_left = d->order.total - mono_diff(d->began, now);

	if (all_left < left)
		left = all_left;
	if (left <= 0)
		return ST_TIMEOUT;
	return poll(&p, 1, (int)(left * 1000) + 1) < 0 && errno != EINTR ? ST_SYSTEM : ST_OK;
}

static void write_all(ctl_dump_t *d, const char *at, size_t len)
{
	while (d->status == ST_OK && len > 0) {
		ssize_t n = send(d->order.fd, at, len, MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
			d->progress = clock_mono();
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			d->status = wait_writable(d);
		} else if (errno != EINTR) {
			d->status = ST_SYSTEM;
		}
	}
	if (mono_diff(d->began, d->progress) > d->order.total && d->status == ST_OK)
		d->status = ST_TIMEOUT;
}

/* What has gathered, with its frame right in front of it. */
static void flush(ctl_dump_t *d)
{
	char frame[FRAME_MAX];
	size_t n;

	if (d->len == 0)
		return;
	n = (size_t)snprintf(frame, sizeof frame, "data %zu\n", d->len);
	memcpy(d->out + FRAME_MAX - n, frame, n);
	write_all(d, d->out + FRAME_MAX - n, n + d->len);
	d->octets += d->len;
	d->len = 0;
}

static char *room_for(ctl_dump_t *d, size_t len)
{
	if (d->len >= CHUNK)
		flush(d);
	if (d->status != ST_OK)
		return NULL;
	if (d->len + len > d->room) {
		size_t room = d->len + len + CHUNK;
		char *grown = realloc(d->out, FRAME_MAX + room);

		if (!grown) {
			d->status = ST_NOMEM;
			return NULL;
		}
		d->out = grown;
		d->room = room;
	}
	return d->out + FRAME_MAX + d->len;
}

static void print(ctl_dump_t *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void print(ctl_dump_t *d, const char *fmt, ...)
{
	enum { LINE_MAX_HERE = 2 * DNS_NAME_TEXT_MAX };
	char *at = room_for(d, LINE_MAX_HERE);
	va_list args;

	if (!at)
		return;
	va_start(args, fmt);
	d->len += (size_t)vsnprintf(at, LINE_MAX_HERE, fmt, args);
	va_end(args);
}

/* text as it is, or as a JSON string. */
static void put_text(ctl_dump_t *d, const char *text)
{
	size_t len = strlen(text);
	bool json = d->order.form == REPORT_JSON;
	char *at = room_for(d, json ? 6 * len + 3 : len);

	if (!at)
		return;
	if (json)
		len = report_json_string(text, at);
	else
		memcpy(at, text, len);
	d->len += len;
}

/* --- the zone --------------------------------------------------------------------------------- */

static void put_record(ctl_dump_t *d, const char *owner, uint16_t type, uint32_t ttl, size_t rdlen)
{
	char name[DNS_TYPE_TEXT_MAX];
	const char *text = dns_text_rdata(d->text, type, d->rdata, rdlen);

	if (!text) {
		d->status = ST_NOMEM;
		return;
	}
	if (d->order.form == REPORT_JSON) {
		print(d, "%s\n{\"owner\":", d->records > 0 ? "," : "");
		put_text(d, owner);
		print(d, ",\"ttl\":%u,\"type\":\"%s\",\"data\":", ttl, dns_type_text(type, name));
		put_text(d, text);
		print(d, "}");
	} else {
		put_text(d, owner);
		print(d, "\t%u\tIN\t%s\t", ttl, dns_type_text(type, name));
		put_text(d, text);
		print(d, "\n");
	}
	d->records++;
}

static void put_rrset(ctl_dump_t *d, const zone_node_t *node, const char *owner,
                      const zone_rrset_t *set)
{
	const uint8_t *at = set->wire;

	for (unsigned i = 0; i < (unsigned)set->count + set->sig_count && d->status == ST_OK; i++) {
		uint16_t type;
		uint32_t ttl;
		size_t len = zone_rrset_take(d->v, node, set, &at, &type, &ttl, d->rdata);

		put_record(d, owner, type, ttl, len);
	}
}

static void put_node(ctl_dump_t *d, const zone_node_t *node)
{
	char owner[DNS_NAME_TEXT_MAX];
	dns_name_t name;
	zone_rrset_t set;
	bool is_apex = zone_node_flags(node) & ZONE_NODE_APEX;

	if (!zone_node_first(d->v, node, &set))
		return;
	zone_node_name(d->v, node, &name);
	dns_text_name(name.wire, owner);
	if (is_apex) {
		zone_rrset_t soa = set;

		for (bool more = true; more; more = zone_node_next(d->v, node, &soa)) {
			if (soa.type == DNS_TYPE_SOA)
				put_rrset(d, node, owner, &soa);
		}
	}
	for (bool more = true; more; more = zone_node_next(d->v, node, &set)) {
		if (!is_apex || set.type != DNS_TYPE_SOA)
			put_rrset(d, node, owner, &set);
	}
}

/* Does the owner of NSEC3 come before the name? Neither is the other's. */
static bool comes_before(const ctl_dump_t *d, const zone_node_t *owner, const zone_node_t *node)
{
	dns_name_t a, b;

	zone_node_name(d->v, owner, &a);
	zone_node_name(d->v, node, &b);
	return dns_name_cmp(&a, &b) < 0;
}

/* The names, and between them the owners of NSEC3, which are kept apart. */
static void put_zone(ctl_dump_t *d)
{
	zone_walk_t *names = zone_walk_new(d->v, false), *denial = zone_walk_new(d->v, true);
	const zone_node_t *node, *owner = NULL;

	if (names && denial)
		owner = zone_walk_next(denial);
	else
		d->status = ST_NOMEM;
	while (d->status == ST_OK && (node = zone_walk_next(names))) {
		for (; owner && comes_before(d, owner, node); owner = zone_walk_next(denial))
			put_node(d, owner);
		put_node(d, node);
	}
	for (; d->status == ST_OK && owner; owner = zone_walk_next(denial))
		put_node(d, owner);
	zone_walk_free(names);
	zone_walk_free(denial);
}

static void put_head(ctl_dump_t *d)
{
	uint32_t serial = zone_version_soa(d->v)->serial;
	unsigned long long records = zone_version_records(d->v);
	char name[DNS_NAME_TEXT_MAX];

	dns_name_text(zone_version_apex_name(d->v), name);
	if (d->order.form == REPORT_JSON) {
		print(d, "{\"now\":%lld.%03d,\"zone\":", (long long)(d->order.wall_ms / 1000),
		      (int)(d->order.wall_ms % 1000));
		put_text(d, name);
		print(d, ",\"serial\":%u,\"count\":%llu,\"records\":[", serial, records);
	} else {
		print(d, "; %s serial %u, %llu records, as held by secd\n", name, serial, records);
	}
}

static void put_all(ctl_dump_t *d)
{
	write_all(d, CTL_PROTOCOL "\n", strlen(CTL_PROTOCOL "\n"));
	put_head(d);
	put_zone(d);
	if (d->order.form == REPORT_JSON)
		print(d, "\n]}\n");
	flush(d);
	if (d->status == ST_OK) {
		write_all(d, "done\n", 5);
	} else if (d->status == ST_NOMEM) { /* between two frames: there is a client to tell */
		d->status = ST_OK;
		write_all(d, "no out of memory\n", 17);
		d->status = ST_NOMEM;
	}
}

static void log_end(const ctl_dump_t *d)
{
	double seconds = mono_diff(d->began, clock_mono());
	char name[DNS_NAME_TEXT_MAX];

	dns_name_text(zone_version_apex_name(d->v), name);
	if (d->status == ST_OK)
		log_info("control dumped zone=%s serial=%u records=%llu bytes=%llu seconds=%.3f",
		         name, zone_version_soa(d->v)->serial, (unsigned long long)d->records,
		         (unsigned long long)d->octets, seconds);
	else
		log_info("control dump-ended zone=%s bytes=%llu seconds=%.3f why=\"%s\"", name,
		         (unsigned long long)d->octets, seconds,
		         d->status == ST_SYSTEM ? "the client is gone" : status_text(d->status));
}

/* --- life ------------------------------------------------------------------------------------- */

/* All but the struct, which is the last to go. */
static void let_go(ctl_dump_t *d)
{
	dns_text_free(d->text);
	zone_hold_free(d->order.hold);
	free(d->out);
	close(d->order.fd);
	d->text = NULL;
	d->order.hold = NULL;
	d->out = NULL;
}

static void *run(void *arg)
{
	ctl_dump_t *d = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	d->v = zone_hold_version(d->order.hold);
	d->began = d->progress = clock_mono();
	d->text = dns_text_new();
	if (!d->text)
		d->status = ST_NOMEM;
	put_all(d);
	log_end(d);
	let_go(d);
	/* The mail first: whoever abandons it after that finds it sent, and joins. */
	if (atomic_exchange(&d->stage, DUMP_SENT) == DUMP_ABANDONED)
		free(d);
	else
		mailbox_send(d->order.ended, &d->mail);
	return NULL;
}

ctl_dump_t *ctl_dump_start(const ctl_dump_order_t *order)
{
	ctl_dump_t *d = calloc(1, sizeof *d);
	sigset_t all, before;

	if (!d) {
		zone_hold_free(order->hold);
		return NULL;
	}
	d->order = *order;
	/* Of its own: an abandoned one must not write to whoever gets the number next. */
	d->order.fd = fcntl(order->fd, F_DUPFD_CLOEXEC, 0);
	atomic_init(&d->stage, DUMP_RUNS);
	sigfillset(&all); /* signals belong to the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = d->order.fd < 0 ? errno : pthread_create(&d->thread, NULL, run, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err == 0) {
		pthread_setname_np(d->thread, "secd-dump");
		return d;
	}
	let_go(d);
	free(d);
	return NULL;
}

void *ctl_dump_of(mail_t *mail, ctl_dump_t **dump)
{
	*dump = (ctl_dump_t *)(void *)mail;
	return (*dump)->order.arg;
}

void ctl_dump_end(ctl_dump_t *d)
{
	if (!d->joined)
		pthread_join(d->thread, NULL);
	free(d);
}

void ctl_dump_abandon(ctl_dump_t *d, int fd)
{
	struct timespec until;

	/* Not the thread's, which may be closed, and its number another's. */
	shutdown(fd, SHUT_RDWR);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 250 * NS_PER_MS;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	d->joined = pthread_timedjoin_np(d->thread, NULL, &until) == 0;
	if (d->joined)
		return;
	/* It sorts a large zone. From here on d may be gone, unless its mail is on the way. */
	pthread_t thread = d->thread;
	if (atomic_exchange(&d->stage, DUMP_ABANDONED) == DUMP_RUNS)
		pthread_detach(thread);
	else
		d->joined = pthread_join(thread, NULL) == 0;
}
