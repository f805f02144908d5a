/* ctl/out.c - one buffer, and what of it has gone. */
#include "ctl/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool ctl_out_set(ctl_out_t *out, const char *head, char *content, size_t len, const char *foot)
{
	const size_t head_len = strlen(head), foot_len = strlen(foot);

	if (!content)
		len = 0;
	ctl_out_free(out);
	out->octets = malloc(head_len + len + foot_len + 1);
	if (out->octets) {
		memcpy(out->octets, head, head_len);
		if (content)
			memcpy(out->octets + head_len, content, len);
		memcpy(out->octets + head_len + len, foot, foot_len);
		out->len = head_len + len + foot_len;
	}
	free(content);
	return out->octets != NULL;
}

ctl_out_state_t ctl_out_write(ctl_out_t *out, int fd, bool *moved)
{
	while (out->at < out->len) {
		const ssize_t n = send(fd, out->octets + out->at, out->len - out->at, MSG_NOSIGNAL);

		if (n > 0) {
			out->at += (size_t)n;
			*moved = true;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return CTL_OUT_SOME;
		} else if (errno != EINTR) {
			return CTL_OUT_GONE;
		}
	}
	return CTL_OUT_ALL;
}

void ctl_out_free(ctl_out_t *out)
{
	free(out->octets);
	*out = (ctl_out_t){ 0 };
}
