/* live/settings.c - from a configuration to keys and to what workers need. */
#include "live/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/random.h"

static status_t make_keys(settings_t *s)
{
	const conf_t *c = s->conf;
	status_t st = dns_tsig_keys_make(&s->keys, c->key_count);

	for (size_t i = 0; i < c->key_count && st == ST_OK; i++) {
		const conf_key_t *key = c->keys[i];
		dns_name_t name;

		dns_name_from_wire(key->wire, &name);
		st = dns_tsig_key_make(&s->keys.list[i], &name, key->algorithm, key->secret,
		                       key->secret_len);
		s->keys.list[i].number = key->number;
	}
	if (st == ST_OK)
		dns_tsig_keys_sort(&s->keys);
	return st;
}

/* A secret of our own does for one server; several that answer for one address need to share. */
static dns_cookie_secrets_t cookie_secrets(const settings_t *s)
{
	const conf_t *c = s->conf;

	if (!c->cookies)
		return (dns_cookie_secrets_t){ NULL, 0 };
	if (c->cookie_secret_count > 0)
		return (dns_cookie_secrets_t){ c->cookie_secrets, c->cookie_secret_count };
	return (dns_cookie_secrets_t){ &s->cookie_secret, 1 };
}

static answer_conf_t answer_conf(const settings_t *s)
{
	const conf_t *c = s->conf;

	return (answer_conf_t){
		.version = c->version,
		.identity = c->identity,
		.udp_payload = (uint16_t)c->udp_payload,
		.keepalive = (uint16_t)(c->tcp_idle * 10),
		.nsid = c->nsid,
		.nsid_len = c->nsid_len,
		.cookies = cookie_secrets(s),
		.rotate = c->rotate,
		.keys = &s->keys,
	};
}

static unsigned worker_count(const conf_t *c)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned each = cores > NET_WORKERS_MAX ? NET_WORKERS_MAX
	                      : cores > 0             ? (unsigned)cores
	                                              : 1;

	return c->workers ? c->workers : each;
}

static net_conf_t net_conf(const settings_t *s)
{
	const conf_t *c = s->conf;

	return (net_conf_t){
		.listen = c->listen,
		.listens = c->listen_count,
		.workers = worker_count(c),
		.tcp_clients = c->tcp_clients,
		.tcp_per_client = c->tcp_per_client,
		.tcp_idle = c->tcp_idle,
		.answer = answer_conf(s),
	};
}

status_t settings_make(conf_t *conf, const settings_t *before, settings_t **out)
{
	settings_t *s = calloc(1, sizeof *s);
	status_t st = ST_OK;

	*out = NULL;
	if (!s) {
		conf_free(conf);
		return ST_NOMEM;
	}
	s->conf = conf;
	if (before)
		s->cookie_secret = before->cookie_secret;
	else
		random_bytes(&s->cookie_secret, sizeof s->cookie_secret);
	if (before)
		st = conf_number_keys(conf, before->conf);
	if (st == ST_OK)
		st = make_keys(s);
	if (st != ST_OK) {
		settings_free(s);
		return st;
	}
	s->net = net_conf(s);
	*out = s;
	return ST_OK;
}

void settings_free(settings_t *s)
{
	if (!s)
		return;
	dns_tsig_keys_free(&s->keys);
	conf_free(s->conf);
	explicit_bzero(&s->cookie_secret, sizeof s->cookie_secret);
	free(s);
}

static status_t adopt(settings_t *s, const keep_stray_t *stray)
{
	const char **names = calloc(stray->count + 1, sizeof *names);
	const char *name = stray->names;
	status_t st = ST_NOMEM;

	for (size_t i = 0; names && i < stray->count; i++, name += strlen(name) + 1)
		names[i] = name;
	if (names)
		st = conf_adopt(s->conf, stray->apex, names, stray->count, s->conf->state_dir);
	free(names);
	return st;
}

status_t settings_adopt(settings_t *s, const keep_stray_t *strays, size_t count)
{
	status_t st = ST_OK;

	for (size_t i = 0; i < count && st == ST_OK; i++)
		st = adopt(s, &strays[i]);
	return st;
}

void settings_tell_faults(const conf_faults_t *faults)
{
	char text[600];

	for (size_t i = 0; i < faults->count; i++) {
		const conf_fault_t *f = &faults->list[i];

		conf_fault_text(f, text, sizeof text);
		if (f->is_warning)
			log_warn("settings warning text=\"%s\"", text);
		else
			log_error("settings fault text=\"%s\"", text);
	}
}

static bool same_addresses(const conf_t *a, const conf_t *b)
{
	bool same = a->metrics_listen_count == b->metrics_listen_count;

	for (size_t i = 0; same && i < a->metrics_listen_count; i++)
		same = addr_same(&a->metrics_listen[i], &b->metrics_listen[i]);
	return same;
}

const char *settings_restart(const conf_t *a, const conf_t *b, char out[SETTINGS_RESTART_MAX])
{
	const struct {
		const char *word;
		bool differs;
	} all[] = {
		{ "user", strcmp(a->user, b->user) != 0 },
		{ "state-dir", strcmp(a->state_dir, b->state_dir) != 0 },
		{ "durability", a->relaxed != b->relaxed },
		{ "old-versions", a->old_versions != b->old_versions },
		{ "control", strcmp(a->control, b->control) != 0 },
		{ "metrics-listen", !same_addresses(a, b) },
		{ "metrics-zones", a->metrics_zones != b->metrics_zones },
		{ "log target", a->log_target != b->log_target },
		{ "log facility", a->log_facility != b->log_facility },
	};
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].differs)
			len += (size_t)snprintf(out + len, SETTINGS_RESTART_MAX - len, "%s%s",
			                        len > 0 ? ", " : "", all[i].word);
	}
	return out;
}
