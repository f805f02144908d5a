/* tests/tools/askall.c - put the same questions to several servers and tell where they part.
 *
 *   askall [-a | -o name] [-s name,name] [-w window] [-z zones] questions name=addr@port ...
 *   askall -x addr@port apex
 *
 * A line of the file of questions is "name type class options", the options separated by
 * commas, or "-":
 *   edns=N   an OPT record that offers N octets     do, rd   the bits of these names
 *   tcp      ask by TCP                             notcp    let truncation stand and compare it
 *   not=S    don't ask the server named S
 * A line of the file of zones is the name of a zone that the servers hold (norm.h says what for).
 *
 * Questions go by UDP, window of them in flight per server; what is lost is asked again, what
 * is truncated is asked again by TCP. For each question on which not all servers agree (with
 * -a: for each question) a JSON object is printed, and at the end one that sums up. With -o NAME
 * there is one for each question, too, but where all agree it has only what the server NAME said.
 *
 * With -s A,B the octets of the answers of A and B are added up, over the questions that neither
 * truncated, and the questions are named on which A's was larger by most.
 *
 * With -x: transfer a zone and print its records in the form in which answers are printed. */
#include "common/buf.h"
#include "tests/tools/norm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SERVERS_MAX = 8,
	WINDOW_MAX = 512,
	AHEAD = 4096, /* no server gets further ahead of the slowest than this */
	TRIES = 6,
	RETRY_MS = 700,
	WORST = 10,
	EDNS_USUAL = 1232,
	MESSAGE_MAX = 65535,
};

typedef struct question {
	char *text;
	uint8_t wire[NORM_NAME_MAX + 4]; /* the question section */
	size_t wire_len;
	uint16_t edns; /* payload, 0: no OPT */
	bool do_bit, rd, tcp, notcp;
	unsigned skip; /* a bit per server */
	unsigned waiting;
	norm_t *said; /* one per server */
} question_t;

typedef struct flight {
	bool busy;
	uint16_t id;
	unsigned tries;
	size_t question;
	int64_t sent_ms;
} flight_t;

typedef struct server {
	const char *name;
	struct sockaddr_storage at;
	socklen_t at_len;
	int udp, tcp; /* tcp -1: not connected */
	size_t next;
	uint16_t last_id;
	flight_t flight[WINDOW_MAX];
} server_t;

/* The octets of two servers' answers; excess: by which the first one's was larger. */
typedef struct sizes {
	bool wanted;
	unsigned of[2]; /* which servers */
	size_t questions, sum[2];
	struct {
		long excess;
		size_t size[2];
		char *text;
	} worst[WORST]; /* the largest first */
} sizes_t;

typedef struct run {
	question_t *q;
	size_t count, low; /* all below low are done with */
	server_t server[SERVERS_MAX];
	unsigned servers, window;
	norm_zones_t zones;
	bool all;
	int only; /* of a question on which all agree print what this one said; -1: nothing */
	sizes_t sizes;
	size_t asked, agreed, differing, silent;
} run_t;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "askall: %s: %s\n", what, why);
	exit(2);
}

static void *must(void *p)
{
	if (!p)
		die("memory", "none left");
	return p;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- reading what to do -------------------------------------------------------------------- */

static void server_parse(const char *text, server_t *s)
{
	char host[64];
	const char *at = strrchr(text, '@');
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s->at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s->at;
	uint16_t port = at ? htons((uint16_t)atoi(at + 1)) : 0;

	if (!at || (size_t)(at - text) >= sizeof host || !port)
		die(text, "not addr@port");
	memcpy(host, text, (size_t)(at - text));
	host[at - text] = 0;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		s->at_len = sizeof *v4;
	} else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		s->at_len = sizeof *v6;
	} else {
		die(text, "not an address");
	}
}

static void server_open(server_t *s)
{
	int room = 4 << 20;

	s->tcp = -1;
	s->udp = socket(s->at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->udp < 0 || connect(s->udp, (struct sockaddr *)&s->at, s->at_len) < 0)
		die(s->name, strerror(errno));
	setsockopt(s->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
}

static void option_parse(run_t *r, question_t *q, const char *o)
{
	if (strncmp(o, "edns=", 5) == 0) {
		q->edns = (uint16_t)atoi(o + 5);
	} else if (strcmp(o, "do") == 0) {
		q->do_bit = true;
	} else if (strcmp(o, "rd") == 0) {
		q->rd = true;
	} else if (strcmp(o, "tcp") == 0) {
		q->tcp = true;
	} else if (strcmp(o, "notcp") == 0) {
		q->notcp = true;
	} else if (strncmp(o, "not=", 4) == 0) {
		for (unsigned i = 0; i < r->servers; i++)
			if (strcmp(r->server[i].name, o + 4) == 0)
				q->skip |= 1u << i;
	} else if (strcmp(o, "-") != 0) {
		die(q->text, "unknown option");
	}
}

static void question_parse(run_t *r, char *line, question_t *q)
{
	char *name, *type, *class, *options, *rest = NULL;
	uint8_t *end;
	size_t len;

	memset(q, 0, sizeof *q);
	q->text = must(strdup(line));
	name = strtok_r(line, " ", &rest);
	type = strtok_r(NULL, " ", &rest);
	class = strtok_r(NULL, " ", &rest);
	options = strtok_r(NULL, " ", &rest);
	len = name ? norm_name_from_text(name, q->wire) : 0;
	if (!len || !options)
		die(q->text, "not a question");
	end = q->wire + len;
	put_u16(end, ldns_get_rr_type_by_name(type));
	put_u16(end + 2, ldns_get_rr_class_by_name(class));
	q->wire_len = len + 4;
	for (char *o = strtok_r(options, ",", &rest); o; o = strtok_r(NULL, ",", &rest))
		option_parse(r, q, o);
}

static FILE *open_or_die(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		die(path, strerror(errno));
	return f;
}

static void questions_read(run_t *r, const char *path)
{
	FILE *f = open_or_die(path);
	char *line = NULL;
	size_t size = 0, room = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (r->count == room) {
			room = room ? room * 2 : 1024;
			r->q = must(realloc(r->q, room * sizeof *r->q));
		}
		question_parse(r, line, &r->q[r->count++]);
	}
	free(line);
	fclose(f);
}

static void zones_read(norm_zones_t *z, const char *path)
{
	FILE *f = open_or_die(path);
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		z->name = must(realloc(z->name, (z->count + 1) * sizeof *z->name));
		if (!norm_name_from_text(line, z->name[z->count]))
			die(line, "not a name");
		norm_name_fold(z->name[z->count++]);
	}
	free(line);
	fclose(f);
}

/* --- messages ------------------------------------------------------------------------------ */

static size_t query_make(const question_t *q, uint16_t id, uint8_t *out)
{
	uint8_t *p = out + 12;

	memset(out, 0, 12);
	put_u16(out, id);
	out[2] = q->rd ? 1 : 0;
	out[5] = 1;
	memcpy(p, q->wire, q->wire_len);
	p += q->wire_len;
	if (q->edns || q->do_bit) {
		static const uint8_t opt[11] = { 0, 0, LDNS_RR_TYPE_OPT };

		memcpy(p, opt, sizeof opt);
		put_u16(p + 3, q->edns ? q->edns : EDNS_USUAL);
		p[7] = q->do_bit ? 0x80 : 0;
		p += sizeof opt;
		out[11] = 1;
	}
	return (size_t)(p - out);
}

static bool tcp_all(int fd, uint8_t *p, size_t n, bool out)
{
	while (n) {
		ssize_t k = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);

		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool tcp_open(server_t *s)
{
	struct timeval patience = { .tv_sec = 5 };
	int one = 1;

	s->tcp = socket(s->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->tcp < 0)
		return false;
	setsockopt(s->tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(s->tcp, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(s->tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return connect(s->tcp, (struct sockaddr *)&s->at, s->at_len) == 0;
}

static void tcp_close(server_t *s)
{
	if (s->tcp >= 0)
		close(s->tcp);
	s->tcp = -1;
}

/* Send the len octets at query + 2; the two before them take the length. */
static bool tcp_send(server_t *s, uint8_t *query, size_t len)
{
	put_u16(query, (unsigned)len);
	return (s->tcp >= 0 || tcp_open(s)) && tcp_all(s->tcp, query, len + 2, true);
}

static bool tcp_receive(server_t *s, uint8_t *out, size_t *len)
{
	uint8_t head[2];

	if (!tcp_all(s->tcp, head, 2, false))
		return false;
	*len = get_u16(head);
	return tcp_all(s->tcp, out, *len, false);
}

/* One question by TCP, over the connection that is open; a closed one is opened once more. */
static bool tcp_ask(server_t *s, const question_t *q, uint8_t *out, size_t *len)
{
	uint8_t query[600];
	size_t n = query_make(q, ++s->last_id, query + 2);

	for (int i = 0; i < 2; i++) {
		if (tcp_send(s, query, n) && tcp_receive(s, out, len) && *len >= 12)
			return true;
		tcp_close(s);
	}
	return false;
}

/* --- the run ------------------------------------------------------------------------------- */

static void text_print(const char *c)
{
	for (; *c; c++)
		printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

static void question_print(const run_t *r, size_t n, bool same)
{
	const question_t *q = &r->q[n];
	const char *comma = "";

	printf("{\"n\":%zu,\"same\":%d,\"q\":\"", n, same);
	text_print(q->text);
	printf("\",\"said\":{");
	for (unsigned i = 0; i < r->servers; i++) {
		if (q->skip & 1u << i || (same && r->only >= 0 && r->only != (int)i))
			continue;
		printf("%s\"%s\":", comma, r->server[i].name);
		norm_print(stdout, &q->said[i]);
		comma = ",";
	}
	puts("}}");
}

static void sizes_add(sizes_t *s, const question_t *q)
{
	const norm_t *a = &q->said[s->of[0]], *b = &q->said[s->of[1]];
	long excess = (long)a->size - (long)b->size;
	int i = WORST;

	if (q->skip & (1u << s->of[0] | 1u << s->of[1]) || a->error || b->error || a->tc || b->tc ||
	    a->cut || b->cut)
		return;
	s->questions++;
	s->sum[0] += a->size;
	s->sum[1] += b->size;
	if (excess <= s->worst[WORST - 1].excess)
		return;
	free(s->worst[WORST - 1].text);
	for (i = WORST - 1; i > 0 && s->worst[i - 1].excess < excess; i--)
		s->worst[i] = s->worst[i - 1];
	s->worst[i].excess = excess;
	s->worst[i].size[0] = a->size;
	s->worst[i].size[1] = b->size;
	s->worst[i].text = must(strdup(q->text));
}

static void sizes_print(sizes_t *s)
{
	printf(",\"sizes\":{\"questions\":%zu,\"octets\":[%zu,%zu],\"worst\":[", s->questions,
	       s->sum[0], s->sum[1]);
	for (int i = 0; i < WORST && s->worst[i].text; i++) {
		printf("%s[%zu,%zu,\"", i ? "," : "", s->worst[i].size[0], s->worst[i].size[1]);
		text_print(s->worst[i].text);
		printf("\"]");
		free(s->worst[i].text);
	}
	printf("]}");
}

/* All have answered: do they agree? */
static void question_judge(run_t *r, size_t n)
{
	question_t *q = &r->q[n];
	const norm_t *first = NULL;
	bool same = true;

	for (unsigned i = 0; i < r->servers; i++) {
		if (q->skip & 1u << i)
			continue;
		if (first || q->said[i].error)
			same = same && first && norm_same(first, &q->said[i]);
		if (!first)
			first = &q->said[i];
	}
	r->asked++;
	r->agreed += same;
	r->differing += !same;
	if (!same || r->all || r->only >= 0)
		question_print(r, n, same);
	if (r->sizes.wanted)
		sizes_add(&r->sizes, q);
	for (unsigned i = 0; i < r->servers; i++)
		norm_free(&q->said[i]);
	free(q->said);
	free(q->text);
	q->said = NULL;
	q->text = NULL;
	while (r->low < r->count && !r->q[r->low].text)
		r->low++;
}

/* How large an answer by UDP may be. */
static size_t udp_room(const question_t *q)
{
	size_t offered = q->edns ? q->edns : q->do_bit ? EDNS_USUAL : 0;

	return offered > 512 ? offered : 512;
}

static void said(run_t *r, server_t *s, size_t n, const uint8_t *msg, size_t len)
{
	question_t *q = &r->q[n];
	norm_t *out = &q->said[s - r->server];
	static uint8_t big[MESSAGE_MAX];

	if (msg) {
		norm_message(msg, len, q->wire, q->wire_len, q->do_bit, &r->zones, out);
		if (!q->tcp && len > udp_room(q))
			out->error = "larger than was offered";
	} else {
		out->error = "silence";
		r->silent++;
	}
	if (out->tc && !out->error && !q->notcp && !q->tcp) {
		norm_free(out);
		if (tcp_ask(s, q, big, &len))
			norm_message(big, len, q->wire, q->wire_len, q->do_bit, &r->zones, out);
		else
			out->error = "silence after truncation";
		out->cut = true;
	}
	if (--q->waiting == 0)
		question_judge(r, n);
}

static void flight_send(const run_t *r, server_t *s, flight_t *f)
{
	uint8_t query[600];
	size_t len;

	f->id = ++s->last_id;
	f->tries++;
	f->sent_ms = now_ms();
	len = query_make(&r->q[f->question], f->id, query);
	if (send(s->udp, query, len, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
		die(s->name, strerror(errno));
}

static void question_start(run_t *r, question_t *q)
{
	if (q->said)
		return;
	q->said = must(calloc(r->servers, sizeof *q->said));
	for (unsigned i = 0; i < r->servers; i++)
		q->waiting += !(q->skip & 1u << i);
}

/* Give each free place of the window a question. */
static void server_fill(run_t *r, server_t *s)
{
	static uint8_t big[MESSAGE_MAX];

	for (unsigned i = 0; i < r->window; i++) {
		while (!s->flight[i].busy && s->next < r->count && s->next < r->low + AHEAD) {
			size_t n = s->next++, len;
			question_t *q = &r->q[n];

			if (q->skip & 1u << (s - r->server))
				continue;
			question_start(r, q);
			if (q->tcp) {
				bool ok = tcp_ask(s, q, big, &len);

				said(r, s, n, ok ? big : NULL, ok ? len : 0);
				continue;
			}
			s->flight[i] = (flight_t){ .busy = true, .question = n };
			flight_send(r, s, &s->flight[i]);
		}
	}
}

static void server_receive(run_t *r, server_t *s)
{
	static uint8_t msg[MESSAGE_MAX];
	ssize_t len;

	while ((len = recv(s->udp, msg, sizeof msg, 0)) >= 0 || errno == ECONNREFUSED) {
		for (unsigned i = 0; i < r->window && len >= 12; i++) {
			flight_t *f = &s->flight[i];

			if (f->busy && f->id == get_u16(msg) && msg[2] & 0x80) {
				f->busy = false;
				said(r, s, f->question, msg, (size_t)len);
				break;
			}
		}
	}
}

static bool server_late(run_t *r, server_t *s)
{
	int64_t now = now_ms();
	bool busy = s->next < r->count;

	for (unsigned i = 0; i < r->window; i++) {
		flight_t *f = &s->flight[i];

		if (f->busy && now - f->sent_ms > RETRY_MS) {
			if (f->tries < TRIES) {
				flight_send(r, s, f);
			} else {
				f->busy = false;
				said(r, s, f->question, NULL, 0);
			}
		}
		busy = busy || f->busy;
	}
	return busy;
}

static void ask_all(run_t *r)
{
	struct pollfd p[SERVERS_MAX];
	bool busy = true;

	while (busy) {
		busy = false;
		for (unsigned i = 0; i < r->servers; i++) {
			server_fill(r, &r->server[i]);
			p[i] = (struct pollfd){ .fd = r->server[i].udp, .events = POLLIN };
		}
		poll(p, r->servers, 20);
		for (unsigned i = 0; i < r->servers; i++) {
			server_receive(r, &r->server[i]);
			busy |= server_late(r, &r->server[i]);
		}
	}
}

/* --- a transfer ---------------------------------------------------------------------------- */

static void transfer(const char *where, const char *apex)
{
	static uint8_t msg[MESSAGE_MAX];
	server_t s = { .name = where, .tcp = -1 };
	question_t q = { .tcp = true };
	uint8_t query[600];
	size_t len = norm_name_from_text(apex, q.wire);
	unsigned rcode = 0;
	int soas = 0;

	server_parse(where, &s);
	if (!len)
		die(apex, "not a name");
	put_u16(q.wire + len, LDNS_RR_TYPE_AXFR);
	put_u16(q.wire + len + 2, LDNS_RR_CLASS_IN);
	q.wire_len = len + 4;
	if (!tcp_send(&s, query, query_make(&q, 1, query + 2)))
		die(where, strerror(errno));
	while (soas < 2) {
		int k;

		if (!tcp_receive(&s, msg, &len))
			die(where, "transfer ended early");
		k = norm_dump(stdout, msg, len, &rcode);
		if (rcode || k < 0)
			die(where, rcode ? "transfer refused" : "malformed message");
		soas += k;
	}
	tcp_close(&s);
}

static void usage(void)
{
	die("usage", "askall [-a | -o name] [-s name,name] [-w window] [-z zones] questions "
	             "name=addr@port ... | askall -x addr@port apex");
}

static void servers_open(run_t *r, char **args, int n)
{
	if (n < 1 || n > SERVERS_MAX)
		usage();
	for (int i = 0; i < n; i++) {
		server_t *s = &r->server[r->servers++];
		char *eq = strchr(args[i], '=');

		if (!eq)
			die(args[i], "not name=addr@port");
		*eq = 0;
		s->name = args[i];
		server_parse(eq + 1, s);
		server_open(s);
	}
}

/* The number of the server of that name, of len octets. */
static unsigned server_named(const run_t *r, const char *name, size_t len)
{
	for (unsigned i = 0; i < r->servers; i++)
		if (strlen(r->server[i].name) == len && memcmp(r->server[i].name, name, len) == 0)
			return i;
	die(name, "no such server");
	return 0;
}

static void sizes_want(run_t *r, const char *pair)
{
	size_t first = strcspn(pair, ",");

	if (!pair[first])
		usage();
	r->sizes.wanted = true;
	r->sizes.of[0] = server_named(r, pair, first);
	r->sizes.of[1] = server_named(r, pair + first + 1, strlen(pair + first + 1));
}

static void servers_close(run_t *r)
{
	for (unsigned i = 0; i < r->servers; i++) {
		close(r->server[i].udp);
		tcp_close(&r->server[i]);
	}
}

int main(int argc, char **argv)
{
	run_t *r = must(calloc(1, sizeof *r));
	const char *from = NULL, *only = NULL, *pair = NULL;
	int c;

	r->window = 64;
	r->only = -1;
	while ((c = getopt(argc, argv, "ao:s:w:z:x:")) != -1) {
		if (c == 'a')
			r->all = true;
		else if (c == 'o')
			only = optarg;
		else if (c == 's')
			pair = optarg;
		else if (c == 'w' && atoi(optarg) > 0 && atoi(optarg) <= WINDOW_MAX)
			r->window = (unsigned)atoi(optarg);
		else if (c == 'z')
			zones_read(&r->zones, optarg);
		else if (c == 'x')
			from = optarg;
		else
			usage();
	}
	if (optind == argc)
		usage();
	if (from) {
		transfer(from, argv[optind]);
	} else {
		servers_open(r, argv + optind + 1, argc - optind - 1);
		if (only)
			r->only = (int)server_named(r, only, strlen(only));
		if (pair)
			sizes_want(r, pair);
		questions_read(r, argv[optind]);
		ask_all(r);
		servers_close(r);
		printf("{\"asked\":%zu,\"agreed\":%zu,\"differing\":%zu,\"silent\":%zu", r->asked,
		       r->agreed, r->differing, r->silent);
		if (r->sizes.wanted)
			sizes_print(&r->sizes);
		puts("}");
	}
	free(r->q);
	free(r->zones.name);
	free(r);
	return 0;
}
