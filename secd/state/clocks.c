/* state/clocks.c - fields into octets and back, and the arithmetic of boots. */
#include "state/clocks.h"

#include <string.h>

#include "common/buf.h"

enum {
	INSTANT_LEN = 8 + 8 + 8 + 1,
	FIXED_LEN = INSTANT_LEN + 4 + 1 + 2 + 4 * 8 + 8 + 4 + 2,
	PINNED_LEN = 4,
	PEER_FIXED_LEN = 4 + 4 + 1 + 1 + 1 + 4 * 8 + 2 + 4 + 4,
};

static const uint64_t TIME_MOST = UINT64_C(1) << 61; /* 73 years */

enum { FLAG_EXPIRED = 1, FLAG_ACCEPTED = 2, FLAG_PINNED = 4, FLAG_UNEXPIRING = 8, FLAG_COPY = 16 };
enum { PEER_SHOWN = 1, PEER_REFUSED = 2 };

static size_t text_room(const state_text_t *t)
{
	return 1u + t->len;
}

size_t state_clocks_room(const state_clocks_t *c)
{
	size_t room = FIXED_LEN + text_room(&c->how) + text_room(&c->source) +
	              (c->pinned ? PINNED_LEN : 0);

	for (size_t i = 0; i < c->peer_count; i++)
		room += PEER_FIXED_LEN + text_room(&c->peers[i].name) + text_room(&c->peers[i].why);
	return room;
}

static void put_text(bufw_t *b, const state_text_t *t)
{
	bufw_u8(b, t->len);
	bufw_bytes(b, t->text, t->len);
}

static void put_time(bufw_t *b, mono_t t)
{
	bufw_u64(b, (uint64_t)t.ns);
}

static void put_peer(bufw_t *b, const state_peer_t *p)
{
	put_text(b, &p->name);
	bufw_u32(b, p->serial);
	bufw_u32(b, p->refused);
	bufw_u8(b, (p->shown ? PEER_SHOWN : 0) | (p->has_refused ? PEER_REFUSED : 0));
	bufw_u8(b, p->delta_failures);
	bufw_u8(b, p->address);
	put_time(b, p->seen);
	put_time(b, p->failed_at);
	put_time(b, p->no_delta_until);
	put_time(b, p->plain_until);
	put_text(b, &p->why);
	bufw_u16(b, p->why_type);
	bufw_u32(b, p->why_a);
	bufw_u32(b, p->why_b);
}

size_t state_clocks_put(const state_clocks_t *c, uint8_t *out)
{
	bufw_t b = bufw_over(out, state_clocks_room(c));

	bufw_u64(&b, c->at.boot);
	put_time(&b, c->at.mono);
	bufw_u64(&b, (uint64_t)c->at.wall_ms);
	bufw_u8(&b, c->at.synced);
	bufw_u32(&b, c->serial);
	bufw_u8(&b, (c->expired ? FLAG_EXPIRED : 0) | (c->accepted ? FLAG_ACCEPTED : 0) |
	                    (c->pinned ? FLAG_PINNED : 0) | (c->unexpiring ? FLAG_UNEXPIRING : 0) |
	                    (c->copy ? FLAG_COPY : 0));
	bufw_u16(&b, c->failures);
	put_time(&b, c->checked);
	put_time(&b, c->expires);
	put_time(&b, c->outrun);
	put_time(&b, c->loaded_at);
	bufw_u64(&b, c->octets);
	bufw_u32(&b, c->ms);
	put_text(&b, &c->how);
	put_text(&b, &c->source);
	bufw_u16(&b, c->peer_count);
	for (size_t i = 0; i < c->peer_count; i++)
		put_peer(&b, &c->peers[i]);
	if (c->pinned)
		bufw_u32(&b, c->pinned_at);
	return b.pos;
}

static void get_text(buf_t *b, state_text_t *t)
{
	const size_t len = buf_u8(b);
	const uint8_t *text = buf_take(b, len);

	*t = (state_text_t){ 0 };
	if (len > STATE_TEXT_MAX)
		b->bad = true;
	if (!buf_ok(b))
		return;
	t->len = (uint8_t)len;
	memcpy(t->text, text, len);
}

/* So that no difference of two overflows. */
static mono_t get_time(buf_t *b)
{
	const uint64_t ns = buf_u64(b);

	if (ns > TIME_MOST)
		b->bad = true;
	return (mono_t){ ns > TIME_MOST ? 0 : (int64_t)ns };
}

static void get_peer(buf_t *b, state_peer_t *p)
{
	get_text(b, &p->name);
	p->serial = buf_u32(b);
	p->refused = buf_u32(b);
	const unsigned flags = buf_u8(b);
	p->shown = flags & PEER_SHOWN;
	p->has_refused = flags & PEER_REFUSED;
	p->delta_failures = buf_u8(b);
	p->address = buf_u8(b);
	p->seen = get_time(b);
	p->failed_at = get_time(b);
	p->no_delta_until = get_time(b);
	p->plain_until = get_time(b);
	get_text(b, &p->why);
	p->why_type = buf_u16(b);
	p->why_a = buf_u32(b);
	p->why_b = buf_u32(b);
}

static void get_instant(buf_t *b, state_instant_t *at)
{
	at->boot = buf_u64(b);
	at->mono = get_time(b);
	at->wall_ms = (int64_t)buf_u64(b);
	at->synced = buf_u8(b) == 1;
}

status_t state_clocks_instant(const uint8_t *in, size_t len, state_instant_t *out)
{
	buf_t b = buf_over(in, len);

	get_instant(&b, out);
	return buf_ok(&b) ? ST_OK : ST_MALFORMED;
}

static bool has_flag(const uint8_t *in, size_t len, unsigned flag)
{
	buf_t b = buf_over(in, len);

	(void)buf_take(&b, INSTANT_LEN + 4); /* and the serial */
	return buf_u8(&b) & flag;
}

bool state_clocks_accepted(const uint8_t *in, size_t len)
{
	return has_flag(in, len, FLAG_ACCEPTED);
}

bool state_clocks_pinned(const uint8_t *in, size_t len)
{
	return has_flag(in, len, FLAG_PINNED);
}

bool state_clocks_copy(const uint8_t *in, size_t len)
{
	return has_flag(in, len, FLAG_COPY);
}

uint32_t state_clocks_arrived(const uint8_t *in, size_t len)
{
	buf_t b = buf_over(in, len);
	state_instant_t at;
	mono_t loaded_at;
	int64_t s;

	get_instant(&b, &at);
	(void)buf_take(&b, 4 + 1 + 2 + 3 * 8);
	loaded_at = get_time(&b);
	if (!buf_ok(&b) || at.wall_ms < 0)
		return 0;
	s = at.wall_ms / 1000;
	/* One that came in another boot: nobody knows. */
	if (loaded_at.ns > 0 && mono_before(loaded_at, at.mono))
		s -= (at.mono.ns - loaded_at.ns) / NS_PER_S;
	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

status_t state_clocks_get(const uint8_t *in, size_t len, state_clocks_t *c, state_peer_t *peers,
                          size_t most)
{
	buf_t b = buf_over(in, len);

	*c = (state_clocks_t){ .peers = peers };
	get_instant(&b, &c->at);
	c->serial = buf_u32(&b);
	const unsigned flags = buf_u8(&b);
	c->expired = flags & FLAG_EXPIRED;
	c->accepted = flags & FLAG_ACCEPTED;
	c->pinned = flags & FLAG_PINNED;
	c->unexpiring = flags & FLAG_UNEXPIRING;
	c->copy = flags & FLAG_COPY;
	c->failures = buf_u16(&b);
	c->checked = get_time(&b);
	c->expires = get_time(&b);
	c->outrun = get_time(&b);
	c->loaded_at = get_time(&b);
	c->octets = buf_u64(&b);
	c->ms = buf_u32(&b);
	get_text(&b, &c->how);
	get_text(&b, &c->source);
	const size_t count = buf_u16(&b);
	for (size_t i = 0; i < count && buf_ok(&b); i++) {
		state_peer_t left_out;

		get_peer(&b, i < most ? &peers[i] : &left_out);
	}
	c->peer_count = (uint16_t)(count < most ? count : most);
	if (c->pinned)
		c->pinned_at = buf_u32(&b);
	return buf_ok(&b) && buf_left(&b) == 0 ? ST_OK : ST_MALFORMED;
}

/* --- how long ago ------------------------------------------------------------------------------ */

static state_boot_t *boot_of(state_times_t *t, uint64_t boot)
{
	unsigned place = state_times_boot(t, boot);

	if (place != 0)
		return &t->boots[place - 1];
	if (t->count == STATE_BOOTS_MAX) {
		t->count--;
		memmove(t->boots, t->boots + 1, t->count * sizeof *t->boots);
	}
	t->boots[t->count] = (state_boot_t){ .boot = boot };
	return &t->boots[t->count++];
}

void state_times_note(state_times_t *t, const state_instant_t *at)
{
	state_boot_t *b;

	if (at->boot == 0)
		return; /* times of several boots would be taken for those of one */
	b = boot_of(t, at->boot);
	b->last = mono_max(b->last, at->mono);
	if (at->synced && mono_before(b->synced, at->mono)) {
		b->synced = at->mono;
		b->wall_ms = at->wall_ms;
	}
}

state_boot_t state_boot_at(const state_instant_t *at)
{
	return (state_boot_t){ .boot = at->boot,
		               .last = at->mono,
		               .synced = at->synced ? at->mono : (mono_t){ 0 },
		               .wall_ms = at->wall_ms };
}

unsigned state_times_boot(const state_times_t *t, uint64_t boot)
{
	for (unsigned i = 0; i < t->count && boot != 0; i++) {
		if (t->boots[i].boot == boot)
			return i + 1;
	}
	return 0;
}

static int64_t at_least_0(int64_t ns)
{
	return ns > 0 ? ns : 0;
}

bool state_boot_gap(const state_boot_t *b, const state_instant_t *now, int64_t *ns)
{
	int64_t down_ms;

	*ns = 0;
	if (b->boot != 0 && b->boot == now->boot) {
		*ns = at_least_0(now->mono.ns - b->last.ns);
		return true;
	}
	if (!now->synced || b->synced.ns == 0)
		return false;
	if (__builtin_sub_overflow(now->wall_ms, b->wall_ms, &down_ms) || down_ms < 0 ||
	    down_ms > (int64_t)TIME_MOST / NS_PER_MS)
		return false;
	*ns = at_least_0(down_ms * NS_PER_MS - (b->last.ns - b->synced.ns));
	return true;
}

mono_t state_times_now(const state_boot_t *boot, int64_t gap_ns, mono_t then, mono_t now)
{
	if (then.ns == 0)
		return then; /* never */
	return (mono_t){ now.ns - gap_ns + (then.ns - boot->last.ns) };
}
