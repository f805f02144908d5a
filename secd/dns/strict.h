/* dns/strict.h - words of RDATA that ldns would read as something else than they say: it takes a number
 * modulo what its field has, a type that it doesn't know for type 0, and half an octet for a whole one.
 * For dns/zonefile.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/entry.h"

/* The words from i on, for RDATA of this type. NULL: none is so; else what it should be, and *bad is the
 * word. */
const char *dns_strict_fault(const dns_entry_t *e, size_t i, uint16_t type, size_t *bad);
