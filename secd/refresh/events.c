/* refresh/events.c - entries one behind the other, in places that only grow; the ring is where they
 * come to lie. */
#include "refresh/events.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/name.h"

enum {
	TEXT_MAX = 200, /* octets of a name or a text that are kept */
	/* The head; code, flags, time; the apex; an address; serials; a transfer; two texts. */
	ENTRY_MAX = 8 + 10 + DNS_NAME_MAX + 19 + 8 + 20 + 2 * (TEXT_MAX + 2),
};

/* Which parts an entry has. */
enum {
	HAS_SERIAL = 1,
	HAS_HELD = 2,
	HAS_TRANSFER = 4,
	HAS_PRIMARY = 8,
	HAS_TEXT = 16,
	HAS_IN = 32,
	HAS_IN6 = 64,
};

/* In front of each entry: to the place of the next one, and back to that of the one before. */
typedef struct head {
	uint32_t span, back;
} head_t;

struct refresh_events {
	uint64_t oldest, newest, end; /* places: modulo size they are offsets */
	size_t count, size;
	_Alignas(8) uint8_t octets[];
};

refresh_events_t *refresh_events_new(size_t octets)
{
	size_t size = octets < REFRESH_EVENTS_MIN ? REFRESH_EVENTS_MIN : octets & ~(size_t)7;
	refresh_events_t *ring = malloc(sizeof *ring + size);

	if (ring)
		*ring = (refresh_events_t){ .size = size };
	return ring;
}

void refresh_events_free(refresh_events_t *ring)
{
	free(ring);
}

size_t refresh_events_count(const refresh_events_t *ring)
{
	return ring->count;
}

static head_t *head_at(const refresh_events_t *ring, uint64_t place)
{
	return (head_t *)(uintptr_t)(ring->octets + place % ring->size);
}

/* --- an entry's octets ------------------------------------------------------------------------ */

static void put_long(bufw_t *w, uint64_t v)
{
	bufw_u32(w, (uint32_t)(v >> 32));
	bufw_u32(w, (uint32_t)v);
}

static uint64_t get_long(buf_t *b)
{
	uint64_t high = buf_u32(b);

	return high << 32 | buf_u32(b);
}

static void put_text(bufw_t *w, const char *text)
{
	size_t len = strnlen(text, TEXT_MAX);

	bufw_u8(w, (unsigned)len);
	bufw_bytes(w, text, len);
	bufw_u8(w, 0);
}

static const char *get_text(buf_t *b)
{
	size_t len = buf_u8(b);

	return (const char *)buf_take(b, len + 1);
}

static void put_addr(bufw_t *w, const addr_t *a)
{
	bufw_u16(w, addr_port(a));
	if (a->sa.sa_family == AF_INET)
		bufw_bytes(w, &a->in.sin_addr, sizeof a->in.sin_addr);
	else
		bufw_bytes(w, &a->in6.sin6_addr, sizeof a->in6.sin6_addr);
}

static void get_addr(buf_t *b, bool in6, addr_t *out)
{
	uint16_t port = htons(buf_u16(b));
	const uint8_t *at = buf_take(b, in6 ? sizeof out->in6.sin6_addr : sizeof out->in.sin_addr);

	*out = (addr_t){ 0 };
	if (in6) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = port;
		memcpy(&out->in6.sin6_addr, at, sizeof out->in6.sin6_addr);
	} else {
		out->in.sin_family = AF_INET;
		out->in.sin_port = port;
		memcpy(&out->in.sin_addr, at, sizeof out->in.sin_addr);
	}
}

static unsigned flags_of(const refresh_event_t *e)
{
	unsigned flags = (e->has_serial ? HAS_SERIAL : 0u) | (e->has_held ? HAS_HELD : 0u) |
	                 (e->primary ? HAS_PRIMARY : 0u) | (e->text ? HAS_TEXT : 0u);

	if (e->records || e->octets || e->ms)
		flags |= HAS_TRANSFER;
	if (e->has_addr)
		flags |= e->addr.sa.sa_family == AF_INET ? HAS_IN : HAS_IN6;
	return flags;
}

static void encode(bufw_t *w, const refresh_event_t *e)
{
	unsigned flags = flags_of(e);

	bufw_u8(w, e->code);
	bufw_u8(w, flags);
	put_long(w, (uint64_t)e->at.ns);
	bufw_bytes(w, e->apex, dns_wire_len(e->apex));
	if (flags & HAS_SERIAL)
		bufw_u32(w, e->serial);
	if (flags & HAS_HELD)
		bufw_u32(w, e->held);
	if (flags & HAS_TRANSFER) {
		put_long(w, e->records);
		put_long(w, e->octets);
		bufw_u32(w, e->ms);
	}
	if (flags & HAS_PRIMARY)
		put_text(w, e->primary);
	if (flags & HAS_TEXT)
		put_text(w, e->text);
	if (flags & (HAS_IN | HAS_IN6))
		put_addr(w, &e->addr);
}

/* What encode() wrote, behind the head. */
static void decode(const uint8_t *octets, size_t len, refresh_event_t *out)
{
	buf_t b = buf_over(octets, len);
	unsigned flags;

	*out = (refresh_event_t){ .code = buf_u8(&b) };
	flags = buf_u8(&b);
	out->at.ns = (int64_t)get_long(&b);
	out->apex = buf_take(&b, dns_wire_len(octets + b.pos));
	out->has_serial = flags & HAS_SERIAL;
	if (out->has_serial)
		out->serial = buf_u32(&b);
	out->has_held = flags & HAS_HELD;
	if (out->has_held)
		out->held = buf_u32(&b);
	if (flags & HAS_TRANSFER) {
		out->records = get_long(&b);
		out->octets = get_long(&b);
		out->ms = buf_u32(&b);
	}
	out->primary = flags & HAS_PRIMARY ? get_text(&b) : NULL;
	out->text = flags & HAS_TEXT ? get_text(&b) : NULL;
	out->has_addr = flags & (HAS_IN | HAS_IN6);
	if (out->has_addr)
		get_addr(&b, flags & HAS_IN6, &out->addr);
	assert(buf_ok(&b));
}

/* --- the ring --------------------------------------------------------------------------------- */

/* The place behind the newest entry where need octets lie together: the rest of the ring's end is
 * added to that entry if it is too short for them. */
static uint64_t next_place(refresh_events_t *ring, size_t need)
{
	size_t to_end = ring->size - ring->end % ring->size;

	if (to_end >= need)
		return ring->end;
	if (ring->count > 0)
		head_at(ring, ring->newest)->span += (uint32_t)to_end;
	return ring->end + to_end;
}

void refresh_events_note(refresh_events_t *ring, const refresh_event_t *e)
{
	_Alignas(8) uint8_t entry[ENTRY_MAX + 8];
	bufw_t w = bufw_over(entry, sizeof entry);

	w.pos = sizeof(head_t);
	encode(&w, e);
	assert(bufw_ok(&w));
	size_t need = (w.pos + 7) & ~(size_t)7;
	uint64_t place = next_place(ring, need);

	while (ring->count > 0 && ring->oldest + ring->size < place + need) {
		ring->oldest += head_at(ring, ring->oldest)->span;
		ring->count--;
	}
	if (ring->count == 0)
		ring->oldest = ring->newest = place;
	*(head_t *)(void *)entry = (head_t){ (uint32_t)need, (uint32_t)(place - ring->newest) };
	memcpy(ring->octets + place % ring->size, entry, w.pos);
	ring->newest = place;
	ring->end = place + need;
	ring->count++;
}

refresh_events_walk_t refresh_events_walk(const refresh_events_t *ring, const uint8_t *apex)
{
	return (refresh_events_walk_t){ ring, apex, ring->newest, ring->count };
}

bool refresh_events_next(refresh_events_walk_t *walk, refresh_event_t *out)
{
	while (walk->left > 0) {
		const head_t *head = head_at(walk->ring, walk->at);

		walk->left--;
		walk->at -= head->back;
		decode((const uint8_t *)(head + 1), head->span - sizeof *head, out);
		if (!walk->apex || (dns_wire_len(out->apex) == dns_wire_len(walk->apex) &&
		                    memcmp(out->apex, walk->apex, dns_wire_len(walk->apex)) == 0))
			return true;
	}
	return false;
}

const char *refresh_event_text(refresh_event_code_t code)
{
	switch (code) {
	case REFRESH_EVENT_DUE:
		return "due";
	case REFRESH_EVENT_NOTIFY:
		return "notify";
	case REFRESH_EVENT_NOTIFY_REFUSED:
		return "notify refused";
	case REFRESH_EVENT_COMMAND:
		return "command";
	case REFRESH_EVENT_CURRENT:
		return "current";
	case REFRESH_EVENT_NEWER:
		return "newer";
	case REFRESH_EVENT_GRANTED:
		return "granted";
	case REFRESH_EVENT_REFUSED:
		return "refused";
	case REFRESH_EVENT_POLL_FAILED:
		return "poll failed";
	case REFRESH_EVENT_BEGUN:
		return "transfer begun";
	case REFRESH_EVENT_INSTALLED:
		return "installed";
	case REFRESH_EVENT_FALLBACK:
		return "fallback";
	case REFRESH_EVENT_FAILED:
		return "transfer failed";
	case REFRESH_EVENT_EXPIRED:
		return "expired";
	case REFRESH_EVENT_REVIVED:
		return "revived";
	case REFRESH_EVENT_PINNED:
		return "pinned";
	case REFRESH_EVENT_UNPINNED:
		return "unpinned";
	case REFRESH_EVENT_CODES:
		break;
	}
	return "?";
}
