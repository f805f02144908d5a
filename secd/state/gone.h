/* state/gone.h - the zones that nobody follows any more, and since when: one list, written anew as a whole.
 *
 *     entry   the apex in wire form, u32 seconds since 1970; of the first few, refresh/left.c knows better
 *
 * What is kept of such a zone stays as it is; the list is what tells when it may go. If it should be lost, that
 * time begins anew. Nothing here touches a disk. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "dns/name.h"

enum { STATE_GONE_ENTRY_MAX = 255 + 4 };

/* One more entry at out, which has room for STATE_GONE_ENTRY_MAX octets: its length. */
size_t state_gone_put(uint8_t *out, const uint8_t *apex, uint32_t since);

/* The next entry. False: there is none, or the rest is damaged. */
bool state_gone_next(buf_t *list, dns_name_t *apex, uint32_t *since);
