/* tests/unit/xfr/support/stream.c - shorthand into wire form. */
#include "tests/unit/xfr/support/stream.h"

#include "common/buf.h"
#include "dns/wire.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t apex_wire[] = "\7example";

typedef struct message {
	bufw_t w;
	bool question; /* is at offset 12, to point at */
	unsigned answers, authority, additional, answers_lie;
	unsigned ext_rcode;
	bool want_opt, want_authority, junk, stray_opt;
	const char *expire; /* NULL: no such option */
	char expire_word[32];
} message_t;

dns_name_t stream_apex(void)
{
	dns_name_t n;

	(void)dns_name_from_text("example.", &n);
	return n;
}

static void put_apex(message_t *m)
{
	if (m->question)
		bufw_u16(&m->w, 0xc000 | DNS_HEADER_LEN);
	else
		bufw_bytes(&m->w, apex_wire, sizeof apex_wire);
}

/* label, or NULL for the apex itself, then the fixed part. Returns where RDLENGTH stands. */
static size_t begin_record(message_t *m, const char *label, unsigned type, unsigned class)
{
	if (label) {
		bufw_u8(&m->w, (unsigned)strlen(label));
		bufw_bytes(&m->w, label, strlen(label));
	}
	put_apex(m);
	bufw_u16(&m->w, type);
	bufw_u16(&m->w, class);
	bufw_u32(&m->w, 3600);
	bufw_u16(&m->w, 0);
	return m->w.pos - 2;
}

static void end_record(message_t *m, size_t rdlen_at)
{
	put_u16(m->w.base + rdlen_at, (unsigned)(m->w.pos - rdlen_at - 2));
}

static void put_a(message_t *m, const char *label, unsigned type, unsigned class)
{
	size_t at = begin_record(m, label, type, class);

	bufw_u32(&m->w, 0xc0000201);
	end_record(m, at);
}

static void put_soa(message_t *m, const char *label, const char *word)
{
	char *rest;
	unsigned long serial = strtoul(word, &rest, 10);
	const bool up = strcmp(rest, "up") == 0, odd = strcmp(rest, "odd") == 0;
	size_t at = begin_record(m, label, DNS_TYPE_SOA, DNS_CLASS_IN);

	bufw_bytes(&m->w, up ? "\2NS" : "\2ns", 3);
	if (up)
		bufw_bytes(&m->w, "\7EXAMPLE", 9);
	else
		put_apex(m);
	bufw_bytes(&m->w, odd ? "\4root" : "\4host", 5);
	put_apex(m);
	bufw_u32(&m->w, (uint32_t)serial);
	for (uint32_t field = 1; field <= 4; field++)
		bufw_u32(&m->w, field * 100);
	end_record(m, at);
}

static void put_big(message_t *m)
{
	size_t at = begin_record(m, "big", DNS_TYPE_TXT, DNS_CLASS_IN);

	for (int i = 0; i < 240; i++) {
		bufw_u8(&m->w, 250);
		memset(bufw_take(&m->w, 250), 'x', 250);
	}
	end_record(m, at);
}

/* A record whose RDATA is some numbers and mail.example., its end a pointer. */
static void put_rdata_name(message_t *m, const char *label, unsigned type, size_t numbers)
{
	size_t at = begin_record(m, label, type, DNS_CLASS_IN);

	for (size_t i = 0; i < numbers; i++)
		bufw_u16(&m->w, 10);
	bufw_bytes(&m->w, "\4mail", 5);
	put_apex(m);
	end_record(m, at);
}

static void put_nsec3(message_t *m)
{
	size_t at = begin_record(m, "nothash", DNS_TYPE_NSEC3, DNS_CLASS_IN);
	static const uint8_t rdata[] = { 1,  0,  0,  0,  0,  20, 1,  2,  3,  4,  5,  6, 7, 8,   9,
		                         10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 0, 1, 0x40 };

	bufw_bytes(&m->w, rdata, sizeof rdata);
	end_record(m, at);
}

static void put_outside(message_t *m)
{
	bufw_bytes(&m->w, "\3www\5other", 11);
	bufw_u16(&m->w, DNS_TYPE_A);
	bufw_u16(&m->w, DNS_CLASS_IN);
	bufw_u32(&m->w, 3600);
	bufw_u16(&m->w, 4);
	bufw_u32(&m->w, 0xc0000201);
}

static void put_broken(message_t *m, const char *word)
{
	size_t at;

	if (strcmp(word, "fwd") == 0) {
		bufw_u16(&m->w, 0xc000u | (unsigned)(m->w.pos + 20));
		bufw_u32(&m->w, 0);
		return;
	}
	at = begin_record(m, word, DNS_TYPE_A, DNS_CLASS_IN);
	bufw_bytes(&m->w, "\300\0\2", 3);
	end_record(m, at);
	if (strcmp(word, "cut") == 0)
		put_u16(m->w.base + at, 400);
}

static void put_ns(message_t *m)
{
	size_t at = begin_record(m, NULL, DNS_TYPE_NS, DNS_CLASS_IN);

	bufw_bytes(&m->w, "\2ns", 3);
	put_apex(m);
	end_record(m, at);
}

static void put_zonemd(message_t *m)
{
	size_t at = begin_record(m, NULL, DNS_TYPE_ZONEMD, DNS_CLASS_IN);

	bufw_u32(&m->w, 5);
	bufw_u16(&m->w, 0x0101); /* SIMPLE, SHA-384 */
	memset(bufw_take(&m->w, 48), 0, 48);
	end_record(m, at);
}

static void put_aged(message_t *m)
{
	size_t at = begin_record(m, "a", DNS_TYPE_A, DNS_CLASS_IN);

	put_u32(m->w.base + at - 4, 60);
	bufw_u32(&m->w, 0xc0000202);
	end_record(m, at);
}

static void put_word(message_t *m, const char *word)
{
	m->answers++;
	if ((word[0] == 'S' || word[0] == 's') && word[1] >= '0' && word[1] <= '9')
		put_soa(m, word[0] == 'S' ? NULL : "sub", word + 1);
	else if (strcmp(word, "ns") == 0)
		put_ns(m);
	else if (strcmp(word, "mx") == 0)
		put_rdata_name(m, NULL, DNS_TYPE_MX, 1);
	else if (strcmp(word, "srv") == 0)
		put_rdata_name(m, "srv", DNS_TYPE_SRV, 3);
	else if (strcmp(word, "dname") == 0)
		put_rdata_name(m, "to", DNS_TYPE_DNAME, 0);
	else if (strcmp(word, "big") == 0)
		put_big(m);
	else if (strcmp(word, "out") == 0)
		put_outside(m);
	else if (strcmp(word, "n3") == 0)
		put_nsec3(m);
	else if (strcmp(word, "zonemd") == 0)
		put_zonemd(m);
	else if (strcmp(word, "aged") == 0)
		put_aged(m);
	else if (strcmp(word, "ch") == 0)
		put_a(m, "ch", DNS_TYPE_A, DNS_CLASS_CH);
	else if (strcmp(word, "opt") == 0)
		put_a(m, "opt", DNS_TYPE_OPT, DNS_CLASS_IN);
	else if (strcmp(word, "any") == 0)
		put_a(m, "any", DNS_TYPE_ANY, DNS_CLASS_IN);
	else if (strcmp(word, "tsig") == 0)
		put_a(m, "tsig", DNS_TYPE_TSIG, DNS_CLASS_IN);
	else if (strcmp(word, "axfr") == 0)
		put_a(m, "axfr", DNS_TYPE_AXFR, DNS_CLASS_IN);
	else if (strcmp(word, "short") == 0 || strcmp(word, "fwd") == 0 || strcmp(word, "cut") == 0)
		put_broken(m, word);
	else
		put_a(m, word, DNS_TYPE_A, DNS_CLASS_IN);
}

/* The header, whose counts follow, and the question. */
static void begin_message(message_t *m, uint16_t id, uint16_t qtype, const char *question)
{
	static const uint8_t other[] = "\5other";

	bufw_u16(&m->w, id);
	bufw_u16(&m->w, DNS_QR | DNS_AA);
	memset(bufw_take(&m->w, 8), 0, 8);
	if (strcmp(question, "-") == 0)
		return;
	put_u16(m->w.base + 4, strcmp(question, "Q:two") == 0 ? 2 : 1);
	if (strcmp(question, "Q:other") == 0)
		bufw_bytes(&m->w, other, sizeof other);
	else
		bufw_bytes(&m->w, apex_wire, sizeof apex_wire);
	bufw_u16(&m->w, strcmp(question, "Q:soa") == 0 ? DNS_TYPE_SOA : qtype);
	bufw_u16(&m->w, strcmp(question, "Q:ch") == 0 ? DNS_CLASS_CH : DNS_CLASS_IN);
	m->question = strcmp(question, "Q:other") != 0;
}

static void put_expire(message_t *m)
{
	const bool cut = strcmp(m->expire, "cut") == 0, empty = m->expire[0] == '\0';

	bufw_u16(&m->w, empty ? 4 : cut ? 6 : 8);
	bufw_u16(&m->w, 9);
	bufw_u16(&m->w, empty ? 0 : 4);
	if (cut)
		bufw_u16(&m->w, 1);
	else if (!empty)
		bufw_u32(&m->w, (uint32_t)strtoul(m->expire, NULL, 10));
}

static void end_message(message_t *m)
{
	if (m->want_authority) {
		put_ns(m);
		m->authority++;
	}
	if (m->want_opt) {
		bufw_u8(&m->w, 0);
		bufw_u16(&m->w, DNS_TYPE_OPT);
		bufw_u16(&m->w, 1232);
		bufw_u32(&m->w, (uint32_t)(m->ext_rcode >> 4) << 24);
		if (m->expire)
			put_expire(m);
		else
			bufw_u16(&m->w, 0);
		m->additional++;
	}
	if (m->stray_opt)
		bufw_bytes(&m->w, "\0\0\51\4\320\0\0\0\0\0\0", 11);
	if (m->junk)
		bufw_u8(&m->w, 0);
	put_u16(m->w.base + 6, m->answers + m->answers_lie);
	put_u16(m->w.base + 8, m->authority);
	put_u16(m->w.base + 10, m->additional);
}

/* Words that speak of the message rather than of a record. */
static bool take_directive(message_t *m, const char *word)
{
	if (word[0] == 'E' && word[1] == ':') {
		m->want_opt = true;
		m->ext_rcode = (unsigned)strtoul(word + 2, NULL, 10);
	} else if (word[0] == 'X' && word[1] == ':') {
		m->want_opt = true;
		m->expire = strcpy(m->expire_word, word + 2);
	} else if (strcmp(word, "N") == 0) {
		m->want_authority = true;
	} else if (strcmp(word, "O") == 0) {
		m->stray_opt = true;
	} else if (strcmp(word, "J") == 0) {
		m->junk = true;
	} else if (strcmp(word, "A+1") == 0) {
		m->answers_lie = 1;
	} else {
		return false;
	}
	return true;
}

/* The next word, "" for none; *at moves past it. */
static void next_word(const char **at, char out[32])
{
	size_t n = 0;

	while (**at == ' ')
		(*at)++;
	while (**at && **at != ' ' && n < 31)
		out[n++] = *(*at)++;
	out[n] = '\0';
}

size_t stream_message_of(const char **words, uint16_t id, uint16_t type, uint8_t out[STREAM_ROOM])
{
	message_t m = { .w = bufw_over(out, STREAM_ROOM) };
	char word[32];

	next_word(words, word);
	if (!word[0])
		return 0;
	const bool question_word = strcmp(word, "-") == 0 || strncmp(word, "Q:", 2) == 0;

	begin_message(&m, id, type, question_word ? word : "");
	if (question_word)
		next_word(words, word);
	while (word[0] && strcmp(word, "|") != 0) {
		if (!take_directive(&m, word))
			put_word(&m, word);
		next_word(words, word);
	}
	end_message(&m);
	return bufw_ok(&m.w) ? m.w.pos : 0;
}

size_t stream_message(const char **words, uint16_t id, uint8_t out[STREAM_ROOM])
{
	return stream_message_of(words, id, DNS_TYPE_AXFR, out);
}

xfr_verdict_t stream_feed_to(void *machine, stream_feed_cb feed, uint16_t type, const char *words)
{
	uint8_t *msg = malloc(STREAM_ROOM);
	xfr_verdict_t verdict = XFR_MORE;
	size_t len;

	while (verdict == XFR_MORE && (len = stream_message_of(&words, STREAM_ID, type, msg)) > 0) {
		/* An allocation of the exact size lets ASan see a read behind the end. */
		uint8_t *exact = malloc(len);

		memcpy(exact, msg, len);
		verdict = feed(machine, exact, len);
		free(exact);
	}
	free(msg);
	return verdict;
}

static xfr_verdict_t feed_axfr(void *machine, const uint8_t *msg, size_t len)
{
	return xfr_axfr_feed(machine, msg, len);
}

xfr_verdict_t stream_feed(xfr_axfr_t *axfr, const char *words)
{
	return stream_feed_to(axfr, feed_axfr, DNS_TYPE_AXFR, words);
}
