/* tests/unit/conf/test_options.c - the table of options against the example and the manual.
 *
 * Run from the root of the source, or with SECD_SOURCE naming it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "conf/conf.h"

TestSuite(conf_options, .timeout = 10);

static char *slurp(const char *name)
{
	const char *root = getenv("SECD_SOURCE");
	char path[512], *text = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
	f = fopen(path, "r");
	cr_assert(f != NULL, "%s", path);
	cr_assert(gt(long, (long)getdelim(&text, &room, '\0', f), 0));
	fclose(f);
	return text;
}

/* text from the line that begins with from (either of two) up to the one that begins with to. */
static char *part_of(const char *text, const char *from, const char *from2, const char *to)
{
	char *part = calloc(1, strlen(text) + 1), *line = NULL;
	bool inside = false;
	size_t room = 0;
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	while (getline(&line, &room, f) > 0) {
		if (strncmp(line, from, strlen(from)) == 0 ||
		    strncmp(line, from2, strlen(from2)) == 0)
			inside = true;
		else if (strncmp(line, to, strlen(to)) == 0 ||
		         (*to == '[' && line[0] == ';' && line[1] == '['))
			inside = false;
		if (inside)
			strcat(part, line);
	}
	free(line);
	fclose(f);
	return part;
}

Test(conf_options, stand_with_their_defaults_in_the_example)
{
	char *example = slurp("etc/secd.ini");

	for (size_t i = 0; i < conf_option_count(); i++) {
		const conf_option_t *o = conf_option_at(i);
		char title[64], off_title[64], want[128];
		char *part;

		snprintf(title, sizeof title, "[%s", conf_section_text(o->section));
		snprintf(off_title, sizeof off_title, ";[%s", conf_section_text(o->section));
		part = part_of(example, title, off_title, "[");
		snprintf(want, sizeof want, "\n;%s =%s%s%s", o->key,
		         o->fallback && !*o->fallback ? "" : " ", o->fallback ? o->fallback : "",
		         o->fallback ? "\n" : "");
		cr_expect(strstr(part, want) != NULL, "[%s] %s: no line '%s'",
		          conf_section_text(o->section), o->key, want);
		free(part);
	}
	free(example);
}

/* The lines of one option: from the .It that names it to the next one. */
static char *item_of(const char *part, const char *key)
{
	char *item = calloc(1, strlen(part) + 1), *line = NULL;
	bool inside = false;
	size_t room = 0;
	FILE *f = fmemopen((void *)(uintptr_t)part, strlen(part), "r");

	while (getline(&line, &room, f) > 0) {
		if (strncmp(line, ".It ", 4) == 0 || strncmp(line, ".El", 3) == 0) {
			char *at = strstr(line, key);

			inside = at && at[-1] == ' ' && strchr(" \n", at[strlen(key)]);
		}
		if (inside)
			strcat(item, line);
	}
	free(line);
	fclose(f);
	return item;
}

Test(conf_options, stand_with_their_defaults_in_the_manual)
{
	char *manual = slurp("secd/secd.ini.5");

	for (size_t i = 0; i < conf_option_count(); i++) {
		const conf_option_t *o = conf_option_at(i);
		char title[64], want[64];
		char *part, *item;

		snprintf(title, sizeof title, ".Ss [%s", conf_section_text(o->section));
		part = part_of(manual, title, title, ".Ss");
		item = item_of(part, o->key);
		cr_expect(strlen(item) > 0, "[%s] %s has no .It", conf_section_text(o->section),
		          o->key);
		snprintf(want, sizeof want, ".Ql %s ", o->fallback ? o->fallback : "");
		if (o->fallback && *o->fallback)
			cr_expect(strstr(item, want) != NULL, "[%s] %s: no default '%s'",
			          conf_section_text(o->section), o->key, want);
		if (o->required)
			cr_expect(strstr(item, "Required.") != NULL, "%s", o->key);
		free(item);
		free(part);
	}
	free(manual);
}

static conf_t *read_text(const char *text)
{
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;

	cr_expect(eq(int, conf_read_memory("text", text, strlen(text), &conf, &faults), ST_OK));
	for (size_t i = 0; i < faults.count; i++)
		cr_log_error("%u: %s", faults.list[i].line, faults.list[i].text);
	conf_faults_free(&faults);
	cr_assert(conf != NULL);
	return conf;
}

/* The example with its options switched on, but for other files. */
static char *switched_on(const char *example)
{
	char *on = calloc(1, strlen(example) + 1), *line = NULL;
	size_t room = 0;
	bool skip = false;
	FILE *f = fmemopen((void *)(uintptr_t)example, strlen(example), "r");

	while (getline(&line, &room, f) > 0) {
		const char *text = line + (line[0] == ';' && line[1] != ' ' ? 1 : 0);

		if (*text == '[')
			skip = strncmp(text, "[include", 8) == 0;
		if (!skip && strncmp(text, "secret-file =", 13) != 0)
			strcat(on, text);
	}
	free(line);
	fclose(f);
	return on;
}

Test(conf_options, mean_in_the_example_what_they_mean_without_it)
{
	char *example = slurp("etc/secd.ini"), *text = switched_on(example);
	conf_t *bare = read_text(""), *plain = read_text(example), *on = read_text(text);
	const conf_t *ones[] = { plain, on };

	for (size_t i = 0; i < 2; i++) {
		const conf_t *a = ones[i];

		cr_expect(eq(sz, a->listen_count, bare->listen_count));
		for (size_t j = 0; j < a->listen_count; j++)
			cr_expect(addr_same(&a->listen[j], &bare->listen[j]));
		cr_expect(eq(str, (char *)a->state_dir, (char *)bare->state_dir));
		cr_expect(eq(str, (char *)a->control, (char *)bare->control));
		cr_expect(eq(str, (char *)a->version, (char *)bare->version));
		cr_expect(eq(str, (char *)a->identity, (char *)bare->identity));
		cr_expect(eq(sz, a->nsid_len, bare->nsid_len));
		cr_expect(eq(int, a->cookies, bare->cookies));
		cr_expect(eq(int, a->rotate, bare->rotate));
		cr_expect(eq(u32, a->workers, bare->workers));
		cr_expect(eq(u32, a->udp_payload, bare->udp_payload));
		cr_expect(eq(u32, a->tcp_clients, bare->tcp_clients));
		cr_expect(eq(u32, a->tcp_per_client, bare->tcp_per_client));
		cr_expect(eq(u32, a->tcp_idle, bare->tcp_idle));
		cr_expect(eq(u32, a->builders, bare->builders));
		cr_expect(eq(u32, a->transfers, bare->transfers));
		cr_expect(eq(u32, a->polls, bare->polls));
		cr_expect(eq(u32, a->transfer_idle, bare->transfer_idle));
		cr_expect(eq(u32, a->transfer_time, bare->transfer_time));
		cr_expect(eq(u32, a->connect_time, bare->connect_time));
		cr_expect(eq(int, a->log_target, bare->log_target));
		cr_expect(eq(int, a->log_level, bare->log_level));
		cr_expect(eq(int, a->log_facility, bare->log_facility));
	}
	cr_assert(eq(sz, on->zone_count, 2));
	cr_expect(on->key_count == 1 && on->primaries[0]->key == on->keys[0]);
	/* The group that sets every option to its default, beside the one that sets none. */
	cr_expect(eq(int,
	             memcmp(&on->zones[0].group->policy, &on->zones[1].group->policy,
	                    sizeof(conf_policy_t)),
	             0));
	cr_expect(on->zones[0].group != on->zones[1].group);
	conf_free(bare);
	conf_free(plain);
	conf_free(on);
	free(text);
	free(example);
}

/* Metrics are no DNS: an address without a port means another one there. */
Test(conf_options, have_ports_of_their_own)
{
	conf_t *c = read_text("[server]\nlisten = ::1\nmetrics-listen = 127.0.0.1, ::1@99\n");
	char text[ADDR_TEXT_MAX];

	cr_assert(eq(sz, c->listen_count, 1));
	cr_assert(eq(sz, c->metrics_listen_count, 2));
	cr_expect(eq(str, (char *)addr_text(&c->listen[0], text), (char *)"::1@53"));
	cr_expect(
		eq(str, (char *)addr_text(&c->metrics_listen[0], text), (char *)"127.0.0.1@9953"));
	cr_expect(eq(str, (char *)addr_text(&c->metrics_listen[1], text), (char *)"::1@99"));
	conf_free(c);
}

Test(conf_options, have_the_documented_values_when_nothing_is_set)
{
	conf_t *c = read_text("[primary p]\naddress=::1\n[zones]\n.=p\n");
	const conf_policy_t *p = &c->zones[0].group->policy;
	char text[ADDR_TEXT_MAX];

	cr_assert(eq(sz, c->listen_count, 2));
	cr_expect(eq(str, (char *)addr_text(&c->listen[0], text), (char *)"0.0.0.0@53"));
	cr_expect(eq(str, (char *)addr_text(&c->listen[1], text), (char *)"::@53"));
	cr_expect(eq(u32, c->workers, 0));
	cr_expect(eq(sz, c->metrics_listen_count, 0));
	cr_expect(eq(u32, c->metrics_zones, 1000));
	cr_expect(eq(u32, c->udp_payload, 1232));
	cr_expect(c->cookies && c->cookie_secret_count == 0);
	cr_expect(eq(sz, c->nsid_len, 0));
	cr_expect(not(c->rotate));
	cr_expect(eq(u32, c->transfer_time, 3600));
	cr_expect(eq(u32, p->max_refresh, 4 * 7 * 86400));
	cr_expect(eq(u32, p->max_retry, 2 * 7 * 86400));
	cr_expect(eq(u32, p->max_expire, 3650u * 86400));
	cr_expect(eq(u64, p->max_records, 100000000));
	cr_expect(eq(u64, p->max_size, UINT64_C(16) << 30));
	cr_expect(eq(u32, p->max_rrset, 10000));
	cr_expect(eq(u32, p->max_rrsets, 1000));
	cr_expect(eq(int, p->gates.no_ns, CONF_CHOICE_WARN));
	cr_expect(eq(int, p->gates.single_ns, CONF_CHOICE_WARN));
	cr_expect(eq(int, p->gates.cname_beside, CONF_CHOICE_WARN));
	cr_expect(eq(int, p->gates.below_dname, CONF_CHOICE_WARN));
	cr_expect(eq(int, p->gates.missing_glue, CONF_CHOICE_WARN));
	cr_expect(eq(int, p->gates.zonemd, CONF_ZONEMD_IF_PRESENT));
	cr_expect(eq(u32, p->gates.max_shrink, 0));
	cr_expect(eq(u32, p->gates.warn_signatures, 3 * 86400));
	cr_expect(eq(u32, p->gates.refuse_signatures, 0));
	cr_expect(eq(u32, p->gates.max_iterations, 2500));
	conf_free(c);
}

Test(conf_options, take_what_the_log_is_told)
{
	conf_t *conf = read_text("[log]\ntarget = journal\nfacility = local3\nlevel = debug\n");

	cr_expect(eq(int, conf->log_target, LOG_TARGET_JOURNAL));
	cr_expect(eq(int, conf->log_facility, LOG_LOCAL3));
	cr_expect(eq(int, conf->log_level, LOG_LEVEL_DEBUG));
	conf_free(conf);
	conf = read_text("[log]\ntarget = syslog\n");
	cr_expect(eq(int, conf->log_target, LOG_TARGET_SYSLOG));
	cr_expect(eq(int, conf->log_facility, LOG_DAEMON));
	conf_free(conf);
}

Test(conf_options, take_what_a_group_says_of_its_gates)
{
	conf_t *c = read_text("[primary p]\naddress = ::1\n[group g]\nprimaries = p\n"
	                      "no-ns = refuse\nmissing-glue = off\nzonemd = required\n"
	                      "max-shrink = 50%\nwarn-signatures = off\nrefuse-signatures = 1d\n"
	                      "max-iterations = 0\n[zones]\nz = g\n");
	const conf_gates_t *g = &c->zones[0].group->policy.gates;

	cr_expect(eq(int, g->no_ns, CONF_CHOICE_REFUSE));
	cr_expect(eq(int, g->single_ns, CONF_CHOICE_WARN));
	cr_expect(eq(int, g->missing_glue, CONF_CHOICE_OFF));
	cr_expect(eq(int, g->zonemd, CONF_ZONEMD_REQUIRED));
	cr_expect(eq(u32, g->max_shrink, 50));
	cr_expect(eq(u32, g->warn_signatures, 0));
	cr_expect(eq(u32, g->refuse_signatures, 86400));
	cr_expect(eq(u32, g->max_iterations, 0));
	conf_free(c);
}

Test(conf_options, fit_the_numbers_they_are_kept_in)
{
	for (size_t i = 0; i < conf_option_count(); i++) {
		const conf_option_t *o = conf_option_at(i);

		if (o->type == CONF_NUMBER || o->type == CONF_SECONDS || o->type == CONF_SHARE)
			cr_expect(le(u64, o->max, UINT32_MAX), "%s", o->key);
		cr_expect(le(u64, o->min, o->max), "%s", o->key);
	}
}
