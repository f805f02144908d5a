/* answer/types.c - the table. */
#include "answer/types.h"

#define MAPPED(type) [DNS_TYPE_##type] = ANSWER_TYPE_##type + 1,
const uint8_t answer_type_map[ANSWER_TYPE_MAP] = { ANSWER_TYPES_EACH(MAPPED) };

#define TEXT(type) [ANSWER_TYPE_##type] = #type,
static const char *const texts[ANSWER_TYPES] = {
	ANSWER_TYPES_EACH(TEXT)[ANSWER_TYPE_OTHER] = "other",
};

const char *answer_type_text(answer_type_t type)
{
	return texts[type];
}
