/* ctl/parent.h - secdctl lint --resolver: which NS the parent of a zone has for it.
 *
 *     resolver          --> where is the parent, who serves it, at which addresses
 *     the parent's NS   --> which NS do you have for the zone? (a referral; without recursion)
 *     daemon            <-- lint NAME --parent NS ... (ctl/lint.h): it compares
 *
 * A resolver alone can't tell: what it has is the zone's own NS, of more authority (RFC 2181 5.4.1). Client only. */
#pragma once

#include <stdbool.h>

/* words: lint and its arguments, up to a NULL. Do they name a resolver? */
bool ctl_parent_is_asked(char **words);

/* What to put to the daemon in the place of these words: the parent's NS in that of the resolver. *partly: they could not
 * be had, which was said on standard error, with the reason, and they are left out.
 * NULL: it was called wrongly, or there is no memory, and it was said. Blocks for as long as those who are asked take, each
 * at most some seconds. */
char **ctl_parent_words(char **words, bool *partly);
void ctl_parent_free(char **words);
