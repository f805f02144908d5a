/* ctl/skew_client.c - ask the daemon, ask the world, compare, tell. */
#include "ctl/skew_client.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/grow.h"
#include "ctl/report.h"
#include "ctl/skew_judge.h"
#include "ctl/skew_udp.h"
#include "dns/wire.h"

enum {
	AGAIN_MS = 100,      /* between two looks at a refresh that is under way ... */
	REFRESH_MS = 15000,  /* ... and how long it is waited for */
	WORDS_MAX = 8,       /* of a line; what is behind is the last one's */
	ADDRESSES_MOST = 16, /* of a name that the resolver knows */
};

typedef enum role { ROLE_HERE, ROLE_PRIMARY, ROLE_SERVER } role_t;

typedef struct row {
	role_t role;
	char *name, *address; /* NULL: none */
	bool has_serial, asked;
	uint32_t serial;
	skew_ask_t ask; /* asked */
	char why[256];  /* what is wrong beside its serial; "" */
	skew_verdict_t verdict;
} row_t;

typedef struct skew {
	const ctl_asker_t *asker;
	const char *zone;
	bool refreshes, json;
	skew_limit_t warn, critical;
	uint16_t port;

	dns_name_t apex;
	row_t *rows;
	size_t count, room;
	bool has_want, busy;
	uint32_t want;
	uint64_t loaded, checked; /* seconds ago */
	skew_grade_t worst;
} skew_t;

static int fail(const char *what)
{
	fprintf(stderr, "secdctl: %s\n", what);
	return SKEW_UNKNOWN;
}

/* --- arguments --------------------------------------------------------------------------------- */

static bool is_either(const char *word, const char *brief, const char *whole)
{
	return strcmp(word, brief) == 0 || strcmp(word, whole) == 0;
}

/* An option and its value; false: it makes no sense. */
static bool read_option(skew_t *s, const char *word, const char *value)
{
	if (!value)
		return false;
	if (is_either(word, "-w", "--warning"))
		return skew_limit_read(value, &s->warn);
	if (is_either(word, "-c", "--critical"))
		return skew_limit_read(value, &s->critical);
	return is_either(word, "-P", "--port") && addr_parse_port(value, &s->port) == ST_OK;
}

static bool read_words(skew_t *s, char **words)
{
	for (; *words; words++) {
		if (strcmp(*words, "--ask") == 0) {
			s->refreshes = true;
		} else if (**words == '-') {
			if (!read_option(s, words[0], words[1]))
				return false;
			words++;
		} else if (!s->zone) {
			s->zone = *words;
		} else {
			return false;
		}
	}
	return s->zone;
}

/* --- what the daemon knows --------------------------------------------------------------------- */

static row_t *add_row(skew_t *s, role_t role, const char *name, const char *address)
{
	row_t *rows = grow(s->rows, s->count, &s->room, sizeof *rows);

	if (!rows)
		return NULL;
	s->rows = rows;
	row_t *r = &s->rows[s->count++];
	*r = (row_t){ .role = role };
	r->name = name ? strdup(name) : NULL;
	r->address = address ? strdup(address) : NULL;
	return r;
}

static void clear_rows(skew_t *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->rows[i].name);
		free(s->rows[i].address);
	}
	s->count = 0;
}

/* The words of a line: the last one is all that is left of it. Returns how many. */
static unsigned split(char *line, char *words[WORDS_MAX], unsigned most)
{
	unsigned count = 0;

	while (count + 1 < most) {
		char *blank = strchr(line, ' ');

		words[count++] = line;
		if (!blank)
			return count;
		*blank = '\0';
		line = blank + 1;
	}
	words[count++] = line;
	return count;
}

static uint64_t number(const char *word)
{
	return strtoull(word, NULL, 10);
}

static bool read_held(skew_t *s, char **words)
{
	row_t *here = add_row(s, ROLE_HERE, NULL, NULL);

	if (!here)
		return false;
	here->has_serial = true;
	here->serial = (uint32_t)number(words[1]);
	s->loaded = number(words[2]);
	s->checked = number(words[3]);
	return true;
}

/* Whose serial does not come from here, though it is held. */
static bool read_served(skew_t *s, char **words)
{
	row_t *here = s->count > 0 ? &s->rows[0] : add_row(s, ROLE_HERE, NULL, NULL);

	if (!here)
		return false;
	if (strcmp(words[1], "yes") != 0)
		snprintf(here->why, sizeof here->why, "answers SERVFAIL: it %s",
		         strcmp(words[1], "expired") == 0 ? "has expired"
		                                          : "was never transferred");
	return true;
}

static bool read_primary(skew_t *s, char **words)
{
	row_t *r = add_row(s, ROLE_PRIMARY, words[1], words[2]);

	if (!r)
		return false;
	r->has_serial = strcmp(words[3], "-") != 0;
	r->serial = (uint32_t)number(words[3]);
	if (strcmp(words[5], "-") != 0)
		snprintf(r->why, sizeof r->why, "%s", words[5]);
	else if (!r->has_serial)
		snprintf(r->why, sizeof r->why, "was not asked yet");
	return true;
}

static bool read_server(skew_t *s, char **words)
{
	return add_row(s, ROLE_SERVER, words[1], strcmp(words[2], "-") != 0 ? words[2] : NULL);
}

/* A line of ctl/skew.h; false: no memory. */
static bool read_line(skew_t *s, char *line)
{
	char *words[WORDS_MAX];
	const bool is_primary = strncmp(line, "primary ", 8) == 0;
	const unsigned count = split(line, words, is_primary ? 6 : WORDS_MAX);

	if (strcmp(words[0], "zone") == 0 && count == 2)
		return dns_name_from_text(words[1], &s->apex) == ST_OK;
	if (strcmp(words[0], "held") == 0 && count == 4)
		return read_held(s, words);
	if (strcmp(words[0], "served") == 0 && count == 2)
		return read_served(s, words);
	if (strcmp(words[0], "round") == 0 && count == 2)
		s->busy = strcmp(words[1], "over") != 0;
	if (is_primary && count == 6)
		return read_primary(s, words);
	if (strcmp(words[0], "server") == 0 && count == 3)
		return read_server(s, words);
	return true;
}

/* 0, or the exit status after a message. */
static int ask_daemon(skew_t *s)
{
	char *words[] = { (char[]){ "skew" }, strdup(s->zone), NULL }, *text = NULL, *save = NULL;
	size_t len;
	FILE *to = words[1] ? open_memstream(&text, &len) : NULL;
	bool good = to;

	clear_rows(s);
	if (to && s->asker->ask(s->asker->arg, words, to) != 0) {
		fclose(to);
		free(text);
		free(words[1]);
		return SKEW_UNKNOWN;
	}
	good = to && fclose(to) == 0;
	for (char *line = good ? strtok_r(text, "\n", &save) : NULL; line && good;
	     line = strtok_r(NULL, "\n", &save))
		good = read_line(s, line);
	free(text);
	free(words[1]);
	return good ? 0 : fail("out of memory");
}

/* Have it ask its primaries now, and wait until it has. */
static int refresh(skew_t *s)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * NS_PER_MS };
	const mono_t until = mono_add_ms(clock_mono(), REFRESH_MS);
	char *words[] = { (char[]){ "refresh" }, strdup(s->zone), NULL }, *text = NULL;
	size_t len;
	FILE *to = words[1] ? open_memstream(&text, &len) : NULL;
	int code = to ? s->asker->ask(s->asker->arg, words, to) : fail("out of memory");

	if (to)
		fclose(to);
	free(text);
	free(words[1]);
	if (code != 0)
		return SKEW_UNKNOWN;
	do {
		code = ask_daemon(s);
		if (code != 0 || !s->busy)
			return code;
		nanosleep(&pause, NULL);
	} while (mono_before(clock_mono(), until));
	return 0;
}

/* --- name servers ------------------------------------------------------------------------------ */

/* The addresses of a name server that no zone of the daemon knows: further rows. */
static void resolve(skew_t *s, size_t at)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *all = NULL;
	char text[NI_MAXHOST];
	unsigned count = 0;
	const int err = getaddrinfo(s->rows[at].name, NULL, &hints, &all);

	if (err != 0)
		snprintf(s->rows[at].why, sizeof s->rows[at].why, "has no address: %s",
		         gai_strerror(err));
	for (const struct addrinfo *i = all; i && count < ADDRESSES_MOST; i = i->ai_next) {
		if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0,
		                NI_NUMERICHOST) != 0)
			continue;
		if (count++ == 0)
			s->rows[at].address = strdup(text);
		else
			(void)add_row(s, ROLE_SERVER, s->rows[at].name, text);
	}
	if (all)
		freeaddrinfo(all);
}

static void ask_servers(skew_t *s)
{
	skew_ask_t *asks;
	size_t count = 0;

	for (size_t i = 0, known = s->count; i < known; i++) {
		if (s->rows[i].role == ROLE_SERVER && !s->rows[i].address)
			resolve(s, i);
	}
	asks = calloc(s->count + 1, sizeof *asks);
	for (size_t i = 0; asks && i < s->count; i++) {
		row_t *r = &s->rows[i];

		r->asked = r->role == ROLE_SERVER && r->address &&
		           addr_parse(r->address, s->port, &asks[count].to) == ST_OK;
		count += r->asked;
	}
	if (asks)
		skew_udp_ask(&s->apex, asks, count);
	count = 0;
	for (size_t i = 0; asks && i < s->count; i++) {
		row_t *r = &s->rows[i];

		if (!r->asked)
			continue;
		r->ask = asks[count++];
		r->has_serial = r->ask.answered;
		r->serial = r->ask.serial;
		snprintf(r->why, sizeof r->why, "%s", r->ask.why);
	}
	free(asks);
}

/* --- verdicts ---------------------------------------------------------------------------------- */

/* What is held, or what a primary has shown. */
static void find_want(skew_t *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const row_t *r = &s->rows[i];
		const uint32_t two[] = { s->want, r->serial };

		if (r->role == ROLE_SERVER || !r->has_serial)
			continue;
		s->want = s->has_want ? skew_newest(two, 2) : r->serial;
		s->has_want = true;
	}
}

/* A primary that fails is a warning, since what it has given is served still. */
static void judge(skew_t *s, row_t *r)
{
	const bool held = s->count > 0 && s->rows[0].has_serial && s->rows[0].serial == s->want;

	if (r->has_serial && s->has_want)
		r->verdict = skew_judge(r->serial, s->want, held ? s->loaded : s->checked, &s->warn,
		                        &s->critical);
	if (r->why[0] != '\0')
		r->verdict.grade = skew_worst(
			r->verdict.grade, r->role == ROLE_PRIMARY ? SKEW_WARNING : SKEW_CRITICAL);
	s->worst = skew_worst(s->worst, r->verdict.grade);
}

static report_tone_t tone_of(skew_grade_t grade)
{
	switch (grade) {
	case SKEW_OK:
		return REPORT_GOOD;
	case SKEW_WARNING:
		return REPORT_WARN;
	case SKEW_CRITICAL:
	case SKEW_UNKNOWN:
		break;
	}
	return REPORT_BAD;
}

static void put_number(report_t *out, const char *key, bool has, uint32_t n)
{
	if (has)
		report_number(out, key, n);
	else
		report_none(out, key);
}

static void put_row(const skew_t *s, report_t *out, const row_t *r)
{
	static const char *const roles[] = {
		[ROLE_HERE] = "here",
		[ROLE_PRIMARY] = "primary",
		[ROLE_SERVER] = "server",
	};
	const char *lag = r->verdict.why;
	char why[sizeof r->why + sizeof r->verdict.why + 2];

	snprintf(why, sizeof why, "%s%s%s", r->why, r->why[0] != '\0' && *lag != '\0' ? "; " : "",
	         lag);
	report_item(out);
	report_word(out, "role", roles[r->role]);
	report_word(out, "name", r->name);
	report_word(out, "address", r->address);
	put_number(out, "serial", r->has_serial, r->serial);
	put_number(out, "lag", r->has_serial && s->has_want, r->verdict.lag);
	if (r->asked && r->ask.answered)
		report_ms(out, "took", r->ask.ms);
	else
		report_none(out, "took");
	report_toned(out, "status", skew_grade_text(r->verdict.grade), tone_of(r->verdict.grade));
	report_word(out, "why", why[0] != '\0' ? why : NULL);
	report_close(out);
}

static int tell(const skew_t *s)
{
	report_t *out = report_new(clock_mono(), clock_wall_ms());
	char name[DNS_NAME_TEXT_MAX], *text = NULL;
	size_t len;

	if (!out)
		return fail("out of memory");
	report_word(out, "zone", dns_name_text(s->apex.wire, name));
	report_toned(out, "status", skew_grade_text(s->worst), tone_of(s->worst));
	put_number(out, "serial", s->has_want, s->want);
	report_list(out, "servers");
	for (size_t i = 0; i < s->count; i++)
		put_row(s, out, &s->rows[i]);
	report_close(out);
	const status_t st = report_render(out, report_form_for(s->json), &text, &len);
	report_free(out);
	if (st != ST_OK)
		return fail("out of memory");
	const bool written = fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
	free(text);
	return written ? (int)s->worst : SKEW_UNKNOWN;
}

int ctl_skew_client(const ctl_asker_t *asker, char **words, bool json)
{
	skew_t s = {
		.asker = asker,
		.json = json,
		.port = DNS_PORT,
		.warn = { .given = true, .most = 1 },
	};
	int code;

	if (!read_words(&s, words + 1))
		return fail(
			"skew NAME [--ask] [-w LAG] [-c LAG] [-P PORT]; LAG is serials (3), or a "
			"time (90s, 15m, 2h, 1d)");
	code = s.refreshes ? refresh(&s) : ask_daemon(&s);
	if (code == 0) {
		ask_servers(&s);
		find_want(&s);
		for (size_t i = 0; i < s.count; i++)
			judge(&s, &s.rows[i]);
		code = tell(&s);
	}
	clear_rows(&s);
	free(s.rows);
	return code;
}
