/* ctl/request.c - words between blanks. */
#include "ctl/request.h"

#include <string.h>

/* Put a NUL behind each word, one right behind the other; returns how many there are. */
static size_t split(char *line, size_t len)
{
	size_t count = 0, to = 0, i = 0;

	for (;;) {
		while (i < len && line[i] == ' ')
			i++;
		if (i == len)
			return count;
		while (i < len && line[i] != ' ')
			line[to++] = line[i++];
		i += i < len; /* past the blank: the NUL may come to stand there */
		line[to++] = '\0';
		count++;
	}
}

static const char *read_form(const char *word, report_form_t *out)
{
	static const char *const forms[] = {
		[REPORT_TEXT] = "text",
		[REPORT_COLOUR] = "colour",
		[REPORT_JSON] = "json",
	};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (strcmp(word, forms[i]) == 0) {
			*out = (report_form_t)i;
			return NULL;
		}
	}
	return "the form is none of text, colour and json";
}

const char *ctl_request_next(const char *arg)
{
	return arg + strlen(arg) + 1;
}

const char *ctl_request_read(char *line, size_t len, ctl_request_t *out)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return "the request has a control character";
	}
	size_t count = split(line, len);
	if (count == 0 || strcmp(line, CTL_PROTOCOL) != 0)
		return "the request does not begin with " CTL_PROTOCOL;
	if (count < 3)
		return "the request has no verb";
	const char *form = ctl_request_next(line);
	out->verb = ctl_request_next(form);
	out->args = ctl_request_next(out->verb);
	out->arg_count = count - 3;
	return read_form(form, &out->form);
}
