/* tests/fuzz/fuzz_tsig.c - any bytes at all as signed requests and answers.
 *
 * The first octet chooses the algorithm and one of two games. In one, the rest are messages, each
 * behind its length, for the verifier of answers and for the judge of queries, under a secret that
 * none of them is signed with: none may pass. In the other, the rest is a message that we sign as
 * a request and as an answer: both must pass, and come back as they were. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/tsig.h"
#include "dns/tsig_query.h"
#include "dns/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 65535 + 512 };

static const wall_t now = { 1700000000 };

typedef struct world {
	dns_tsig_keys_t keys;
	uint8_t out[ROOM];
} world_t;

/* As those of the seeds are named, with another secret. */
static void make_keys(dns_tsig_keys_t *keys)
{
	static const char *const algs[] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
		                            "hmac-sha256", "hmac-sha384", "hmac-sha512" };

	if (dns_tsig_keys_make(keys, ARRAY_LEN(algs)) != ST_OK)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		char text[32] = "key-";
		dns_name_t name;

		strcat(text, algs[i]);
		if (dns_name_from_text(text, &name) != ST_OK ||
		    dns_tsig_key_make(&keys->list[i], &name, algs[i], (const uint8_t *)"x", 1) !=
		            ST_OK)
			abort();
	}
	dns_tsig_keys_sort(keys);
}

/* A copy of exactly its length, so that a read behind it shows. */
static uint8_t *copy(const uint8_t *bytes, size_t len)
{
	uint8_t *kept = malloc(len ? len : 1);

	memcpy(kept, bytes, len);
	return kept;
}

static void judge(world_t *w, const uint8_t *msg, size_t len)
{
	size_t at, out_len = DNS_HEADER_LEN;
	dns_tsig_query_t q;

	if (dns_tsig_rr_find(msg, len, &at) != ST_OK || at == 0)
		return;
	if (dns_tsig_query_check(&w->keys, msg, len, at, now, &q) == DNS_TSIG_QUERY_OK)
		abort();
	if (dns_tsig_query_room(&q) == 0)
		return;
	memset(w->out, 0, DNS_HEADER_LEN);
	dns_tsig_query_sign(&q, now, w->out, &out_len);
	if (out_len != DNS_HEADER_LEN + dns_tsig_query_room(&q))
		abort();
}

static void verify(world_t *w, const dns_tsig_key_t *key, const uint8_t *data, size_t size)
{
	const dns_tsig_mac_t request = { .len = 16 };
	buf_t in = buf_over(data, size);
	char text[DNS_TSIG_TEXT_MAX];
	dns_tsig_stream_t s;

	dns_tsig_stream_start(&s, key, &request, size % 2);
	while (buf_left(&in) > 0) {
		size_t len = buf_u16(&in);
		const uint8_t *bytes = buf_take(&in, len);
		dns_tsig_bare_t bare;

		if (!bytes)
			break;
		uint8_t *msg = copy(bytes, len);
		judge(w, msg, len);
		if (dns_tsig_stream_feed(&s, msg, len, now, &bare) == DNS_TSIG_OK || bare.len > len)
			abort();
		free(msg);
	}
	if (dns_tsig_stream_finish(&s) == DNS_TSIG_OK)
		abort();
	dns_tsig_text(s.last, s.detail, text);
}

static void sign(world_t *w, const dns_tsig_key_t *key, const uint8_t *data, size_t size)
{
	size_t at, len = size;
	dns_tsig_stream_t s;
	dns_tsig_query_t q;
	dns_tsig_bare_t bare;
	dns_tsig_mac_t mac;

	if (dns_tsig_rr_find(data, size, &at) != ST_OK || at != 0 || size > 65000)
		return;
	memcpy(w->out, data, size);
	if (dns_tsig_sign(key, now, w->out, &len, ROOM, &mac) != ST_OK)
		abort();
	uint8_t *msg = copy(w->out, len);
	if (dns_tsig_rr_find(msg, len, &at) != ST_OK || at != size ||
	    dns_tsig_query_check(&w->keys, msg, len, at, now, &q) != DNS_TSIG_QUERY_OK)
		abort();
	len = size;
	memcpy(w->out, data, size);
	dns_tsig_query_sign(&q, now, w->out, &len);
	free(msg);
	dns_tsig_stream_start(&s, key, &mac, true);
	msg = copy(w->out, len);
	if (dns_tsig_stream_feed(&s, msg, len, now, &bare) != DNS_TSIG_OK || bare.len != size ||
	    bare.arcount != get_u16(data + DNS_ARCOUNT_AT))
		abort();
	free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static world_t *w; /* made once: the fuzzer has one thread */

	if (!w) {
		w = calloc(1, sizeof *w);
		make_keys(&w->keys);
	}
	if (size < 1)
		return 0;
	const dns_tsig_key_t *key = &w->keys.list[(data[0] >> 1) % w->keys.count];
	if (data[0] & 1)
		sign(w, key, data + 1, size - 1);
	else
		verify(w, key, data + 1, size - 1);
	return 0;
}
