/* ctl/parent.c - where the parent is, and what it says: ldns's resolver asks. */
#include "ctl/parent.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/status.h"
#include "dns/wire.h"

enum {
	TRY_S = 2, /* that an answer may take */
	TRIES = 2,
	SERVERS_MOST = 16,  /* of the parent's name servers that are looked at, and */
	ADDRESSES_MOST = 8, /* of their addresses that are asked */
	WORDS_BESIDE = 4,   /* lint NAME --parent, and a NULL */
	NAMES_MOST = 32,    /* NS: what the daemon looks at (zone/advice.h) */
};

typedef struct search {
	const char *zone;
	addr_t resolver;
	uint16_t port; /* of the parent's name servers */

	ldns_resolver *asks; /* the resolver */
	ldns_rdf *apex;
	ldns_rr_list *servers; /* NS of the parent's apex */
	ldns_rr_list *found;   /* NS that the parent has for the zone */
	bool undelegated, both;
	unsigned asked;
	char why[256];
} search_t;

/* --- asking ------------------------------------------------------------------------------------ */

/* What asks there; NULL: no memory. */
static ldns_resolver *asker(const ldns_rdf *address, uint16_t port)
{
	ldns_resolver *r = ldns_resolver_new();

	if (!r || !address || ldns_resolver_push_nameserver(r, address) != LDNS_STATUS_OK) {
		ldns_resolver_deep_free(r);
		return NULL;
	}
	ldns_resolver_set_port(r, port);
	ldns_resolver_set_timeout(r, (struct timeval){ .tv_sec = TRY_S });
	ldns_resolver_set_retry(r, TRIES);
	ldns_resolver_set_retrans(r, 0);
	ldns_resolver_set_defnames(r, false);
	ldns_resolver_set_dnsrch(r, false);
	return r;
}

static ldns_resolver *asker_at(const addr_t *at)
{
	const addr_prefix_t p = addr_prefix_of(at);
	const bool v4 = p.family == AF_INET;
	ldns_rdf *address = ldns_rdf_new_frm_data(v4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
	                                          v4 ? 4 : 16, p.bytes);
	ldns_resolver *r = asker(address, addr_port(at));

	ldns_rdf_deep_free(address);
	return r;
}

/* NULL: there is no answer, or one that is none. */
static ldns_pkt *ask(ldns_resolver *r, const ldns_rdf *name, ldns_rr_type type, bool recursive)
{
	ldns_pkt *answer = NULL;

	ldns_resolver_set_nameserver_rtt(r, 0,
	                                 LDNS_RESOLV_RTT_MIN); /* one silence is not the end */
	if (ldns_resolver_query_status(&answer, r, name, type, LDNS_RR_CLASS_IN,
	                               recursive ? LDNS_RD : 0) != LDNS_STATUS_OK) {
		ldns_pkt_free(answer);
		return NULL;
	}
	return answer;
}

/* Of name in a section, but for what has no RDATA; NULL: there are none. */
static ldns_rr_list *rrset(const ldns_pkt *answer, const ldns_rdf *name, ldns_rr_type type,
                           ldns_pkt_section section)
{
	ldns_rr_list *all = answer ? ldns_pkt_rr_list_by_name_and_type(answer, name, type, section)
	                           : NULL;
	const size_t count = ldns_rr_list_rr_count(all);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		ldns_rr *rr = ldns_rr_list_rr(all, i);

		if (ldns_rr_rdf(rr, 0))
			ldns_rr_list_set_rr(all, rr, kept++);
		else
			ldns_rr_free(rr);
	}
	if (all)
		ldns_rr_list_set_rr_count(all, kept);
	if (kept > 0)
		return all;
	ldns_rr_list_free(all);
	return NULL;
}

/* --- where the parent is ----------------------------------------------------------------------- */

static bool resolver_fails(search_t *s, const ldns_pkt *answer, const ldns_rdf *name)
{
	const ldns_pkt_rcode rcode = answer ? ldns_pkt_get_rcode(answer) : LDNS_RCODE_NOERROR;
	char at[ADDR_TEXT_MAX];

	if (answer && (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN))
		return false;
	char *text = ldns_rdf2str(name);
	char *code = answer ? ldns_pkt_rcode2str(rcode) : NULL;

	addr_text(&s->resolver, at);
	if (answer)
		snprintf(s->why, sizeof s->why, "the resolver %s answers %.20s for %.120s", at,
		         code ? code : "", text ? text : "");
	else
		snprintf(s->why, sizeof s->why, "the resolver %s does not answer", at);
	free(code);
	free(text);
	return true;
}

/* The closest name above the zone that has NS is the parent's apex. */
static bool find_parent(search_t *s)
{
	ldns_rdf *name = ldns_dname_left_chop(s->apex);

	while (name && !s->servers && s->why[0] == '\0') {
		ldns_pkt *answer = ask(s->asks, name, LDNS_RR_TYPE_NS, true);

		if (!resolver_fails(s, answer, name))
			s->servers = rrset(answer, name, LDNS_RR_TYPE_NS, LDNS_SECTION_ANSWER);
		ldns_pkt_free(answer);
		ldns_rdf *above = ldns_dname_label_count(name) > 0 ? ldns_dname_left_chop(name)
		                                                   : NULL;

		ldns_rdf_deep_free(name);
		name = above;
	}
	ldns_rdf_deep_free(name);
	if (!s->servers && s->why[0] == '\0')
		snprintf(s->why, sizeof s->why, "the resolver knows no NS above it");
	return s->servers;
}

/* --- what it has ------------------------------------------------------------------------------- */

/* A name that the parent has not, or has without NS, is proved by its SOA (RFC 2308 2): what comes with another one is
 * from a server that knows nothing of the parent. */
static bool is_denied(const search_t *s, const ldns_pkt *answer)
{
	const ldns_rdf *parent = ldns_rr_owner(ldns_rr_list_rr(s->servers, 0));
	const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(answer);
	ldns_rr_list *soa = rrset(answer, parent, LDNS_RR_TYPE_SOA, LDNS_SECTION_AUTHORITY);
	const bool has_soa = soa;

	ldns_rr_list_deep_free(soa);
	return has_soa && (rcode == LDNS_RCODE_NXDOMAIN || rcode == LDNS_RCODE_NOERROR);
}

/* A referral has the parent's NS as its authority. With AA the answer is from the zone itself, or says that there is
 * no such delegation. */
static void read_answer(search_t *s, const ldns_pkt *answer)
{
	ldns_rr_list *own;

	if (!ldns_pkt_aa(answer)) {
		if (ldns_pkt_get_rcode(answer) == LDNS_RCODE_NOERROR)
			s->found = rrset(answer, s->apex, LDNS_RR_TYPE_NS, LDNS_SECTION_AUTHORITY);
		return;
	}
	own = rrset(answer, s->apex, LDNS_RR_TYPE_NS, LDNS_SECTION_ANSWER);
	if (own)
		s->both = true;
	else
		s->undelegated = is_denied(s, answer);
	ldns_rr_list_deep_free(own);
}

static void ask_at(search_t *s, const ldns_rdf *address)
{
	ldns_resolver *r = asker(address, s->port);
	ldns_pkt *answer = r ? ask(r, s->apex, LDNS_RR_TYPE_NS, false) : NULL;

	if (answer)
		read_answer(s, answer);
	s->asked++;
	ldns_pkt_free(answer);
	ldns_resolver_deep_free(r);
}

static bool is_known(const search_t *s)
{
	return s->found || s->undelegated;
}

static bool asks_on(const search_t *s)
{
	return !is_known(s) && s->asked < ADDRESSES_MOST;
}

static void ask_server(search_t *s, const ldns_rdf *name, ldns_rr_type type)
{
	ldns_pkt *answer = ask(s->asks, name, type, true);
	ldns_rr_list *addresses = rrset(answer, name, type, LDNS_SECTION_ANSWER);

	for (size_t i = 0; i < ldns_rr_list_rr_count(addresses); i++) {
		if (asks_on(s))
			ask_at(s, ldns_rr_rdf(ldns_rr_list_rr(addresses, i), 0));
	}
	ldns_rr_list_deep_free(addresses);
	ldns_pkt_free(answer);
}

static bool ask_parent(search_t *s)
{
	const size_t all = ldns_rr_list_rr_count(s->servers);

	for (size_t i = 0; i < all && i < SERVERS_MOST && asks_on(s); i++) {
		const ldns_rdf *name = ldns_rr_rdf(ldns_rr_list_rr(s->servers, i), 0);

		ask_server(s, name, LDNS_RR_TYPE_A);
		if (asks_on(s))
			ask_server(s, name, LDNS_RR_TYPE_AAAA);
	}
	if (is_known(s))
		return true;
	if (s->asked == 0)
		snprintf(s->why, sizeof s->why, "the parent's name servers have no address");
	else if (s->both)
		snprintf(s->why, sizeof s->why,
		         "the parent's name servers have the zone themselves, and show its own NS "
		         "alone");
	else
		snprintf(s->why, sizeof s->why,
		         "none of the parent's name servers, asked at %u address%s, gives an "
		         "answer of use",
		         s->asked, s->asked == 1 ? "" : "es");
	return false;
}

static bool search(search_t *s)
{
	bool found = false;

	s->asks = asker_at(&s->resolver);
	if (ldns_str2rdf_dname(&s->apex, s->zone) != LDNS_STATUS_OK)
		snprintf(s->why, sizeof s->why, "this is no domain name: %.200s", s->zone);
	else if (ldns_dname_label_count(s->apex) == 0)
		snprintf(s->why, sizeof s->why, "the root has no parent");
	else if (!s->asks)
		snprintf(s->why, sizeof s->why, "out of memory");
	else
		found = find_parent(s) && ask_parent(s);
	return found;
}

static void end_search(search_t *s)
{
	ldns_resolver_deep_free(s->asks);
	ldns_rdf_deep_free(s->apex);
	ldns_rr_list_deep_free(s->servers);
	ldns_rr_list_deep_free(s->found);
}

/* --- words ------------------------------------------------------------------------------------- */

bool ctl_parent_is_asked(char **words)
{
	for (; *words; words++) {
		if (strcmp(*words, "--resolver") == 0)
			return true;
	}
	return false;
}

static bool read_option(search_t *s, const char *word, const char *value)
{
	if (!value)
		return false;
	if (strcmp(word, "--resolver") == 0)
		return addr_parse(value, DNS_PORT, &s->resolver) == ST_OK;
	return strcmp(word, "-P") == 0 && addr_parse_port(value, &s->port) == ST_OK;
}

static bool read_words(search_t *s, char **words)
{
	for (; *words; words++) {
		if (**words == '-') {
			if (!read_option(s, words[0], words[1]))
				return false;
			words++;
		} else if (!s->zone) {
			s->zone = *words;
		} else {
			return false;
		}
	}
	return s->zone && !strpbrk(s->zone, "*?[");
}

static char *name_at(const ldns_rr_list *l, size_t i)
{
	return ldns_rdf2str(ldns_rr_rdf(ldns_rr_list_rr(l, i), 0));
}

/* lint NAME, and --parent with what was found unless nothing is known; NULL: no memory. */
static char **write_words(const search_t *s, bool known)
{
	const size_t all = s->found ? ldns_rr_list_rr_count(s->found) : 0;
	const size_t count = all < NAMES_MOST ? all : NAMES_MOST;
	char **words = calloc(count + WORDS_BESIDE, sizeof *words), **to = words;
	bool good = words;

	good = good && (*to++ = strdup("lint")) && (*to++ = strdup(s->zone));
	good = good && (!known || (*to++ = strdup("--parent")));
	for (size_t i = 0; i < count && good; i++)
		good = (*to++ = name_at(s->found, i));
	if (good)
		return words;
	ctl_parent_free(words);
	return NULL;
}

char **ctl_parent_words(char **words, bool *partly)
{
	search_t s = { .port = DNS_PORT };

	if (!read_words(&s, words + 1)) {
		snprintf(s.why, sizeof s.why, "lint NAME --resolver ADDRESS[@PORT] [-P PORT]");
		words = NULL;
	} else {
		*partly = !search(&s);
		words = write_words(&s, !*partly);
		if (!words)
			snprintf(s.why, sizeof s.why, "%s", status_text(ST_NOMEM));
	}
	end_search(&s);
	if (!words)
		fprintf(stderr, "secdctl: %s\n", s.why);
	else if (*partly)
		fprintf(stderr, "secdctl: which NS the parent has is not known: %s\n", s.why);
	return words;
}

void ctl_parent_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}
