/* tests/unit/xfr/support/stream.h - messages of a transfer in shorthand.
 *
 * A stream is words between blanks; "|" ends a message. The zone is example.
 *
 *     S5      the apex SOA with serial 5         S5up   the same with names in upper case
 *     S5odd   the same with another RNAME        s5     a SOA at sub.example.
 *     ns      the apex NS                        out    an A record at www.other.
 *     mx      MX at example., compressed         srv    SRV with a compressed target
 *     dname   DNAME with a compressed target     ch     an A record of class CH
 *     big     TXT of some 60,000 octets
 *     opt any tsig axfr   a record of that meta type    n3     NSEC3 whose owner is no hash
 *     short   an A record of three octets        fwd    a record whose owner points forward
 *     cut     RDLENGTH goes past the message     zonemd     a wrong digest for serial 5
 *     aged    a second A at a, of another TTL    a, b, ...  any other word: an A record at it
 *
 * First in a message: "-" leaves the question out; "Q:soa", "Q:ch", "Q:other", "Q:two" change
 * it; "E:16" puts an OPT with that extended rcode into the additional section, "X:600" one with
 * that EXPIRE ("X:" with an empty one, "X:cut" with one that is cut), "N" a record into the authority section, "J" an octet of junk behind it all, "O" an OPT there that the header does not count, "A+1" says one answer more
 * than there is. Owners are compressed against the question if there is one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "xfr/axfr.h"

enum { STREAM_ID = 0x4242, STREAM_ROOM = 65535 };

/* The zone's name. */
dns_name_t stream_apex(void);

/* Build the next message of *words and move *words past it. Returns its length, 0: none left. type is
 * that of the question. */
size_t stream_message_of(const char **words, uint16_t id, uint16_t type, uint8_t out[STREAM_ROOM]);

/* The same in answer to AXFR. */
size_t stream_message(const char **words, uint16_t id, uint8_t out[STREAM_ROOM]);

/* Feed all of it to a machine; the last verdict. Stops at the first that is not XFR_MORE. */
typedef xfr_verdict_t (*stream_feed_cb)(void *machine, const uint8_t *msg, size_t len);
xfr_verdict_t stream_feed_to(void *machine, stream_feed_cb feed, uint16_t type, const char *words);

/* The same for AXFR. */
xfr_verdict_t stream_feed(xfr_axfr_t *axfr, const char *words);
