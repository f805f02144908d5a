/* tests/unit/zone/test_gates.c - each gate with each choice, for whole zones and for differences; and
 * what a difference finds is what a look at all of the new version finds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/zones.h"
#include "zone/delta.h"
#include "zone/gates.h"

TestSuite(zone_gates, .timeout = 120);

static const wall_t NOW = { INT64_C(1893456000) }; /* 2030-01-01 00:00:00 UTC */

/* --- zones as lists of lines ---------------------------------------------------------------------- */

enum { LINES_MAX = 256 };

typedef struct lines {
	char *text; /* of all */
	char *line[LINES_MAX];
	size_t count;
} lines_t;

static void split(const char *text, lines_t *out)
{
	char *save = NULL;

	out->text = strdup(text);
	out->count = 0;
	for (char *l = strtok_r(out->text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		cr_assert(lt(sz, out->count, LINES_MAX));
		out->line[out->count++] = l;
	}
}

static bool has(const lines_t *l, const char *line)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->line[i], line) == 0)
			return true;
	}
	return false;
}

/* From one text to the other: what is missing goes, what is new comes. */
static zone_version_t *changed(const zone_version_t *base, const char *from, const char *to,
                               zone_faults_t *faults)
{
	zone_delta_t *d = zone_delta_new(base, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *next = NULL;
	lines_t was, is;

	split(from, &was);
	split(to, &is);
	for (size_t i = 0; i < was.count; i++) {
		if (has(&is, was.line[i]))
			continue;
		zones_record("z.", was.line[i], rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK, "%s", was.line[i]);
	}
	for (size_t i = 0; i < is.count; i++) {
		if (has(&was, is.line[i]))
			continue;
		zones_record("z.", is.line[i], rr);
		cr_assert(zone_delta_add(d, rr) == ST_OK, "%s", is.line[i]);
	}
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK), "%s", to);
	cr_assert(eq(int, zone_delta_check(d, next, faults), ST_OK));
	zone_delta_free(d);
	free(was.text);
	free(is.text);
	free(rr);
	return next;
}

static zone_version_t *built(const char *lines, zone_faults_t *faults)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;

	cr_assert(eq(int, zones_feed(b, "z.", lines), ST_OK));
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	cr_assert(eq(int, zone_build_check(b, v, faults), ST_OK));
	zone_build_free(b);
	return v;
}

/* --- each gate ------------------------------------------------------------------------------------ */

#define SOA  "@ SOA a b 7 1 1 1 1\n"
#define NS2  "@ NS a.other.\n@ NS b.other.\n"
#define BASE SOA NS2 "www A 192.0.2.1\n"
#define SIG  "www RRSIG A 8 2 300 %s 20200101000000 1 z. AAAA\n"

static const zone_gates_t defaults = {
	.no_ns = ZONE_CHOICE_WARN,
	.single_ns = ZONE_CHOICE_WARN,
	.cname_beside = ZONE_CHOICE_WARN,
	.below_dname = ZONE_CHOICE_WARN,
	.missing_glue = ZONE_CHOICE_WARN,
	.zonemd = ZONE_DIGEST_IF_PRESENT,
	.warn_signatures = 3 * 86400,
	.max_iterations = 2500,
};

static const struct {
	const char *lines;
	zone_fault_t fault;
	zone_gate_t gate;
	size_t choice; /* where it is in the gates */
	const char *first;
} faults_of[] = {
	{ SOA "www A 192.0.2.1\n", ZONE_FAULT_NO_NS, ZONE_GATE_NO_NS, offsetof(zone_gates_t, no_ns),
	  "z." },
	{ SOA "@ NS a.other.\nwww A 192.0.2.1\n", ZONE_FAULT_SINGLE_NS, ZONE_GATE_SINGLE_NS,
	  offsetof(zone_gates_t, single_ns), "z." },
	{ BASE "c CNAME d\nc A 192.0.2.1\n", ZONE_FAULT_CNAME_BESIDE, ZONE_GATE_CNAME,
	  offsetof(zone_gates_t, cname_beside), "c.z." },
	{ BASE "c CNAME d\nc CNAME e\n", ZONE_FAULT_MANY_CNAMES, ZONE_GATE_CNAME,
	  offsetof(zone_gates_t, cname_beside), "c.z." },
	{ BASE "www DNAME e.\na.www A 192.0.2.1\n", ZONE_FAULT_BELOW_DNAME, ZONE_GATE_DNAME,
	  offsetof(zone_gates_t, below_dname), "a.www.z." },
	{ BASE "s NS ns.s\n", ZONE_FAULT_MISSING_GLUE, ZONE_GATE_GLUE,
	  offsetof(zone_gates_t, missing_glue), "s.z." },
};

static void expect_choice(size_t row, zone_choice_t choice, const zone_version_t *v,
                          const zone_faults_t *found, const char *how)
{
	zone_gates_t gates = defaults;
	bool refuses = choice == ZONE_CHOICE_REFUSE;
	zone_verdict_t verdict;

	*(zone_choice_t *)(void *)((char *)&gates + faults_of[row].choice) = choice;
	cr_assert(eq(int, zone_gates_judge(&gates, v, found, 0, NOW, &verdict), ST_OK));
	cr_expect(eq(int, verdict.refused, refuses ? faults_of[row].gate : ZONE_GATE_NONE),
	          "%s, %zu", how, row);
	cr_expect(eq(u32, verdict.count[faults_of[row].fault], choice != ZONE_CHOICE_OFF),
	          "%s, %zu", how, row);
	/* A DNAME comes with a name below it here, and only that one is told of. */
	if (faults_of[row].fault != ZONE_FAULT_BELOW_DNAME)
		cr_expect(eq(int, zone_verdict_has_faults(&verdict), choice != ZONE_CHOICE_OFF));
	if (refuses)
		cr_expect(eq(str, verdict.first, (char *)faults_of[row].first), "%s", how);
	cr_expect(eq(int, zone_gate_has_name(verdict.refused), refuses));
}

Test(zone_gates, of_faults_do_as_the_operator_has_chosen)
{
	for (size_t i = 0; i < ARRAY_LEN(faults_of); i++) {
		/* What is below a DNAME came before it, or with it. */
		const char *before =
			faults_of[i].fault == ZONE_FAULT_BELOW_DNAME ? BASE "www DNAME e.\n" : BASE;
		zone_faults_t found;
		zone_version_t *base = built(before, &found);

		for (zone_choice_t c = ZONE_CHOICE_OFF; c <= ZONE_CHOICE_REFUSE; c++) {
			zone_version_t *v = built(faults_of[i].lines, &found);
			expect_choice(i, c, v, &found, "whole");
			zone_version_free(v);
			v = changed(base, before, faults_of[i].lines, &found);
			expect_choice(i, c, v, &found, "difference");
			zone_version_free(v);
		}
		zone_version_free(base);
	}
}

static const struct {
	const char *why;
	zone_gates_t gates; /* over the defaults where they are not 0 */
	const char *lines;
	uint64_t held;
	zone_gate_t refused;
} figures[] = {
	{ "nothing wrong", { 0 }, BASE, 4, ZONE_GATE_NONE },
	{ "shrank, and nobody minds", { 0 }, BASE, 4000, ZONE_GATE_NONE },
	{ "shrank by half", { .max_shrink = 50 }, BASE, 8, ZONE_GATE_NONE },
	{ "shrank by more", { .max_shrink = 50 }, BASE, 9, ZONE_GATE_SHRINK },
	{ "a first copy, or an expired one", { .max_shrink = 50 }, BASE, 0, ZONE_GATE_NONE },
	{ "grew", { .max_shrink = 1 }, BASE, 1, ZONE_GATE_NONE },
	{ "iterations up to the limit",
	  { .max_iterations = 100 },
	  BASE "@ NSEC3PARAM 1 0 100 -\n",
	  0,
	  ZONE_GATE_NONE },
	{ "iterations over it",
	  { .max_iterations = 100 },
	  BASE "@ NSEC3PARAM 1 0 101 -\n",
	  0,
	  ZONE_GATE_ITERATIONS },
	{ "iterations over what any key allows",
	  { 0 },
	  BASE "@ NSEC3PARAM 1 0 2501 -\n",
	  0,
	  ZONE_GATE_ITERATIONS },
	{ "fewer, but with a long salt",
	  { 0 },
	  BASE "@ NSEC3PARAM 1 0 2000 " /* 64 octets */
	       "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	       "000000000000000000000000000000000000000000000000\n",
	  0,
	  ZONE_GATE_ITERATIONS },
	{ "no digest, and none is wanted", { .zonemd = ZONE_DIGEST_OFF }, BASE, 0, ZONE_GATE_NONE },
	{ "no digest where one is required",
	  { .zonemd = ZONE_DIGEST_REQUIRED },
	  BASE,
	  0,
	  ZONE_GATE_ZONEMD },
	{ "a digest of a kind that nobody knows",
	  { 0 },
	  BASE "@ ZONEMD 7 1 240 00112233445566778899aabb\n",
	  0,
	  ZONE_GATE_NONE },
	{ "the same where one is required",
	  { .zonemd = ZONE_DIGEST_REQUIRED },
	  BASE "@ ZONEMD 7 1 240 00112233445566778899aabb\n",
	  0,
	  ZONE_GATE_ZONEMD },
	{ "a wrong digest",
	  { 0 },
	  BASE "@ ZONEMD 7 1 1 00112233445566778899aabb\n",
	  0,
	  ZONE_GATE_ZONEMD },
	{ "a digest of another serial",
	  { 0 },
	  BASE "@ ZONEMD 6 1 1 00112233445566778899aabb\n",
	  0,
	  ZONE_GATE_ZONEMD },
	{ "two digests of one kind",
	  { 0 },
	  BASE "@ ZONEMD 7 1 1 00112233445566778899aabb\n"
	       "@ ZONEMD 7 1 1 00112233445566778899aabc\n",
	  0,
	  ZONE_GATE_ZONEMD },
	{ "a fault comes before a figure",
	  { .max_shrink = 50, .no_ns = ZONE_CHOICE_REFUSE },
	  SOA,
	  1000,
	  ZONE_GATE_NO_NS },
};

Test(zone_gates, of_figures_say_no_above_their_limits)
{
	for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
		zone_gates_t gates = defaults;
		zone_faults_t found;
		zone_verdict_t verdict;
		zone_version_t *v = built(figures[i].lines, &found);

		gates.max_shrink = figures[i].gates.max_shrink;
		if (figures[i].gates.max_iterations > 0)
			gates.max_iterations = figures[i].gates.max_iterations;
		if (figures[i].gates.zonemd != ZONE_DIGEST_OFF)
			gates.zonemd = figures[i].gates.zonemd;
		if (figures[i].gates.no_ns != ZONE_CHOICE_OFF)
			gates.no_ns = figures[i].gates.no_ns;
		cr_assert(eq(int,
		             zone_gates_judge(&gates, v, &found, figures[i].held, NOW, &verdict),
		             ST_OK));
		cr_expect(eq(int, verdict.refused, figures[i].refused), "%s", figures[i].why);
		cr_expect(eq(u64, verdict.held, figures[i].held), "%s", figures[i].why);
		if (figures[i].refused == ZONE_GATE_SHRINK)
			cr_expect(eq(u32, verdict.limit, 50), "%s", figures[i].why);
		if (figures[i].refused == ZONE_GATE_ITERATIONS)
			cr_expect(gt(uint, verdict.iterations, 100), "%s", figures[i].why);
		zone_version_free(v);
	}
}

Test(zone_gates, of_digests_do_not_look_when_they_are_off)
{
	zone_gates_t gates = defaults;
	zone_faults_t found;
	zone_verdict_t verdict;
	zone_version_t *v = built(BASE "@ ZONEMD 7 1 1 00112233445566778899aabb\n", &found);

	gates.zonemd = ZONE_DIGEST_OFF;
	cr_assert(eq(int, zone_gates_judge(&gates, v, &found, 0, NOW, &verdict), ST_OK));
	cr_expect(eq(int, verdict.refused, ZONE_GATE_NONE));
	cr_expect(eq(int, verdict.zonemd, ZONE_ZONEMD_ABSENT));
	zone_version_free(v);
}

Test(zone_gates, of_digests_do_not_look_at_what_is_refused_already)
{
	zone_gates_t gates = defaults;
	zone_faults_t found;
	zone_verdict_t verdict;
	zone_version_t *v = built(SOA "@ ZONEMD 7 1 1 00112233445566778899aabb\n", &found);

	gates.no_ns = ZONE_CHOICE_REFUSE;
	cr_assert(eq(int, zone_gates_judge(&gates, v, &found, 0, NOW, &verdict), ST_OK));
	cr_expect(eq(int, verdict.refused, ZONE_GATE_NO_NS));
	cr_expect(eq(int, verdict.zonemd, ZONE_ZONEMD_ABSENT));
	zone_version_free(v);
}

static const struct {
	const char *why, *expiration;
	uint32_t warn, refuse;
	bool soon, refused;
} signatures[] = {
	{ "a week", "20300108000000", 3 * 86400, 0, false, false },
	{ "two days", "20300103000000", 3 * 86400, 0, true, false },
	{ "two days, and nobody minds", "20300103000000", 0, 0, false, false },
	{ "two days, refused", "20300103000000", 3 * 86400, 3 * 86400, true, true },
	{ "two days, refused below one", "20300103000000", 3 * 86400, 86400, true, false },
	/* Two days, in units of 1,024 s. */
	{ "as long as it must", "20300103000000", 171904, 171904, false, false },
	{ "a second less", "20300103000000", 171905, 171905, true, true },
	{ "a year ago", "20290101000000", 3 * 86400, 0, true, false },
	{ "a year ago, refused", "20290101000000", 0, 1, false, true },
	{ "beyond 2106, which is after now", "21070101000000", 3 * 86400, 1, false, false },
};

Test(zone_gates, of_signatures_tell_time_from_now)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		zone_gates_t gates = defaults;
		char lines[300];
		zone_faults_t found;
		zone_verdict_t verdict;

		/* The others last longer. */
		sprintf(lines,
		        BASE SIG "x RRSIG A 8 2 300 20320101000000 20200101000000 1 z. AAAA\n",
		        signatures[i].expiration);
		zone_version_t *v = built(lines, &found);
		gates.warn_signatures = signatures[i].warn;
		gates.refuse_signatures = signatures[i].refuse;
		/* ldns writes times beyond 2106 as what they are modulo 2^32. */
		wall_t now = i + 1 < ARRAY_LEN(signatures) ? NOW : (wall_t){ INT64_C(4294900000) };
		cr_assert(eq(int, zone_gates_judge(&gates, v, &found, 0, now, &verdict), ST_OK));
		cr_expect(eq(int, verdict.ends_soon, signatures[i].soon), "%s", signatures[i].why);
		cr_expect(eq(int, verdict.refused == ZONE_GATE_SIGNATURES, signatures[i].refused),
		          "%s", signatures[i].why);
		cr_expect(eq(u32, verdict.limit, signatures[i].refused ? signatures[i].refuse : 0));
		zone_version_free(v);
	}
}

/* --- differences, against a look at all ---------------------------------------------------------- */

/* Names in canonical order, and what each may hold. */
static const char *const names[] = {
	"@",     "a", "b.a", "c.b.a", "ns.a", "b",     "ns.b", "x.b",
	"y.x.b", "c", "d",   "e.d",   "*.d",  "f.e.d", "g",    "ns.g",
};
static const char *const data[] = {
	"A 192.0.2.1", "TXT x", "CNAME a", "CNAME b", "DNAME t.", "NS ns.a", "NS ns.b", "NS out.",
};

enum { NAMES = ARRAY_LEN(names), DATA = ARRAY_LEN(data) };

/* How a zone denies. */
typedef enum denial { DENIAL_NONE, DENIAL_NSEC, DENIAL_NSEC3, DENIALS } denial_t;

typedef struct model {
	bool there[NAMES][DATA];
	denial_t denial;
	unsigned skip; /* the link that is not there; NAMES: all are */
	uint32_t serial;
} model_t;

/* Names that have anything; the apex always does. */
static bool in_use(const model_t *m, unsigned n)
{
	for (unsigned i = 0; i < DATA; i++) {
		if (m->there[n][i])
			return true;
	}
	return n == 0;
}

static int by_dname(const void *a, const void *b)
{
	dns_name_t x = zones_name(a), y = zones_name(b);

	return dns_name_cmp(&x, &y);
}

static void whole_name(unsigned n, char out[80])
{
	sprintf(out, n == 0 ? "z." : "%s.z.", names[n]);
}

/* The label under which NSEC3 has a name. */
static void hashed_name(unsigned n, char out[80])
{
	const dns_nsec3_params_t params = { .iterations = 1, .salt = (const uint8_t *)"" };
	uint8_t hash[DNS_NSEC3_HASH_LEN], label[33];
	char text[80];

	whole_name(n, text);
	dns_name_t name = zones_name(text);
	dns_nsec3_hash(&params, name.wire, name.len, hash);
	dns_nsec3_label(hash, label);
	sprintf(out, "%.32s.z.", (char *)label + 1);
}

/* A chain over the names in use, but for the link of skip. */
static void add_chain(const model_t *m, char *text)
{
	char owner[NAMES][80];
	unsigned count = 0;

	for (unsigned n = 0; n < NAMES; n++) {
		if (in_use(m, n))
			(m->denial == DENIAL_NSEC ? whole_name : hashed_name)(n, owner[count++]);
	}
	qsort(owner, count, sizeof owner[0], by_dname);
	for (unsigned i = 0; i < count; i++) {
		const char *next = owner[(i + 1) % count];

		if (i == m->skip)
			continue;
		sprintf(text + strlen(text),
		        m->denial == DENIAL_NSEC ? "%s NSEC %s A\n" : "%s NSEC3 1 0 1 - %.32s A\n",
		        owner[i], next);
	}
}

static void model_text(const model_t *m, char *text)
{
	sprintf(text, "@ SOA a b %u 1 1 1 1\n@ NS a.other.\n@ NS b.other.\n", m->serial);
	for (unsigned n = 0; n < NAMES; n++) {
		for (unsigned i = 0; i < DATA; i++) {
			if (m->there[n][i])
				sprintf(text + strlen(text), "%s %s\n", names[n], data[i]);
		}
	}
	if (m->denial == DENIAL_NSEC3)
		strcat(text, "@ NSEC3PARAM 1 0 1 -\n");
	if (m->denial != DENIAL_NONE)
		add_chain(m, text);
}

static void flip(model_t *m, unsigned times)
{
	for (; times > 0; times--) {
		unsigned n = 1 + (unsigned)rand() % (NAMES - 1), i = (unsigned)rand() % DATA;

		m->there[n][i] = !m->there[n][i];
	}
	m->skip = rand() % 3 ? NAMES : (unsigned)rand() % NAMES;
	if (rand() % 30 == 0)
		m->denial = (denial_t)rand() % DENIALS;
	m->serial++;
}

static bool is_clean(const zone_faults_t *f)
{
	for (unsigned i = 0; i < ZONE_FAULT_KINDS; i++) {
		if (f->count[i] > 0)
			return false;
	}
	return true;
}

static unsigned seen[ZONE_FAULT_KINDS];

/* Equal, but for names below a DNAME, of which only whether there are any. */
static bool same_faults(const zone_faults_t *got, const zone_faults_t *want)
{
	bool same = true;

	for (unsigned i = 0; i < ZONE_FAULT_KINDS; i++) {
		seen[i] += want->count[i] > 0;
		if (i == ZONE_FAULT_BELOW_DNAME)
			same = same && (got->count[i] > 0) == (want->count[i] > 0);
		else
			same = same && got->count[i] == want->count[i];
	}
	return same;
}

/* No delegation hides anything from a DNAME here: see the contract. */
static bool hides(const model_t *m)
{
	bool dname = false;

	for (unsigned n = 0; n < NAMES; n++)
		dname = dname || m->there[n][4];
	for (unsigned n = 1; dname && n < NAMES; n++) {
		if (m->there[n][5] || m->there[n][6] || m->there[n][7])
			return true;
	}
	return false;
}

static void run(unsigned seed)
{
	char *from = malloc(1 << 14), *to = malloc(1 << 14);
	model_t m = { .denial = (denial_t)(seed % DENIALS), .skip = NAMES, .serial = 1 };
	zone_faults_t found, all;

	srand(seed);
	model_text(&m, from);
	zone_version_t *base = built(from, &found);
	for (unsigned round = 0; round < 60; round++) {
		model_t next = m;

		flip(&next, 1 + (unsigned)rand() % 5);
		if (hides(&next))
			continue;
		model_text(&next, to);
		zone_version_t *v = changed(base, from, to, &found);
		cr_assert(eq(int, zone_check(v, &all), ST_OK));
		cr_assert(same_faults(&found, &all), "seed %u, from\n%sto\n%s", seed, from, to);
		if (is_clean(&all)) { /* that is what the next difference starts from */
			char *spare = from;

			zone_version_succeed(base, v);
			zone_version_free(base);
			base = v;
			m = next;
			from = to;
			to = spare;
		} else {
			zone_version_free(v);
		}
	}
	zone_version_free(base);
	free(from);
	free(to);
}

Test(zone_gates, see_in_a_difference_what_a_look_at_all_sees)
{
	for (unsigned seed = 1; seed <= 60; seed++)
		run(seed);
	for (unsigned i = ZONE_FAULT_CNAME_BESIDE; i <= ZONE_FAULT_CHAIN_GAPS; i++)
		cr_expect(gt(uint, seen[i], 20), "kind %u: %u", i, seen[i]);
}

/* What was wrong before is told again only where the difference touches it. */
Test(zone_gates, pass_over_what_a_difference_does_not_touch)
{
	const char *before = BASE "c CNAME d\nc A 192.0.2.1\ns NS ns.s\n";
	zone_faults_t found;
	zone_version_t *base = built(before, &found), *v;

	cr_expect(eq(u32, found.count[ZONE_FAULT_CNAME_BESIDE], 1));
	v = changed(base, before, BASE "c CNAME d\nc A 192.0.2.1\ns NS ns.s\nx A 192.0.2.1\n",
	            &found);
	cr_expect(is_clean(&found));
	zone_version_free(v);
	v = changed(base, before, BASE "c CNAME d\nc A 192.0.2.1\ns NS ns.s\nx.s A 192.0.2.1\n",
	            &found);
	cr_expect(eq(u32, found.count[ZONE_FAULT_MISSING_GLUE], 1), "below the delegation");
	cr_expect(eq(u32, found.count[ZONE_FAULT_CNAME_BESIDE], 0));
	zone_version_free(v);
	zone_version_free(base);
}

/* A DNAME above what is there already: one, by its own name. */
Test(zone_gates, count_a_dname_that_comes_above_names_once)
{
	const char *before = BASE "x.d A 192.0.2.1\ny.d A 192.0.2.1\n";
	zone_faults_t found;
	zone_version_t *base = built(before, &found);
	zone_version_t *v = changed(base, before,
	                            BASE "x.d A 192.0.2.1\ny.d A 192.0.2.1\nd DNAME t.\n", &found);

	cr_expect(eq(u32, found.count[ZONE_FAULT_BELOW_DNAME], 1));
	cr_expect(found.first[ZONE_FAULT_BELOW_DNAME] == zones_lookup(v, "d.z.", true).node);
	zone_version_free(v);
	zone_version_free(base);
}
