/* tests/unit/ctl/test_screen.c - a frame fits its terminal, whatever is in it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/screen.h"

TestSuite(ctl_screen, .timeout = 5);

#define HOME "\033[H"
#define EOL  "\033[K"
#define REST "\033[J"

static const struct {
	const char *why;
	const char *text;
	unsigned rows, columns;
	const char *want;
} cases[] = {
	{ "it fits", "ab\ncd\n", 4, 10, HOME "ab" EOL "\r\ncd" EOL REST },
	{ "nothing", "", 4, 10, HOME REST },
	{ "no line end", "ab", 4, 10, HOME "ab" EOL REST },
	{ "an empty line", "\nab\n", 4, 10, HOME EOL "\r\nab" EOL REST },
	{ "too many lines", "a\nb\nc\n", 2, 10, HOME "a" EOL "\r\nb" EOL REST },
	{ "a long line", "abcdef\ng\n", 4, 3, HOME "abc" EOL "\r\ng" EOL REST },
	{ "colours take no room", "\033[31mabc\033[0m\n", 4, 3,
	  HOME "\033[31mabc\033[0m\033[0m" EOL REST },
	{ "cut within a colour", "\033[1;31mabcd\033[0m\n", 4, 2,
	  HOME "\033[1;31mab\033[0m" EOL REST },
	{ "half an escape", "ab\033[", 4, 10, HOME "ab\033[" EOL REST },
};

Test(ctl_screen, cuts_what_does_not_fit)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *got = NULL;
		size_t len;
		FILE *to = open_memstream(&got, &len);

		screen_write(to, cases[i].text, strlen(cases[i].text), cases[i].rows,
		             cases[i].columns);
		fclose(to);
		cr_expect(strcmp(got, cases[i].want) == 0, "%s", cases[i].why);
		free(got);
	}
}
