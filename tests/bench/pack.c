/* tests/bench/pack.c - see pack.h. */
#include "tests/bench/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool pack_open(const char *path, pack_t *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		perror(path);
		return false;
	}
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED) {
		perror(path);
		return false;
	}
	*out = (pack_t){ map, (size_t)st.st_size };
	return true;
}

bool pack_next(buf_t *in, pack_entry_t *out)
{
	if (buf_left(in) == 0)
		return false;
	out->kind = (char)buf_u8(in);
	out->apex_len = buf_u8(in);
	out->soa_len = buf_u16(in);
	out->from = buf_u32(in);
	out->serial = buf_u32(in);
	out->records = buf_u32(in);
	out->len = (size_t)buf_u32(in) << 32;
	out->len |= buf_u32(in);
	out->apex = buf_take(in, out->apex_len);
	out->soa = buf_take(in, out->soa_len);
	out->messages = buf_take(in, out->len);
	if (out->apex_len == 0 || (out->kind != 'A' && out->kind != 'I'))
		in->bad = true;
	return buf_ok(in);
}

const uint8_t *pack_message(const pack_entry_t *e, size_t *pos, size_t *len)
{
	if (e->len - *pos < 2)
		return NULL;
	*len = get_u16(e->messages + *pos);
	if (*len < 12 || *len > e->len - *pos - 2)
		return NULL;
	const uint8_t *msg = e->messages + *pos + 2;
	*pos += 2 + *len;
	return msg;
}
