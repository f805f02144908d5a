/* ctl/secdctl.c - the client: a line to the daemon, its answer to the terminal. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/conf.h"
#include "ctl/parent.h"
#include "ctl/report.h"
#include "ctl/request.h"
#include "ctl/screen.h"
#include "ctl/skew_client.h"
#include "ctl/table.h"

enum {
	EXIT_DONE = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
	/* Seconds: a large zone takes a while to sort before its dump begins; but a daemon that does not
	 * say so soon is not healthy. */
	PATIENCE = 120,
	PATIENCE_HEALTHY = 5,
	LINE_ROOM = 512, /* of the answer's own lines */
};

static void print_usage(FILE *to)
{
	fputs("usage: secdctl [-j] [-s SOCKET | -c FILE] VERB [ARGUMENT ...]\n"
	      "       secdctl -V | -h\n"
	      "\n"
	      "Asks a running secd, and tells it what to do.\n"
	      "\n",
	      to);
	for (size_t i = 0; i < ctl_verb_count(); i++) {
		const ctl_verb_t *v = ctl_verb_at(i);

		fprintf(to, "  %-10s %-8s", v->word, v->args);
		if (strlen(v->args) > 8)
			fprintf(to, "\n%21s", "");
		fprintf(to, " %s\n", v->help);
	}
	fputs("\n"
	      "  -s, --socket FILE  the daemon's socket; default /run/secd/secd.sock\n"
	      "  -c, --config FILE  the daemon's settings, which name its socket\n"
	      "  -j, --json         answer in JSON\n"
	      "  -V, --version      print the version\n"
	      "  -h, --help         print this\n"
	      "\n"
	      "Exit status: 0 done, 1 the daemon could not do it, 2 usage, 3 no daemon.\n"
	      "Of skew: 0 ok, 1 warning, 2 critical, 3 unknown.\n"
	      "See secdctl(8).\n",
	      to);
}

static const char *default_socket(void)
{
	for (size_t i = 0; i < conf_option_count(); i++) {
		const conf_option_t *o = conf_option_at(i);

		if (o->section == CONF_SERVER && strcmp(o->key, "control") == 0)
			return o->fallback;
	}
	return "";
}

/* The socket that settings name; NULL after a message. The caller's to free. */
static char *socket_of(const char *config)
{
	conf_faults_t faults = { 0 };
	char *path = conf_read_control(config, &faults);

	if (!path) {
		conf_faults_print(&faults, stderr);
	} else if (path[0] == '\0') {
		fprintf(stderr, "secdctl: %s sets no control socket\n", config);
		free(path);
		path = NULL;
	}
	conf_faults_free(&faults);
	return path;
}

/* --- the request ------------------------------------------------------------------------------ */

/* A word of the request: what would end it is escaped as in a name, also if a backslash stands there
 * already. */
static void put_word(FILE *to, const char *word)
{
	putc(' ', to);
	for (const unsigned char *p = (const unsigned char *)word; *p != '\0'; p++) {
		const unsigned char *octet = *p == '\\' && p[1] != '\0' ? p + 1 : p;

		if (*octet <= 0x20 || *octet == 0x7f) {
			fprintf(to, "\\%03u", *octet);
		} else if (octet > p) {
			putc(*p, to);
			putc(*octet, to);
		} else {
			putc(*p, to);
		}
		p = octet;
	}
}

/* The line to send; NULL: no memory. */
static char *request_line(report_form_t form, char **words, size_t *len)
{
	static const char *const forms[] = {
		[REPORT_TEXT] = "text",
		[REPORT_COLOUR] = "colour",
		[REPORT_JSON] = "json",
	};
	char *line = NULL;
	FILE *to = open_memstream(&line, len);

	if (!to)
		return NULL;
	fprintf(to, CTL_PROTOCOL " %s", forms[form]);
	for (; *words; words++)
		put_word(to, *words);
	putc('\n', to);
	return fclose(to) == 0 ? line : NULL;
}

static int connect_to(const char *path, bool soon)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = soon ? PATIENCE_HEALTHY : PATIENCE };
	int fd;

	if (strlen(path) >= sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	int err = errno;
	close(fd);
	errno = err;
	return -1;
}

static bool send_all(int fd, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* --- the answer ------------------------------------------------------------------------------- */

static int cut_short(void)
{
	fputs("secdctl: the answer was cut short\n", stderr);
	return EXIT_NO;
}

enum { FRAME_MAX = 1 << 20 }; /* octets of one of top's */

/* n octets of content to the screen, in place of what is there. */
static bool show(FILE *from, size_t n)
{
	char *frame = n <= FRAME_MAX ? malloc(n + 1) : NULL;
	const bool good = frame && fread(frame, 1, n, from) == n && screen_show(frame, n);

	free(frame);
	return good;
}

/* n octets of content; false: it is over early, on one side or the other. */
static bool copy(FILE *from, size_t n, FILE *to)
{
	char some[16 * 1024];

	while (n > 0) {
		size_t got = fread(some, 1, n < sizeof some ? n : sizeof some, from);

		if (got == 0 || fwrite(some, 1, got, to) != got)
			return false;
		n -= got;
	}
	return true;
}

/* The words of the last line, after its first. */
static int verdict(const char *line)
{
	if (strcmp(line, "done") == 0)
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_NO;
	fflush(stdout);
	if (strncmp(line, "no ", 3) == 0) {
		fprintf(stderr, "secdctl: %s\n", line + 3);
		return EXIT_NO;
	}
	if (strncmp(line, "usage ", 6) == 0) {
		fprintf(stderr, "secdctl: %s\n", line + 6);
		return EXIT_USAGE;
	}
	return cut_short();
}

static bool read_line(FILE *from, char line[LINE_ROOM])
{
	if (!fgets(line, LINE_ROOM, from) || !strchr(line, '\n'))
		return false;
	*strchr(line, '\n') = '\0';
	return true;
}

/* Frame after frame, for as long as somebody looks on. */
static int receive_frames(FILE *from)
{
	char line[LINE_ROOM];
	int code = EXIT_DONE;
	size_t n;

	setvbuf(from, NULL, _IONBF, 0); /* what has come is seen by a wait */
	if (!screen_open())
		return EXIT_NO;
	while (screen_wait(fileno(from))) {
		if (read_line(from, line) && strcmp(line, CTL_PROTOCOL) == 0)
			continue;
		if (sscanf(line, "data %zu", &n) == 1 && show(from, n))
			continue;
		code = EXIT_NO;
		break;
	}
	screen_close();
	if (code == EXIT_NO && !screen_is_over())
		return *line != '\0' ? verdict(line) : cut_short();
	return EXIT_DONE;
}

static int receive(FILE *from, FILE *to)
{
	char line[LINE_ROOM];
	size_t n;

	if (!read_line(from, line)) {
		if (!ferror(from))
			return cut_short();
		fputs("secdctl: the daemon does not answer\n", stderr);
		return EXIT_NO;
	}
	if (strcmp(line, CTL_PROTOCOL) != 0) {
		fprintf(stderr, "secdctl: the daemon speaks %.100s, not " CTL_PROTOCOL "\n", line);
		return EXIT_NO;
	}
	while (read_line(from, line)) {
		if (sscanf(line, "data %zu", &n) != 1)
			return verdict(line);
		if (!copy(from, n, to))
			break;
	}
	if (to == stdout && ferror(stdout)) { /* who reads us has enough: it knows */
		fclose(stdout);
		return EXIT_NO;
	}
	return cut_short();
}

/* Is it for somebody who looks on, until he has seen enough? */
static bool is_live(report_form_t form, char **words)
{
	return strcmp(words[0], "top") == 0 && !words[1] && form != REPORT_JSON && screen_fits();
}

static int ask(const char *path, report_form_t form, char **words, FILE *to)
{
	size_t len;
	char *line = request_line(form, words, &len);
	const bool soon = ctl_verb_find(words[0])->id == CTL_VERB_HEALTHY;
	int fd = line ? connect_to(path, soon) : -1, code;
	FILE *from = NULL;

	if (!line) {
		fputs("secdctl: out of memory\n", stderr);
		return EXIT_NO;
	}
	if (fd < 0) {
		fprintf(stderr, "secdctl: no daemon on %s: %s\n", path, strerror(errno));
		free(line);
		return EXIT_NO_DAEMON;
	}
	/* A request that is too long is answered before it is read to its end. */
	(void)send_all(fd, line, len);
	free(line);
	from = fdopen(fd, "r");
	code = !from                  ? cut_short()
	       : is_live(form, words) ? receive_frames(from)
	                              : receive(from, to);
	if (from)
		fclose(from);
	return code;
}

/* For a verb that this client has a part in. */
static int ask_for_client(const void *arg, char **words, FILE *to)
{
	const char *path = arg;

	return ask(path, REPORT_TEXT, words, to);
}

static int lint_with_parent(const char *path, bool json, char **words)
{
	bool partly = false;
	char **asked = ctl_parent_words(words, &partly);
	int code;

	if (!asked)
		return EXIT_USAGE;
	code = ask(path, report_form_for(json), asked, stdout);
	ctl_parent_free(asked);
	return code == EXIT_DONE && partly ? EXIT_NO : code;
}

static int run(const char *path, bool json, char **words)
{
	const ctl_asker_t asker = { ask_for_client, path };

	if (ctl_verb_find(words[0])->id == CTL_VERB_SKEW)
		return ctl_skew_client(&asker, words, json);
	if (ctl_verb_find(words[0])->id == CTL_VERB_LINT && ctl_parent_is_asked(words))
		return lint_with_parent(path, json, words);
	return ask(path, report_form_for(json), words, stdout);
}

/* --- main ------------------------------------------------------------------------------------- */

static bool is_called_rightly(char **words)
{
	const ctl_verb_t *v = words[0] ? ctl_verb_find(words[0]) : NULL;
	size_t count = 0;

	if (!words[0])
		return false;
	if (!v) {
		fprintf(stderr, "secdctl: there is no verb %s\n", words[0]);
		return false;
	}
	while (words[count + 1]) {
		if (*words[++count] == '\0')
			return false;
	}
	return count >= v->least && count <= v->most;
}

/* What may stand in front of the verb may stand behind it, too, as far as it says how the answer looks. */
static bool take_json(char **words)
{
	bool found = false;
	char **to = words;

	for (; *words; words++) {
		if (strcmp(*words, "-j") == 0 || strcmp(*words, "--json") == 0)
			found = true;
		else
			*to++ = *words;
	}
	*to = NULL;
	return found;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = default_socket();
	char *configured = NULL;
	bool json = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "+s:c:jVh", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			path = optarg;
			break;
		case 'c':
			free(configured);
			configured = socket_of(optarg);
			if (!configured)
				return EXIT_USAGE;
			path = configured;
			break;
		case 'j':
			json = true;
			break;
		case 'V':
			puts("secdctl " SECD_VERSION);
			return EXIT_DONE;
		case 'h':
			print_usage(stdout);
			return EXIT_DONE;
		default:
			print_usage(stderr);
			return EXIT_USAGE;
		}
	}
	json = take_json(argv + optind) || json;
	if (is_called_rightly(argv + optind)) {
		code = run(path, json, argv + optind);
	} else {
		const char *verb = argv[optind];

		print_usage(stderr);
		code = verb && strcmp(verb, "skew") == 0 ? CTL_SKEW_UNKNOWN : EXIT_USAGE;
	}
	free(configured);
	return code;
}
