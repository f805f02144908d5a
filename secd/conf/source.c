/* conf/source.c - files whole into memory, so that a line has no length but its own. */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_ROOM = 16384 };

/* Read to the end, whatever size the file claims to have. */
static status_t read_all(int fd, size_t room, char **text, size_t *len)
{
	char *all = malloc(room);

	*len = 0;
	while (all) {
		ssize_t n = read(fd, all + *len, room - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			*text = all;
			return n == 0 ? ST_OK : ST_SYSTEM;
		}
		*len += (size_t)n;
		if (*len == room) {
			char *more = room <= CONF_FILE_MAX ? malloc(2 * room) : NULL;

			if (!more) {
				*text = all;
				return room <= CONF_FILE_MAX ? ST_NOMEM : ST_LIMIT;
			}
			memcpy(more, all, room);
			explicit_bzero(all, room); /* as realloc() would not */
			free(all);
			all = more;
			room *= 2;
		}
	}
	return ST_NOMEM;
}

status_t conf_source_open(conf_source_t *src, const char *path)
{
	status_t st = ST_SYSTEM;
	struct stat info;
	size_t room = FIRST_ROOM;
	int saved, fd = open(path, O_RDONLY | O_CLOEXEC);

	*src = (conf_source_t){ .path = path };
	if (fd < 0)
		return ST_SYSTEM;
	if (fstat(fd, &info) < 0)
		goto out;
	src->is_regular = S_ISREG(info.st_mode);
	src->others_read = src->is_regular && (info.st_mode & S_IROTH);
	src->dev = info.st_dev;
	src->ino = info.st_ino;
	if (src->is_regular && info.st_size > CONF_FILE_MAX) {
		st = ST_LIMIT;
		goto out;
	}
	if (src->is_regular)
		room = (size_t)info.st_size + 1; /* so that the end shows without growing */
	st = read_all(fd, room, &src->owned, &src->len);
	src->text = src->owned;
out:
	saved = errno;
	close(fd);
	if (st != ST_OK)
		conf_source_close(src);
	errno = saved;
	return st;
}

void conf_source_over(conf_source_t *src, const char *path, const char *text, size_t len)
{
	*src = (conf_source_t){ .path = path, .text = text, .len = len };
}

bool conf_source_line(conf_source_t *src, const char **line, size_t *len)
{
	static const char mark[3] = { '\xef', '\xbb', '\xbf' };
	const char *start, *end;
	size_t left;

	if (src->pos == 0 && src->len >= sizeof mark && memcmp(src->text, mark, sizeof mark) == 0)
		src->pos = sizeof mark;
	left = src->len - src->pos;
	if (left == 0)
		return false;
	start = src->text + src->pos;
	end = memchr(start, '\n', left);
	src->pos += end ? (size_t)(end - start) + 1 : left;
	*len = end ? (size_t)(end - start) : left;
	if (*len > 0 && start[*len - 1] == '\r')
		(*len)--;
	*line = start;
	src->line++;
	return true;
}

void conf_source_close(conf_source_t *src)
{
	if (src->owned)
		explicit_bzero(src->owned, src->len);
	free(src->owned);
	src->owned = NULL;
	src->text = NULL;
	src->len = src->pos = 0;
}
