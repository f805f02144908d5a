/* tests/unit/common/test_huge.c - memory that grows out of malloc keeps what is in it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>
#include <string.h>

#include "common/huge.h"

Test(huge, keeps_its_content_as_it_grows)
{
	size_t size = 64 * 1024;
	uint32_t *p = huge_take(size);

	for (uint32_t i = 0; i < size / 4; i++)
		p[i] = i * 2654435761u;
	while (size < (size_t)64 << 20) { /* over the border from malloc to the system's pages */
		p = huge_grow(p, size, size * 2);
		cr_assert(p != NULL);
		for (uint32_t i = 0; i < size / 4; i++)
			cr_assert(eq(u32, p[i], i * 2654435761u));
		for (size_t i = size / 4; i < size / 2; i++)
			p[i] = (uint32_t)i * 2654435761u;
		size *= 2;
	}
	huge_give(p, size);
}

Test(huge, takes_and_gives_nothing)
{
	void *p = huge_take(0);

	cr_expect(p != NULL);
	huge_give(p, 0);
	huge_give(NULL, (size_t)100 << 20);
	p = huge_grow(NULL, 0, (size_t)5 << 20);
	cr_expect(p != NULL);
	huge_give(p, (size_t)5 << 20);
}

Test(huge, gives_its_front_back_and_keeps_the_rest)
{
	size_t size = 5 * HUGE_PAGE;
	uint8_t *p = huge_take(size);

	memset(p, 7, size);
	cr_expect(eq(sz, (uintptr_t)p % HUGE_PAGE, 0));
	huge_give_front(p, size, 0, HUGE_PAGE / 2);
	cr_expect(eq(int, p[0], 7), "no whole page yet");
	huge_give_front(p, size, HUGE_PAGE / 2, 3 * HUGE_PAGE + 1);
	cr_expect(eq(int, p[3 * HUGE_PAGE - 1], 0), "given: fresh when touched again");
	cr_expect(eq(int, p[3 * HUGE_PAGE], 7));
	huge_give(p, size);
}
