/* tests/fuzz/fuzz_state.c - a directory of the state with any octets in its files.
 *
 * The first octet is of flags. 1: the input is the log as it stands. Else it is a list of records, each
 * kind, what the version has in its highest octet, the rest of it, from, serial and stamp in an octet, two octets of length, and the body; the checks
 * are put right, so that what is behind them is reached. 2: there is a file of a big zone as well, with parts of the same
 * octets. What is found is read, and its clocks; then all of it once more, with a bit of it flipped. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mailbox.h"
#include "state/inner.h"
#include "state/record.h"
#include "state/state.h"
#include "tests/unit/state/disk_double.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_IT_STANDS = 1, HAS_OWN = 2, MOST = 1 << 16, OWN_NUMBER = 2 };

typedef struct log {
	uint8_t octets[MOST];
	size_t len;
} log_t;

static void begin(log_t *log, uint32_t kind, uint64_t number)
{
	const state_file_head_t head = { STATE_FORMAT, kind, number };

	state_file_head_put(log->octets, &head);
	log->len = STATE_FILE_HEAD;
}

static void append(log_t *log, uint64_t number, const state_record_t *r, const uint8_t *body)
{
	const size_t len = state_record_size(r->len);
	uint8_t *at = log->octets + log->len;
	state_sealer_t *s = state_sealer_new();

	if (!s)
		abort();
	if (log->len + len <= MOST) {
		memset(at, 0, len);
		state_seal_begin(s, number, r, at);
		state_seal_add(s, body, r->len);
		state_seal_end(s, at);
		memcpy(at + STATE_RECORD_HEAD, body, r->len);
		log->len += len;
	}
	state_sealer_free(s);
}

/* A record of the input, with small numbers so that they meet. */
static bool next(buf_t *in, state_record_t *r, const uint8_t **body)
{
	const uint8_t *h = buf_take(in, 6);
	const size_t len = buf_u16(in);

	if (!h || !(*body = buf_take(in, len)))
		return false;
	*r = (state_record_t){ .kind = (state_kind_t)h[0],
		               .len = (uint32_t)len,
		               .version = (uint32_t)h[1] << 24 | h[2],
		               .from = h[3],
		               .serial = h[4],
		               .stamp = h[5] };
	return true;
}

static void fill(disk_double_t *d, const uint8_t *data, size_t size, unsigned flags)
{
	log_t *log = calloc(1, sizeof *log), *own = calloc(1, sizeof *own);
	buf_t in = buf_over(data, size);
	state_record_t r;
	const uint8_t *body;

	begin(log, STATE_FILE_LOG, 1);
	begin(own, STATE_FILE_ZONE, OWN_NUMBER);
	while (next(&in, &r, &body)) {
		append(log, 1, &r, body);
		r.kind = STATE_PART;
		append(own, OWN_NUMBER, &r, body);
	}
	if (flags & AS_IT_STANDS)
		disk_double_put(d, "log-00000001", data, size);
	else
		disk_double_put(d, "log-00000001", log->octets, log->len);
	if (flags & HAS_OWN)
		disk_double_put(d, "zone-00000002", own->octets, own->len);
	free(log);
	free(own);
}

typedef struct reading {
	const state_t *state;
	unsigned all;
} reading_t;

static status_t sum(void *arg, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((reading_t *)arg)->all += octets[i];
	return ST_OK;
}

static status_t take_clocks(void *arg, const uint8_t *octets, size_t len)
{
	const state_t *s = ((const reading_t *)arg)->state;
	const state_instant_t now = { 7, { 1000 * NS_PER_S }, 1000, true };
	state_peer_t peers[3];
	state_clocks_t c;
	int64_t gap;

	if (state_clocks_get(octets, len, &c, peers, 3) != ST_OK)
		return ST_OK;
	const unsigned boot = state_times_boot(state_times(s), c.at.boot);
	if (boot != 0 && state_boot_gap(&state_times(s)->boots[boot - 1], &now, &gap))
		(void)state_times_now(&state_times(s)->boots[boot - 1], gap, c.expires, now.mono);
	if (c.peer_count > 3)
		abort();
	return ST_OK;
}

/* Each version that is told of has a way to it. */
static void read_old(state_t *s, state_zone_t *z, const state_reader_t *reader)
{
	state_list_t all = { 0 };
	state_save_t ask = { .zone = z, .list = &all };

	if (state_list_answer(s, &ask) != ST_OK)
		abort();
	for (size_t i = 0; i < all.count; i++) {
		state_list_t one = { .by_version = true, .wanted = all.all[i].version };

		ask.list = &one;
		const status_t st = state_list_answer(s, &ask);
		if (st == ST_NOENT)
			abort();
		if (st == ST_OK) /* else a file of it is gone */
			(void)state_route_read(one.route, reader);
		free(one.all);
		state_route_free(one.route);
	}
	free(all.all);
}

static void read_zone(state_t *s, state_zone_t *z)
{
	reading_t r = { .state = s };
	state_window_t *window = state_window_new();
	const state_reader_t reader = {
		.arg = &r, .window = window, .clocks = take_clocks, .chunk = sum, .delta = sum
	};

	if (state_read(s, z, &reader) == ST_OK && !state_zone_has(z))
		abort();
	read_old(s, z, &reader);
	state_window_free(window);
}

static void look(disk_double_t *d)
{
	static const uint8_t *const apexes[] = { (const uint8_t *)"", (const uint8_t *)"\1a",
		                                 (const uint8_t *)"\1b\1a" };
	static mailbox_t nobody;
	const state_conf_t conf = { .disk = disk_double_disk(d),
		                    .done = &nobody,
		                    .past_share = 300 };
	state_zone_t *zones[3];
	state_scan_t scan;
	char why[256];
	state_t *s = state_new(&conf);

	for (size_t i = 0; i < ARRAY_LEN(apexes); i++)
		zones[i] = state_zone_add(s, apexes[i]);
	(void)state_check(s, why);
	if (state_scan(s, &scan, why) == ST_OK) {
		for (size_t i = 0; i < ARRAY_LEN(apexes); i++)
			read_zone(s, zones[i]);
	}
	state_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	disk_double_t *d = disk_double_new(1);

	if (size > 2) {
		fill(d, data + 1, size - 1, data[0]);
		look(d);
		const uint64_t len = disk_double_size(d, "log-00000001");
		disk_double_flip(d, "log-00000001", (data[1] * 256u + data[2]) % len, data[0] % 8);
		look(d);
	}
	disk_double_free(d);
	return 0;
}
