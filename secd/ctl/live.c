/* ctl/live.c - which zones, at which addresses; and what was found, as a table. */
#include "ctl/live.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/grow.h"
#include "ctl/live_ask.h"
#include "ctl/live_words.h"
#include "ctl/show.h"
#include "dns/name.h"
#include "dns/soa.h"

typedef struct live {
	const ctl_live_order_t *order;
	char (*patterns)[CTL_PATTERN_MAX];
	live_check_t *checks; /* of one zone in a row */
	size_t count, room, zones, failed;
	mono_t began;
} live_t;

/* --- which ------------------------------------------------------------------------------------- */

static status_t read_globs(live_t *l)
{
	const ctl_live_order_t *o = l->order;

	l->patterns = calloc(o->glob_count + 1, sizeof *l->patterns);
	if (!l->patterns)
		return ST_NOMEM;
	for (size_t i = 0; i < o->glob_count; i++) {
		if (!ctl_read_pattern(o->globs[i], l->patterns[i])) {
			fprintf(stderr, "secd: --zone %.100s: no pattern of names\n", o->globs[i]);
			return ST_MALFORMED;
		}
	}
	return ST_OK;
}

static bool is_wanted(const live_t *l, const conf_zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	if (l->order->glob_count == 0)
		return true;
	dns_name_text(z->apex, name);
	for (size_t i = 0; i < l->order->glob_count; i++) {
		if (fnmatch(l->patterns[i], name, FNM_NOESCAPE) == 0)
			return true;
	}
	return false;
}

static status_t add_zone(live_t *l, const conf_zone_t *z)
{
	for (size_t i = 0; i < z->group->primary_count; i++) {
		const conf_primary_t *p = z->group->primaries[i];

		for (size_t j = 0; j < p->address_count; j++) {
			live_check_t *checks = grow(l->checks, l->count, &l->room, sizeof *checks);

			if (!checks)
				return ST_NOMEM;
			l->checks = checks;
			l->checks[l->count++] = (live_check_t){
				.zone = z,
				.primary = p,
				.addr = &p->addresses[j],
			};
		}
	}
	l->zones++;
	return ST_OK;
}

static status_t add_zones(live_t *l)
{
	const conf_t *conf = l->order->conf;
	status_t st = ST_OK;

	for (size_t i = 0; i < conf->zone_count && st == ST_OK; i++) {
		if (is_wanted(l, &conf->zones[i]))
			st = add_zone(l, &conf->zones[i]);
	}
	if (st != ST_OK || l->zones > 0)
		return st;
	fprintf(stderr, "secd: %s: there is no zone to ask for%s\n", l->order->settings,
	        l->order->glob_count > 0 ? " that matches" : "");
	return ST_NOENT;
}

/* --- serials ----------------------------------------------------------------------------------- */

/* What a check shows of the zone. */
static bool shown_by(const live_check_t *c, uint32_t *serial)
{
	static const live_question_t best[] = { LIVE_TRANSFER, LIVE_TCP, LIVE_UDP };

	for (size_t i = 0; i < ARRAY_LEN(best); i++) {
		if (c->found[best[i]].why.code == XFR_WHY_NONE) {
			*serial = c->found[best[i]].serial;
			return true;
		}
	}
	return false;
}

/* The check of a row that shows the newest; NULL: none shows any. Where they have no order, the first. */
static const live_check_t *newest_of(const live_check_t *row, size_t count)
{
	const live_check_t *best = NULL;
	uint32_t newest = 0, serial;

	for (size_t i = 0; i < count; i++) {
		if (!shown_by(&row[i], &serial))
			continue;
		if (!best || dns_serial_compare(serial, newest) == DNS_SERIAL_NEWER) {
			best = &row[i];
			newest = serial;
		}
	}
	return best;
}

/* --- the report -------------------------------------------------------------------------------- */

typedef struct line {
	const live_check_t *check, *newest; /* newest: of its zone */
	bool has_serial;
	uint32_t serial;
	dns_serial_order_t order; /* of it beside the newest */
	bool good;
} line_t;

static line_t look(const live_check_t *c, const live_check_t *newest)
{
	line_t l = { .check = c, .newest = newest, .order = DNS_SERIAL_EQUAL, .good = true };
	uint32_t best;

	l.has_serial = shown_by(c, &l.serial);
	if (l.has_serial && shown_by(newest, &best))
		l.order = dns_serial_compare(l.serial, best);
	for (unsigned q = 0; q < LIVE_QUESTIONS; q++)
		l.good = l.good && live_is_good(&c->found[q], q);
	l.good = l.good && l.order == DNS_SERIAL_EQUAL;
	return l;
}

/* What stands for one question; the serial of a transfer that begins is judged beside the others'. */
static const char *words_of(const line_t *l, live_question_t q, char out[LIVE_WORDS_MAX])
{
	const live_finding_t *f = &l->check->found[q];
	uint32_t newest;

	if (l->order != DNS_SERIAL_EQUAL && f->why.code == XFR_WHY_NONE &&
	    shown_by(l->newest, &newest)) {
		snprintf(out, LIVE_WORDS_MAX,
		         l->order == DNS_SERIAL_OLDER
		                 ? "serial %u: older, %s has %u"
		                 : "serial %u: neither older nor newer, %s has %u",
		         f->serial, l->newest->primary->name, newest);
		return out;
	}
	return live_words(f, q, l->check->primary->key, l->has_serial, out);
}

static const char *code_of(const line_t *l, live_question_t q, char out[LIVE_CODE_MAX])
{
	const live_finding_t *f = &l->check->found[q];

	if (l->order == DNS_SERIAL_EQUAL || f->why.code != XFR_WHY_NONE)
		return live_code(f, q, out);
	snprintf(out, LIVE_CODE_MAX, "%s", l->order == DNS_SERIAL_OLDER ? "OLDER" : "UNDEFINED");
	return out;
}

static const char *const questions[LIVE_QUESTIONS] = {
	[LIVE_UDP] = "udp",
	[LIVE_TCP] = "tcp",
	[LIVE_TRANSFER] = "transfer",
};

static void put_serial(report_t *out, bool has, uint32_t serial)
{
	if (has)
		report_number(out, "serial", serial);
	else
		report_none(out, "serial");
}

static void put_json_finding(report_t *out, const line_t *l, live_question_t q)
{
	const live_finding_t *f = &l->check->found[q];
	char words[LIVE_WORDS_MAX], code[LIVE_CODE_MAX];
	const char *wrong = code_of(l, q, code);

	report_open(out, questions[q]);
	report_flag(out, "good", !wrong);
	put_serial(out, f->why.code == XFR_WHY_NONE, f->serial);
	report_word(out, "code", wrong);
	report_word(out, "words", words_of(l, q, words));
	report_close(out);
}

static void put_finding(report_t *out, const line_t *l, live_question_t q)
{
	char words[LIVE_WORDS_MAX], code[LIVE_CODE_MAX];

	report_toned(out, questions[q], words_of(l, q, words),
	             code_of(l, q, code) ? REPORT_BAD : REPORT_GOOD);
}

static void put_clock(report_t *out, const live_check_t *c, bool json)
{
	char text[24];

	if (!c->has_skew)
		report_none(out, "clock");
	else if (json)
		report_signed(out, "clock", c->skew);
	else
		report_word(out, "clock", (snprintf(text, sizeof text, "%+d s", c->skew), text));
}

static void put_line(report_t *out, const line_t *l, bool json)
{
	const live_check_t *c = l->check;
	char text[DNS_NAME_TEXT_MAX];

	report_item(out);
	report_word(out, "zone", dns_name_text(c->zone->apex, text));
	report_word(out, "primary", c->primary->name);
	report_word(out, "address", addr_text(c->addr, text));
	report_word(out, "key", c->primary->key ? c->primary->key->name : NULL);
	put_clock(out, c, json);
	if (json) {
		report_flag(out, "good", l->good);
		put_serial(out, l->has_serial, l->serial);
	}
	for (unsigned q = 0; q < LIVE_QUESTIONS; q++) {
		if (json)
			put_json_finding(out, l, q);
		else
			put_finding(out, l, q);
	}
	report_close(out);
}

/* Calls put for each check, if there is one; returns how many are not good. */
static size_t each_line(const live_t *live, report_t *out, bool json)
{
	size_t failed = 0, end;

	for (size_t begin = 0; begin < live->count; begin = end) {
		for (end = begin;
		     end < live->count && live->checks[end].zone == live->checks[begin].zone;)
			end++;
		const live_check_t *newest = newest_of(&live->checks[begin], end - begin);

		for (size_t i = begin; i < end; i++) {
			const line_t l = look(&live->checks[i], newest);

			failed += !l.good;
			if (out)
				put_line(out, &l, json);
		}
	}
	return failed;
}

static status_t tell(live_t *l)
{
	const bool json = l->order->form == REPORT_JSON;
	const mono_t now = clock_mono();
	report_t *out = report_new(now, clock_wall_ms());
	char *text;
	size_t len;

	if (!out)
		return ST_NOMEM;
	l->failed = each_line(l, NULL, json);
	report_word(out, "settings", l->order->settings);
	report_number(out, "zones", l->zones);
	report_number(out, "checks", l->count);
	report_number(out, "failed", l->failed);
	report_ms(out, "took", (uint64_t)(mono_diff(l->began, now) * 1000));
	report_list(out, "results");
	(void)each_line(l, out, json);
	report_close(out);
	const status_t st = report_render(out, l->order->form, &text, &len);
	report_free(out);
	if (st != ST_OK)
		return st;
	const bool written = fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0;
	free(text);
	return written ? ST_OK : ST_SYSTEM;
}

int ctl_live(const ctl_live_order_t *order)
{
	live_t l = { .order = order, .began = clock_mono() };
	status_t st = read_globs(&l);

	if (st == ST_OK)
		st = add_zones(&l);
	if (st == ST_OK)
		st = live_ask(order->conf, order->keys, l.checks, l.count, isatty(STDERR_FILENO));
	if (st == ST_OK)
		st = tell(&l);
	if (st == ST_NOMEM || st == ST_SYSTEM)
		fprintf(stderr, "secd: %s\n", status_text(st));
	live_checks_free(l.checks, l.count);
	free(l.patterns);
	return st == ST_OK && l.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
