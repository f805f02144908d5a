/* tests/unit/ctl/test_request.c - a line from anybody: words, or what is wrong with it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "ctl/request.h"
#include "ctl/table.h"

TestSuite(ctl_request, .timeout = 10);

/* In memory of exactly its size, so that the sanitizer sees a step outside. */
static const char *read_line(const char *line, size_t len, ctl_request_t *out, char **mem)
{
	*mem = malloc(len + 1);
	memcpy(*mem, line, len);
	(*mem)[len] = '\n';
	return ctl_request_read(*mem, len, out);
}

static const struct {
	const char *line;
	report_form_t form;
	const char *words[5]; /* the verb, its arguments */
} good[] = {
	{ "secd/1 text status", REPORT_TEXT, { "status" } },
	{ "secd/1 json zone example.com.", REPORT_JSON, { "zone", "example.com." } },
	{ "secd/1 colour refresh a b c", REPORT_COLOUR, { "refresh", "a", "b", "c" } },
	{ "  secd/1   text  zone    a   ", REPORT_TEXT, { "zone", "a" } },
	{ "secd/1 text zone \\032\\\"\\(.x", REPORT_TEXT, { "zone", "\\032\\\"\\(.x" } },
	{ "secd/1 text zone b\xc3\xbc.x", REPORT_TEXT, { "zone", "b\xc3\xbc.x" } },
	{ "secd/1 text nonsense", REPORT_TEXT, { "nonsense" } },
};

Test(ctl_request, is_words_between_blanks)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		size_t words = 0;
		ctl_request_t r;
		char *mem;

		const char *wrong = read_line(good[i].line, strlen(good[i].line), &r, &mem);
		cr_assert(wrong == NULL, "%s: %s", good[i].line, wrong);
		cr_expect(eq(int, r.form, good[i].form));
		cr_expect(eq(str, (char *)(uintptr_t)r.verb, (char *)(uintptr_t)good[i].words[0]));
		const char *arg = r.args;
		while (good[i].words[words + 1]) {
			words++;
			cr_assert(le(sz, words, r.arg_count));
			cr_expect(eq(str, (char *)(uintptr_t)arg,
			             (char *)(uintptr_t)good[i].words[words]));
			arg = ctl_request_next(arg);
		}
		cr_expect(eq(sz, r.arg_count, words), "%s", good[i].line);
		free(mem);
	}
}

static const struct {
	const char *line;
	size_t len; /* 0: all of it */
	const char *why;
} bad[] = {
	{ "", 0, "the request does not begin with secd/1" },
	{ "    ", 0, "the request does not begin with secd/1" },
	{ "GET / HTTP/1.1", 0, "the request does not begin with secd/1" },
	{ "secd/2 text status", 0, "the request does not begin with secd/1" },
	{ "secd/1", 0, "the request has no verb" },
	{ "secd/1 text", 0, "the request has no verb" },
	{ "secd/1 status x", 0, "the form is none of text, colour and json" },
	{ "secd/1 text status\r", 0, "the request has a control character" },
	{ "secd/1\ttext status", 0, "the request has a control character" },
	{ "secd/1 text zone a\0b", 20, "the request has a control character" },
	{ "\x7f", 0, "the request has a control character" },
};

Test(ctl_request, or_it_is_told_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t len = bad[i].len ? bad[i].len : strlen(bad[i].line);
		ctl_request_t r;
		char *mem;
		const char *wrong = read_line(bad[i].line, len, &r, &mem);

		cr_assert(wrong != NULL, "%s", bad[i].line);
		cr_expect(eq(str, (char *)(uintptr_t)wrong, (char *)(uintptr_t)bad[i].why));
		free(mem);
	}
}

/* Each word that comes out lies in the line, and there are as many as were said. */
Test(ctl_request, may_be_anything)
{
	uint64_t x = 88172645463325252u;

	for (unsigned n = 0; n < 100000; n++) {
		char line[64] = "secd/1 json ", *mem;
		size_t len = strlen(line), more;
		ctl_request_t r;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		more = x % 50;
		for (size_t i = 0; i < more; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			line[len++] = " \\ab \x80z~"[x >> 33 & 7];
		}
		if (read_line(line, len, &r, &mem) == NULL) {
			const char *arg = r.args;

			cr_assert(ne(chr, r.verb[0], '\0'));
			for (size_t i = 0; i < r.arg_count; i++, arg = ctl_request_next(arg))
				cr_assert(arg[0] != '\0' && !strchr(arg, ' '));
			cr_assert(arg <= mem + len + 1);
		}
		free(mem);
	}
}

Test(ctl_request, has_verbs_that_are_found_by_their_word)
{
	for (size_t i = 0; i < ctl_verb_count(); i++)
		cr_expect(ctl_verb_find(ctl_verb_at(i)->word) == ctl_verb_at(i));
	cr_expect(ctl_verb_find("statu") == NULL);
	cr_expect(ctl_verb_find("") == NULL);
}

static const char *manual_args(const ctl_verb_t *v)
{
	if (v->id == CTL_VERB_ZONES)
		return " Oo Fl -kind ... Oc Oo Fl -match Ar glob Oc Oo Fl -sort Cm lag Oc Op Fl "
		       "-all";
	if (v->id == CTL_VERB_HEALTHY)
		return " Oo Fl -max-expired Ar n Oc Oo Fl -max-empty Ar n Oc Op Fl -zone Ar name "
		       "...";
	if (v->id == CTL_VERB_PIN)
		return " Ar name Oo Ar serial | Cm v Ns Ar number Oc Op Fl -no-expire";
	if (v->id == CTL_VERB_RELOAD)
		return " Op Fl -force";
	if (v->id == CTL_VERB_TOP)
		return " Op Fl n Ar frames";
	if (v->id == CTL_VERB_LINT)
		return " Ar name Oo Fl -resolver Ar address Oo Fl P Ar port Oc Oc | Ar glob Op Fl "
		       "-all";
	if (v->id == CTL_VERB_SKEW)
		return " Ar name Op Fl -ask Op Fl w Ar lag Op Fl c Ar lag Op Fl P Ar port";
	if (v->id == CTL_VERB_LOG)
		return " Ar level";
	return v->most == 0 ? "" : v->most == 1 ? " Ar name" : " Ar name ...";
}

/* The manual has each verb with its arguments. Run from the root of the source. */
Test(ctl_request, has_verbs_that_stand_in_the_manual)
{
	const char *root = getenv("SECD_SOURCE");
	char path[512], *text = NULL;
	size_t room = 0;

	snprintf(path, sizeof path, "%s/secd/ctl/secdctl.8", root ? root : ".");
	FILE *f = fopen(path, "r");
	cr_assert(f != NULL, "%s", path);
	cr_assert(gt(long, (long)getdelim(&text, &room, '\0', f), 0));
	fclose(f);
	for (size_t i = 0; i < ctl_verb_count(); i++) {
		const ctl_verb_t *v = ctl_verb_at(i);
		char want[200];

		snprintf(want, sizeof want, "\n.It Cm %s%s\n", v->word, manual_args(v));
		cr_expect(strstr(text, want) != NULL, "no '%s'", want);
	}
	free(text);
}
