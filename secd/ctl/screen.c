/* ctl/screen.c - the terminal: its size, its keys, and that it is given back. */
#include "ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const char begin[] = "\033[?1049h\033[?25l"; /* another page, no cursor */
static const char end[] = "\033[?25h\033[?1049l";

static struct termios before;
static bool taken, deaf;
static char *shown; /* the last frame */
static size_t shown_len;
static volatile sig_atomic_t over, resized;

static void on_end(int signal)
{
	(void)signal;
	over = 1;
}

static void on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

bool screen_fits(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* None restarts what it interrupts: a wait must end. */
static void watch(int signal, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	(void)sigaction(signal, &action, NULL);
}

bool screen_open(void)
{
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return false;
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* or a shell would get the terminal as it is now */
	watch(SIGINT, on_end);
	watch(SIGTERM, on_end);
	watch(SIGHUP, on_end);
	watch(SIGQUIT, on_end);
	watch(SIGWINCH, on_resize);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
		return false;
	taken = true;
	fputs(begin, stdout);
	fflush(stdout);
	return true;
}

void screen_close(void)
{
	if (!taken)
		return;
	taken = false;
	fputs(end, stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	free(shown);
	shown = NULL;
	shown_len = 0;
}

bool screen_is_over(void)
{
	return over != 0;
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Octets of an escape sequence at p: ESC [ parameters letter; 0: there is none. */
static size_t escape_len(const char *p, size_t len)
{
	size_t n = 2;

	if (len < 3 || p[0] != '\033' || p[1] != '[')
		return 0;
	while (n < len && (unsigned char)p[n] >= 0x20 && (unsigned char)p[n] < 0x40)
		n++;
	return n < len ? n + 1 : 0;
}

static void write_line(FILE *to, const char *line, size_t len, unsigned columns)
{
	unsigned used = 0;
	bool coloured = false;

	for (size_t i = 0; i < len;) {
		const size_t escape = escape_len(line + i, len - i);

		if (escape > 0) {
			fwrite(line + i, 1, escape, to);
			coloured = true;
			i += escape;
		} else if (used < columns) {
			putc(line[i++], to);
			used++;
		} else {
			break;
		}
	}
	if (coloured)
		fputs("\033[0m", to);
	fputs("\033[K", to);
}

void screen_write(FILE *to, const char *text, size_t len, unsigned rows, unsigned columns)
{
	const char *const behind = text + len;

	fputs("\033[H", to);
	for (unsigned row = 0; row < rows && text < behind; row++) {
		const char *line_end = memchr(text, '\n', (size_t)(behind - text));

		if (!line_end)
			line_end = behind;
		if (row > 0)
			fputs("\r\n", to);
		write_line(to, text, (size_t)(line_end - text), columns);
		text = line_end < behind ? line_end + 1 : behind;
	}
	fputs("\033[J", to);
}

static void draw(void)
{
	struct winsize size;

	resized = 0;
	if (!shown)
		return;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	screen_write(stdout, shown, shown_len, size.ws_row, size.ws_col);
	fflush(stdout);
}

bool screen_show(const char *text, size_t len)
{
	char title[80] = "";
	const time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(title, sizeof title,
		         "\033[1msecdctl top\033[0m  %H:%M:%S  rates are of a second; q ends\n",
		         &tm);
	const size_t title_len = strlen(title);
	char *frame = malloc(title_len + len + 1);

	if (!frame)
		return false;
	memcpy(frame, title, title_len);
	memcpy(frame + title_len, text, len);
	free(shown);
	shown = frame;
	shown_len = title_len + len;
	draw();
	return true;
}

/* --- keys ------------------------------------------------------------------------------------- */

/* False: it was the one that ends it. */
static bool take_keys(void)
{
	char keys[64];
	const ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

	if (n <= 0 && errno != EINTR && errno != EAGAIN)
		deaf = true; /* nobody is there any more; the next signal ends us */
	for (ssize_t i = 0; i < n; i++) {
		if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == 3)
			return false;
	}
	return true;
}

bool screen_wait(int fd)
{
	while (!over) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
			                { .fd = deaf ? -1 : STDIN_FILENO, .events = POLLIN } };

		if (resized)
			draw();
		if (poll(fds, 2, -1) < 0) {
			if (errno != EINTR)
				return true; /* reading will tell */
			continue;
		}
		if (fds[1].revents && !take_keys())
			over = 1;
		else if (fds[0].revents)
			return true;
	}
	return false;
}
