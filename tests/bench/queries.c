/* tests/bench/queries.c - see queries.h. */
#include "tests/bench/queries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

enum { MIN = 12, MAX = 512 };

/* Find where each message begins; false when the framing is broken or there is none. */
static bool find_all(queries_t *q)
{
	size_t room = q->len / (2 + MIN) + 1;
	buf_t in = buf_over(q->base, q->len);

	q->at = calloc(room, sizeof *q->at);
	while (q->at && buf_left(&in) > 0) {
		size_t len = buf_u16(&in);
		size_t start = in.pos;

		if (len < MIN || len > MAX || !buf_take(&in, len))
			return false;
		q->at[q->count++] = q->base + start;
	}
	return q->count > 0;
}

bool queries_open(const char *path, queries_t *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;

	*out = (queries_t){ 0 };
	if (fd >= 0 && fstat(fd, &st) == 0) {
		out->len = (size_t)st.st_size;
		/* Populated: a page fault in the middle would be measured. */
		map = mmap(NULL, out->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd,
		           0);
	}
	if (map == MAP_FAILED)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return false;
	out->base = map;
	if (find_all(out))
		return true;
	fprintf(stderr, "%s: not a file of queries\n", path);
	return false;
}

void queries_close(queries_t *q)
{
	free(q->at);
	if (q->base)
		munmap(q->base, q->len);
	*q = (queries_t){ 0 };
}

size_t queries_len(const uint8_t *msg)
{
	return get_u16(msg - 2);
}
