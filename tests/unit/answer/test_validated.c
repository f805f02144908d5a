/* tests/unit/answer/test_validated.c - random zones, signed by ldns; ldns then verifies each answer:
 * the signatures of every RRset, and that NSEC and NSEC3 prove what a negative answer says. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer/answer.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(validated, .timeout = 120);

enum { TEXT_MAX = 20000, SEEDS = 40 };

typedef enum chain { CHAIN_NSEC, CHAIN_NSEC3, CHAIN_OPT_OUT, CHAINS } chain_t;

static ldns_key_list *keys;
static ldns_rr_list *public_keys;

static void make_keys(void)
{
	ldns_key *key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);

	cr_assert(key != NULL);
	ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str("z."));
	ldns_key_set_flags(key, 257);
	ldns_key_set_inception(key, 1600000000);
	ldns_key_set_expiration(key, 2100000000);
	ldns_key_set_keytag(key, ldns_calc_keytag(ldns_key2rr(key)));
	keys = ldns_key_list_new();
	ldns_key_list_push_key(keys, key);
	public_keys = ldns_rr_list_new();
	ldns_rr_list_push_rr(public_keys, ldns_key2rr(key));
}

/* --- zones -------------------------------------------------------------------------------------- */

/* One to three labels over a small alphabet, so that names meet; asterisks among them. */
static void random_name(char out[64])
{
	static const char *const labels[] = { "a", "b", "*", "c", "ab", "d" };
	unsigned depth = 1 + (unsigned)rand() % 3;

	*out = '\0';
	for (unsigned i = 0; i < depth; i++)
		strcat(strcat(out, labels[(unsigned)rand() % ARRAY_LEN(labels)]), ".");
	strcat(out, "z.");
}

/* What stands at a name: nothing that a signer would stumble over. */
static void random_data(const char *name, char *text)
{
	char target[64];

	random_name(target);
	switch (rand() % 8) {
	case 0:
		sprintf(text + strlen(text), "%s 300 IN CNAME %s\n", name, target);
		return;
	case 1:
		if (name[0] == '*')
			break;
		sprintf(text + strlen(text), "%s 300 IN NS ns.other.\n", name);
		if (rand() % 2)
			sprintf(text + strlen(text), "%s 300 IN DS 1 13 2 %064d\n", name, 0);
		return;
	case 2:
		if (name[0] == '*')
			break;
		sprintf(text + strlen(text), "%s 300 IN DNAME %s\n", name, target);
		return;
	default:
		break;
	}
	sprintf(text + strlen(text), "%s 300 IN A 192.0.2.1\n", name);
	if (rand() % 2)
		sprintf(text + strlen(text), "%s 300 IN TXT \"t\"\n", name);
}

static void random_zone(char *text)
{
	unsigned names = 2 + (unsigned)rand() % 25;
	char seen[64][64];

	strcpy(text, "z. 300 IN SOA ns.z. hm.z. 1 3600 600 86400 60\nz. 300 IN NS ns.z.\n"
	             "ns.z. 300 IN A 192.0.2.53\n");
	for (unsigned i = 0, count = 0; i < names; i++) {
		char name[64];
		unsigned j = 0;

		random_name(name);
		while (j < count && strcmp(seen[j], name) != 0)
			j++;
		if (j < count)
			continue;
		strcpy(seen[count++], name);
		random_data(name, text);
	}
}

static char *sign(const char *text, chain_t chain)
{
	ldns_dnssec_zone *zone = ldns_dnssec_zone_new();
	ldns_rr_list *made = ldns_rr_list_new();
	char *copy = strdup(text), *save = NULL, *out = NULL;
	size_t len;
	ldns_status st;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		ldns_rr *rr = NULL;

		cr_assert(ldns_rr_new_frm_str(&rr, l, 300, NULL, NULL) == LDNS_STATUS_OK, "%s", l);
		cr_assert(ldns_dnssec_zone_add_rr(zone, rr) == LDNS_STATUS_OK);
	}
	cr_assert(ldns_dnssec_zone_add_rr(zone, ldns_key2rr(ldns_key_list_key(keys, 0))) ==
	          LDNS_STATUS_OK);
	ldns_dnssec_zone_mark_glue(zone);
	if (chain == CHAIN_NSEC) {
		st = ldns_dnssec_zone_sign_flg(zone, made, keys,
		                               ldns_dnssec_default_replace_signatures, NULL,
		                               LDNS_SIGN_DNSKEY_WITH_ZSK);
	} else {
		uint8_t salt[2] = { 0xab, (uint8_t)rand() };

		st = ldns_dnssec_zone_sign_nsec3_flg(
			zone, made, keys, ldns_dnssec_default_replace_signatures, NULL, 1,
			chain == CHAIN_OPT_OUT, (uint16_t)(rand() % 4), (uint8_t)(rand() % 3), salt,
			LDNS_SIGN_DNSKEY_WITH_ZSK);
	}
	cr_assert(eq(int, st, LDNS_STATUS_OK));
	FILE *f = open_memstream(&out, &len);
	ldns_dnssec_zone_print(f, zone);
	fclose(f);
	free(copy);
	ldns_rr_list_free(made);
	ldns_dnssec_zone_deep_free(zone);
	/* Comments are for people. */
	char *clean = calloc(1, len + 1), *lines = out;
	save = NULL;
	for (char *l = strtok_r(lines, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (*l != ';')
			strcat(strcat(clean, l), "\n");
	}
	free(out);
	return clean;
}

/* --- asking ------------------------------------------------------------------------------------- */

typedef struct fixture {
	epoch_t *epoch;
	zone_set_t *set;
	answer_t *answer;
	answer_counters_t counters;
	addr_t peer;
} fixture_t;

static ldns_pkt *ask(fixture_t *f, const char *name, uint16_t type)
{
	static uint8_t out[65535];
	answer_req_t *req = calloc(1, sizeof *req);
	uint8_t msg[512];
	bufw_t w = bufw_over(msg, sizeof msg);
	dns_name_t n = zones_name(name);
	ldns_pkt *pkt = NULL;

	bufw_bytes(&w, "\x12\x34\0\0\0\1\0\0\0\0\0\1", 12);
	bufw_bytes(&w, n.wire, n.len);
	bufw_u16(&w, type);
	bufw_u16(&w, 1);
	bufw_bytes(&w, "\0\0\51\x10\0\0\0\x80\0\0\0", 11);
	*req = (answer_req_t){ .in = msg,
		               .in_len = w.pos,
		               .out = out,
		               .out_room = sizeof out,
		               .via = ANSWER_TCP,
		               .peer = &f->peer };
	static const answer_time_t now = { { 1700000000 }, { NS_PER_S } };
	answer_batch(f->answer, &now, req, 1);
	cr_assert(eq(int, ldns_wire2pkt(&pkt, out, req->out_len), LDNS_STATUS_OK));
	free(req);
	return pkt;
}

/* --- judging ------------------------------------------------------------------------------------ */

static const char *where; /* for messages */

/* Is the RRset a CNAME made from a DNAME, which nobody signs? */
static bool is_made(const ldns_pkt *pkt, const ldns_rr_list *set)
{
	const ldns_rr *cname = ldns_rr_list_rr(set, 0);

	if (ldns_rr_get_type(cname) != LDNS_RR_TYPE_CNAME)
		return false;
	for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(pkt)); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(pkt), i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME &&
		    ldns_dname_is_subdomain(ldns_rr_owner(cname), ldns_rr_owner(rr)))
			return true;
	}
	return false;
}

static ldns_rr_list *signatures_of(const ldns_rr_list *section, const ldns_rr_list *set)
{
	ldns_rr_list *out = ldns_rr_list_new();
	const ldns_rr *first = ldns_rr_list_rr(set, 0);

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG &&
		    ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == ldns_rr_get_type(first) &&
		    ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(first)) == 0)
			ldns_rr_list_push_rr(out, rr);
	}
	return out;
}

/* Every RRset of the section has a signature that verifies, but for a delegation's NS. */
static void verify_section(const ldns_pkt *pkt, const ldns_rr_list *section)
{
	ldns_rr_list *rest = ldns_rr_list_new(), *set;

	for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
		ldns_rr *rr = ldns_rr_list_rr(section, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG)
			ldns_rr_list_push_rr(rest, rr);
	}
	ldns_rr_list_sort(rest);
	while ((set = ldns_rr_list_pop_rrset(rest))) {
		ldns_rr_list *sigs = signatures_of(section, set), *good = ldns_rr_list_new();
		bool bare = ldns_rr_get_type(ldns_rr_list_rr(set, 0)) == LDNS_RR_TYPE_NS &&
		            section == ldns_pkt_authority(pkt);

		if (!bare && !is_made(pkt, set)) {
			ldns_status st = ldns_verify(set, sigs, public_keys, good);
			cr_expect(eq(int, st, LDNS_STATUS_OK), "%s: signature of %s", where,
			          ldns_rr2str(ldns_rr_list_rr(set, 0)));
		}
		ldns_rr_list_free(sigs);
		ldns_rr_list_free(good);
		ldns_rr_list_free(set);
	}
	ldns_rr_list_free(rest);
}

/* The name that the chain in the answer ends at, and whether that has an answer. */
static const ldns_rdf *end_of_chain(const ldns_pkt *pkt, const ldns_rdf *name, uint16_t type,
                                    bool *answered)
{
	const ldns_rr_list *answer = ldns_pkt_answer(pkt);

	*answered = false;
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_dname_compare(ldns_rr_owner(rr), name) != 0)
			continue;
		if (ldns_rr_get_type(rr) == (ldns_rr_type)type)
			*answered = true;
		else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
			name = ldns_rr_rdf(rr, 0);
	}
	return name;
}

/* What RFC 4035 3.1.3.4 and 5.4 call a proof and ldns's function does not know: an NSEC that covers
 * the name and leads below it (it is an empty non-terminal), or one that covers it beside the NSEC of
 * the wildcard, without the type. */
static bool is_other_no_data(const ldns_rdf *name, uint16_t type, const ldns_rr_list *proofs)
{
	bool covers = false, below = false, wild = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(proofs); i++) {
		const ldns_rr *nsec = ldns_rr_list_rr(proofs, i);
		ldns_rdf *up = ldns_dname_left_chop(ldns_rr_owner(nsec));

		covers = covers || ldns_nsec_covers_name(nsec, name);
		below = below || (ldns_nsec_covers_name(nsec, name) &&
		                  ldns_dname_is_subdomain(ldns_rr_rdf(nsec, 0), name));
		wild = wild || (ldns_dname_is_wildcard(ldns_rr_owner(nsec)) &&
		                ldns_dname_is_subdomain(name, up) &&
		                !ldns_nsec_bitmap_covers_type(ldns_nsec_get_bitmap(nsec),
		                                              (ldns_rr_type)type));
		ldns_rdf_deep_free(up);
	}
	return below || (covers && wild);
}

static ldns_status verify_nsec(const ldns_pkt *pkt, ldns_rr *rr, ldns_rr_list *proofs,
                               ldns_rr_list *sigs)
{
	ldns_status st = ldns_dnssec_verify_denial(rr, proofs, sigs);

	if (st == LDNS_STATUS_DNSSEC_NSEC_WILDCARD_NOT_COVERED &&
	    ldns_pkt_get_rcode(pkt) == LDNS_RCODE_NOERROR &&
	    is_other_no_data(ldns_rr_owner(rr), (uint16_t)ldns_rr_get_type(rr), proofs))
		return LDNS_STATUS_OK;
	return st;
}

/* That a wildcard has no DS, ldns only believes of another type that it does not have. */
static ldns_status verify_nsec3(const ldns_pkt *pkt, ldns_rr *rr, ldns_rr_list *proofs,
                                ldns_rr_list *sigs)
{
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(pkt);
	ldns_rr_type type = ldns_rr_get_type(rr);
	ldns_status st = ldns_dnssec_verify_denial_nsec3(rr, proofs, sigs, rcode, type,
	                                                 rcode == LDNS_RCODE_NOERROR);

	if (st == LDNS_STATUS_OK || type != LDNS_RR_TYPE_DS || rcode != LDNS_RCODE_NOERROR ||
	    ldns_rr_list_rr_count(proofs) < 2)
		return st;
	ldns_rr_set_type(rr, LDNS_RR_TYPE_NULL);
	return ldns_dnssec_verify_denial_nsec3(rr, proofs, sigs, rcode, LDNS_RR_TYPE_NULL, true);
}

static unsigned denied[CHAINS][2]; /* verified, by chain and whether the name exists */

/* A negative answer: does ldns believe it? */
static void verify_denial(const ldns_pkt *pkt, const ldns_rdf *name, uint16_t type, chain_t chain)
{
	bool nx = ldns_pkt_get_rcode(pkt) == LDNS_RCODE_NXDOMAIN;
	ldns_rr_type kind = chain == CHAIN_NSEC ? LDNS_RR_TYPE_NSEC : LDNS_RR_TYPE_NSEC3;
	ldns_rr_list *proofs = ldns_pkt_rr_list_by_type(pkt, kind, LDNS_SECTION_AUTHORITY);
	ldns_rr_list *sigs =
		ldns_pkt_rr_list_by_type(pkt, LDNS_RR_TYPE_RRSIG, LDNS_SECTION_AUTHORITY);
	ldns_rr *rr = ldns_rr_new();
	ldns_status st = LDNS_STATUS_ERR;

	ldns_rr_set_owner(rr, ldns_rdf_clone(name));
	ldns_rr_set_type(rr, (ldns_rr_type)type);
	cr_expect(proofs && sigs, "%s: no proof", where);
	if (proofs && sigs && chain == CHAIN_NSEC)
		st = verify_nsec(pkt, rr, proofs, sigs);
	else if (proofs && sigs)
		st = verify_nsec3(pkt, rr, proofs, sigs);
	cr_expect(eq(int, st, LDNS_STATUS_OK), "%s: %s", where, ldns_get_errorstr_by_id(st));
	denied[chain][nx]++;
	ldns_rr_free(rr);
	ldns_rr_list_deep_free(proofs);
	ldns_rr_list_deep_free(sigs);
}

static void judge(fixture_t *f, const char *name, uint16_t type, chain_t chain, unsigned seed)
{
	ldns_pkt *pkt = ask(f, name, type);
	ldns_rdf *asked = ldns_dname_new_frm_str(name);
	ldns_rr_list *soa = ldns_pkt_rr_list_by_type(pkt, LDNS_RR_TYPE_SOA, LDNS_SECTION_AUTHORITY);
	char text[200];
	bool answered;

	snprintf(text, sizeof text, "seed %u chain %d: %s type %u", seed, (int)chain, name, type);
	where = text;
	verify_section(pkt, ldns_pkt_answer(pkt));
	verify_section(pkt, ldns_pkt_authority(pkt));
	const ldns_rdf *end = end_of_chain(pkt, asked, type, &answered);
	if (soa && !answered)
		verify_denial(pkt, end, type, chain);
	ldns_rr_list_deep_free(soa);
	ldns_rdf_deep_free(asked);
	ldns_pkt_free(pkt);
}

static void run_zone(unsigned seed, chain_t chain)
{
	static const answer_conf_t conf = { .udp_payload = 4096 };
	static const addr_acl_t nobody = { NULL, 0 };
	static char text[TEXT_MAX];
	dns_name_t apex = zones_name("z.");
	fixture_t f = { .epoch = epoch_new(0) };
	zone_slot_t *slot;

	srand(seed);
	random_zone(text);
	char *text_signed = sign(text, chain);
	f.set = zone_set_new(f.epoch);
	f.answer = answer_new(f.set, &conf, &f.counters);
	cr_assert(zone_set_add(f.set, &apex, &nobody, NULL, &slot) == ST_OK);
	cr_assert(zone_set_commit(f.set) == ST_OK);
	cr_assert(zone_set_publish(f.set, slot,
	                           zones_version(zone_set_key(f.set), "z.", text_signed),
	                           NULL) == ST_OK);
	for (unsigned i = 0; i < 60; i++) {
		static const uint16_t types[] = { 1, 16, 5, 43, 2, 28, 39 };
		char name[64];

		random_name(name);
		judge(&f, name, types[(unsigned)rand() % ARRAY_LEN(types)], chain, seed);
	}
	judge(&f, "z.", DNS_TYPE_DS, chain, seed);
	judge(&f, "z.", DNS_TYPE_DNSKEY, chain, seed);
	free(text_signed);
	answer_free(f.answer);
	zone_set_free(f.set);
	epoch_free(f.epoch);
}

Test(validated, every_answer_of_random_zones)
{
	make_keys();
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		for (chain_t chain = 0; chain < CHAINS; chain++)
			run_zone(seed, chain);
	}
	for (chain_t chain = 0; chain < CHAINS; chain++) {
		cr_expect(gt(uint, denied[chain][0], 100), "no data, chain %d", (int)chain);
		cr_expect(gt(uint, denied[chain][1], 100), "no name, chain %d", (int)chain);
	}
	ldns_key_list_free(keys);
	ldns_rr_list_deep_free(public_keys);
}
