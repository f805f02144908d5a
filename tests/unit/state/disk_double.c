/* tests/unit/state/disk_double.c - see disk_double.h. */
#include "tests/unit/state/disk_double.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/state/dice.h"

enum { BLOCK = 512, NAME_MOST = 48 };

/* As it looks, and as it is on the disk. */
typedef struct file {
	struct file *next; /* by name */
	char name[NAME_MOST];
	bool now, safe; /* has its name */
	unsigned opens;
	uint8_t *octets, *kept;
	uint64_t size, kept_size, room; /* room of both */
	uint8_t *dirty;                 /* a flag for each block that is to be written */
} file_t;

typedef struct refusal {
	unsigned after, count;
	int err;
} refusal_t;

struct disk_double {
	state_disk_t disk;
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	file_t *files;
	file_t **open;
	size_t open_room, opened;
	dice_t dice;
	bool in_use;
	unsigned count[DISK_CALLS];
	refusal_t refuse[DISK_CALLS];
	disk_call_t blocked_call;
	char blocked_prefix[NAME_MOST];
	bool blocks;
	unsigned waiting;
	void (*before)(void *arg, disk_double_t *d);
	void *before_arg;
};

static disk_double_t *of(state_disk_t *d)
{
	return (disk_double_t *)(void *)d;
}

static void insist(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "disk_double: %s\n", what);
	abort();
}

/* --- files --------------------------------------------------------------------------------------- */

static void make_room(file_t *f, uint64_t need)
{
	uint64_t room = f->room ? f->room : 4 * BLOCK;

	if (need <= f->room)
		return;
	while (room < need)
		room *= 2;
	f->octets = realloc(f->octets, room);
	f->kept = realloc(f->kept, room);
	f->dirty = realloc(f->dirty, room / BLOCK);
	insist(f->octets && f->kept && f->dirty, "no memory");
	memset(f->octets + f->room, 0, room - f->room);
	memset(f->kept + f->room, 0, room - f->room);
	memset(f->dirty + f->room / BLOCK, 0, (room - f->room) / BLOCK);
	f->room = room;
}

static void drop_file(file_t *f)
{
	free(f->octets);
	free(f->kept);
	free(f->dirty);
	free(f);
}

/* Files that have no name and that nobody has open. */
static void sweep(disk_double_t *d)
{
	for (file_t **at = &d->files; *at;) {
		file_t *f = *at;

		if (f->now || f->safe || f->opens > 0) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		drop_file(f);
	}
}

static file_t *named(disk_double_t *d, const char *name)
{
	for (file_t *f = d->files; f; f = f->next) {
		if (f->now && strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

static file_t *add_file(disk_double_t *d, const char *name)
{
	file_t *f = calloc(1, sizeof *f), **at = &d->files;

	insist(f && strlen(name) < NAME_MOST, "no memory, or a long name");
	strcpy(f->name, name);
	make_room(f, 1);
	f->now = true;
	while (*at && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	return f;
}

static void set_safe(file_t *f, const void *octets, uint64_t size)
{
	make_room(f, size);
	memset(f->octets, 0, f->room);
	memset(f->kept, 0, f->room);
	memset(f->dirty, 0, f->room / BLOCK);
	if (size > 0) {
		memcpy(f->octets, octets, size);
		memcpy(f->kept, octets, size);
	}
	f->size = f->kept_size = size;
	f->now = f->safe = true;
}

static void touch(file_t *f, uint64_t from, uint64_t to)
{
	for (uint64_t b = from / BLOCK; b * BLOCK < to; b++)
		f->dirty[b] = 1;
}

/* One block reaches the disk. */
static void write_back(file_t *f, uint64_t block)
{
	memcpy(f->kept + block * BLOCK, f->octets + block * BLOCK, BLOCK);
}

/* --- calls --------------------------------------------------------------------------------------- */

/* Begin a call: locked. Is it refused? */
static int enter(disk_double_t *d, disk_call_t call, const char *name)
{
	refusal_t *r = &d->refuse[call];

	if (d->before && call >= DISK_WRITE)
		d->before(d->before_arg, d);
	pthread_mutex_lock(&d->mutex);
	d->count[call]++;
	while (d->blocks && d->blocked_call == call &&
	       strncmp(name, d->blocked_prefix, strlen(d->blocked_prefix)) == 0) {
		d->waiting++;
		pthread_cond_broadcast(&d->moved);
		pthread_cond_wait(&d->moved, &d->mutex);
		d->waiting--;
	}
	if (r->count == 0)
		return 0;
	if (r->after > 1) {
		r->after--;
		return 0;
	}
	r->count--;
	return -r->err;
}

static int leave(disk_double_t *d, int result)
{
	pthread_mutex_unlock(&d->mutex);
	return result;
}

static file_t *file_of(disk_double_t *d, int fd)
{
	pthread_mutex_lock(&d->mutex);
	insist(fd >= 0 && (size_t)fd < d->open_room && d->open[fd], "not an open file");
	file_t *f = d->open[fd];
	pthread_mutex_unlock(&d->mutex);
	return f;
}

static int open_as(disk_double_t *d, file_t *f)
{
	size_t fd = 0;

	while (fd < d->open_room && d->open[fd])
		fd++;
	if (fd == d->open_room) {
		const size_t room = d->open_room ? 2 * d->open_room : 16;

		d->open = reallocarray(d->open, room, sizeof(file_t *));
		insist(d->open != NULL, "no memory");
		memset(d->open + d->open_room, 0, (room - d->open_room) * sizeof(file_t *));
		d->open_room = room;
	}
	d->open[fd] = f;
	f->opens++;
	d->opened++;
	return (int)fd;
}

static int list(state_disk_t *disk, void (*each)(void *arg, const char *name), void *arg)
{
	disk_double_t *d = of(disk);
	int err = enter(d, DISK_LIST, "");

	each(arg, ".");
	each(arg, "lock");
	for (file_t *f = d->files; f && err == 0; f = f->next) {
		if (f->now)
			each(arg, f->name);
	}
	return leave(d, err);
}

static int create(state_disk_t *disk, const char *name)
{
	disk_double_t *d = of(disk);
	int err = enter(d, DISK_CREATE, name);

	if (err == 0 && named(d, name))
		err = -EEXIST;
	if (err == 0)
		err = open_as(d, add_file(d, name));
	return leave(d, err);
}

static int open_file(state_disk_t *disk, const char *name)
{
	disk_double_t *d = of(disk);
	int err = enter(d, DISK_OPEN, name);
	file_t *f = named(d, name);

	if (err == 0)
		err = f ? open_as(d, f) : -ENOENT;
	return leave(d, err);
}

static void close_file(state_disk_t *disk, int fd)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);

	pthread_mutex_lock(&d->mutex);
	d->open[fd] = NULL;
	f->opens--;
	d->opened--;
	sweep(d);
	pthread_mutex_unlock(&d->mutex);
}

static int64_t size(state_disk_t *disk, int fd)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);

	pthread_mutex_lock(&d->mutex);
	const int64_t len = (int64_t)f->size;
	pthread_mutex_unlock(&d->mutex);
	return len;
}

static ssize_t read_file(state_disk_t *disk, int fd, void *to, size_t len, uint64_t at)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);
	ssize_t n = enter(d, DISK_READ, f->name);

	if (n == 0 && at < f->size) {
		n = (ssize_t)(len < f->size - at ? len : f->size - at);
		memcpy(to, f->octets + at, (size_t)n);
	}
	leave(d, 0);
	return n;
}

static int write_file(state_disk_t *disk, int fd, struct iovec *from, int count, uint64_t at)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);
	const int err = enter(d, DISK_WRITE, f->name);
	const uint64_t begin = at;
	uint64_t most = 0;

	for (int i = 0; i < count; i++)
		most += from[i].iov_len;
	if (err < 0)
		most = dice_below(&d->dice, (uint32_t)most);
	make_room(f, at + most);
	for (int i = 0; i < count && most > 0; i++) {
		const size_t n = from[i].iov_len < most ? from[i].iov_len : most;

		if (n > 0)
			memcpy(f->octets + at, from[i].iov_base, n);
		from[i].iov_base = NULL; /* the caller's no longer */
		at += n;
		most -= n;
	}
	touch(f, begin, at);
	f->size = at > f->size ? at : f->size;
	return leave(d, err);
}

static int truncate_file(state_disk_t *disk, int fd, uint64_t to)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);
	const int err = enter(d, DISK_TRUNCATE, f->name);

	if (err == 0 && to < f->size) {
		memset(f->octets + to, 0, f->size - to);
		touch(f, to, f->size);
		f->size = to;
	}
	return leave(d, err);
}

static int sync_file(state_disk_t *disk, int fd)
{
	disk_double_t *d = of(disk);
	file_t *f = file_of(d, fd);
	const int err = enter(d, DISK_SYNC, f->name);
	const bool grows = f->size > f->kept_size;

	for (uint64_t b = 0; b < f->room / BLOCK; b++) {
		if (f->dirty[b] && (err == 0 || dice_below(&d->dice, 2)))
			write_back(f, b);
		f->dirty[b] = 0;
	}
	if (err == 0 || (grows && dice_below(&d->dice, 2)))
		f->kept_size = f->size;
	return leave(d, err);
}

static int sync_names(state_disk_t *disk)
{
	disk_double_t *d = of(disk);
	const int err = enter(d, DISK_SYNC_NAMES, "");

	for (file_t *f = d->files; f && err == 0; f = f->next)
		f->safe = f->now;
	sweep(d);
	return leave(d, err);
}

/* What it tells the disk to write may be written: a cut says by chance what was. */
static void hurry(state_disk_t *disk, int fd, uint64_t at, uint64_t len)
{
	(void)file_of(of(disk), fd);
	(void)at;
	(void)len;
}

static int unlink_file(state_disk_t *disk, const char *name)
{
	disk_double_t *d = of(disk);
	int err = enter(d, DISK_UNLINK, name);
	file_t *f = named(d, name);

	if (err == 0 && f)
		f->now = false;
	else if (err == 0)
		err = -ENOENT;
	sweep(d);
	return leave(d, err);
}

static void let_go(state_disk_t *disk)
{
	disk_double_t *d = of(disk);

	insist(d->opened == 0, "files are left open");
	insist(d->in_use, "freed twice");
	d->in_use = false;
}

static const state_disk_calls_t calls = {
	.list = list,
	.create = create,
	.open = open_file,
	.close = close_file,
	.size = size,
	.read = read_file,
	.write = write_file,
	.truncate = truncate_file,
	.sync = sync_file,
	.sync_names = sync_names,
	.hurry = hurry,
	.unlink = unlink_file,
	.free = let_go,
};

/* --- life ---------------------------------------------------------------------------------------- */

disk_double_t *disk_double_new(uint64_t seed)
{
	disk_double_t *d = calloc(1, sizeof *d);

	insist(d != NULL, "no memory");
	d->disk.calls = &calls;
	d->dice = (dice_t){ seed };
	pthread_mutex_init(&d->mutex, NULL);
	pthread_cond_init(&d->moved, NULL);
	return d;
}

void disk_double_free(disk_double_t *d)
{
	insist(!d->in_use, "it is still in use");
	for (file_t *f = d->files, *next; f; f = next) {
		next = f->next;
		drop_file(f);
	}
	free(d->open);
	pthread_mutex_destroy(&d->mutex);
	pthread_cond_destroy(&d->moved);
	free(d);
}

state_disk_t *disk_double_disk(disk_double_t *d)
{
	insist(!d->in_use, "it is in use");
	d->in_use = true;
	return &d->disk;
}

disk_double_t *disk_double_copy(disk_double_t *d)
{
	disk_double_t *c = disk_double_new(d->dice.state);

	pthread_mutex_lock(&d->mutex);
	for (const file_t *f = d->files; f; f = f->next) {
		if (f->now)
			set_safe(add_file(c, f->name), f->octets, f->size);
	}
	pthread_mutex_unlock(&d->mutex);
	return c;
}

/* 0: nothing, 1: all, 2: some of what was not synced. */
static bool chance(dice_t *dice, unsigned mode)
{
	return mode == 1 || (mode == 2 && dice_below(dice, 2));
}

static void survive(const file_t *f, file_t *to, dice_t *dice)
{
	const unsigned mode = dice_below(dice, 3);
	const uint64_t low = f->size < f->kept_size ? f->size : f->kept_size;
	const uint64_t high = f->size < f->kept_size ? f->kept_size : f->size;
	uint64_t len = mode == 0 ? f->kept_size : f->size;

	if (mode == 2 && dice_below(dice, 2))
		len = low + dice_below(dice, (uint32_t)(high - low + 1));
	set_safe(to, f->kept, f->room);
	for (uint64_t b = 0; b < f->room / BLOCK; b++) {
		if (f->dirty[b] && chance(dice, mode))
			memcpy(to->kept + b * BLOCK, f->octets + b * BLOCK, BLOCK);
	}
	memset(to->kept + len, 0, f->room - len);
	memcpy(to->octets, to->kept, f->room);
	to->size = to->kept_size = len;
}

disk_double_t *disk_double_cut(disk_double_t *d, uint64_t seed)
{
	dice_t dice = { seed };
	const unsigned names = dice_below(&dice, 3);
	disk_double_t *c = disk_double_new(seed);

	pthread_mutex_lock(&d->mutex);
	for (const file_t *f = d->files; f; f = f->next) {
		const bool there = f->now == f->safe ? f->now : chance(&dice, names) == f->now;

		if (there && !named(c, f->name))
			survive(f, add_file(c, f->name), &dice);
	}
	pthread_mutex_unlock(&d->mutex);
	return c;
}

/* --- what is on it ------------------------------------------------------------------------------- */

size_t disk_double_files(disk_double_t *d)
{
	size_t n = 0;

	pthread_mutex_lock(&d->mutex);
	for (const file_t *f = d->files; f; f = f->next)
		n += f->now;
	pthread_mutex_unlock(&d->mutex);
	return n;
}

const char *disk_double_name(disk_double_t *d, size_t i)
{
	const file_t *f;

	pthread_mutex_lock(&d->mutex);
	for (f = d->files; f && (!f->now || i-- > 0);)
		f = f->next;
	pthread_mutex_unlock(&d->mutex);
	return f ? f->name : NULL;
}

uint64_t disk_double_size(disk_double_t *d, const char *name)
{
	pthread_mutex_lock(&d->mutex);
	const file_t *f = named(d, name);
	const uint64_t len = f ? f->size : 0;
	pthread_mutex_unlock(&d->mutex);
	return len;
}

uint64_t disk_double_octets(disk_double_t *d)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&d->mutex);
	for (const file_t *f = d->files; f; f = f->next)
		sum += f->now ? f->size : 0;
	pthread_mutex_unlock(&d->mutex);
	return sum;
}

static uint64_t hash(uint64_t h, const void *octets, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)octets)[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t disk_double_digest(disk_double_t *d)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	pthread_mutex_lock(&d->mutex);
	for (const file_t *f = d->files; f; f = f->next) {
		if (f->now)
			h = hash(hash(h, f->name, strlen(f->name) + 1), f->octets, f->size);
	}
	pthread_mutex_unlock(&d->mutex);
	return h;
}

void disk_double_flip(disk_double_t *d, const char *name, uint64_t octet, unsigned bit)
{
	pthread_mutex_lock(&d->mutex);
	file_t *f = named(d, name);
	insist(f && octet < f->size, "there is no such octet");
	f->octets[octet] ^= (uint8_t)(1u << bit);
	f->kept[octet] ^= (uint8_t)(1u << bit);
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_shorten(disk_double_t *d, const char *name, uint64_t len)
{
	pthread_mutex_lock(&d->mutex);
	file_t *f = named(d, name);
	insist(f && len <= f->size, "there are no such octets");
	memset(f->octets + len, 0, f->room - len);
	memset(f->kept + len, 0, f->room - len);
	f->size = f->kept_size = len;
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_put(disk_double_t *d, const char *name, const void *octets, size_t len)
{
	pthread_mutex_lock(&d->mutex);
	file_t *f = named(d, name);
	set_safe(f ? f : add_file(d, name), octets, len);
	pthread_mutex_unlock(&d->mutex);
}

const uint8_t *disk_double_content(disk_double_t *d, const char *name)
{
	pthread_mutex_lock(&d->mutex);
	const file_t *f = named(d, name);
	pthread_mutex_unlock(&d->mutex);
	return f ? f->octets : NULL;
}

/* --- what goes wrong ----------------------------------------------------------------------------- */

void disk_double_refuse(disk_double_t *d, disk_call_t call, unsigned n, unsigned count, int err)
{
	pthread_mutex_lock(&d->mutex);
	d->refuse[call] = (refusal_t){ .after = n, .count = count, .err = err };
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_relent(disk_double_t *d)
{
	pthread_mutex_lock(&d->mutex);
	memset(d->refuse, 0, sizeof d->refuse);
	pthread_mutex_unlock(&d->mutex);
}

unsigned disk_double_count(disk_double_t *d, disk_call_t call)
{
	pthread_mutex_lock(&d->mutex);
	const unsigned n = d->count[call];
	pthread_mutex_unlock(&d->mutex);
	return n;
}

void disk_double_block(disk_double_t *d, disk_call_t call, const char *prefix)
{
	pthread_mutex_lock(&d->mutex);
	d->blocks = true;
	d->blocked_call = call;
	snprintf(d->blocked_prefix, sizeof d->blocked_prefix, "%s", prefix);
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_wait_blocked(disk_double_t *d)
{
	pthread_mutex_lock(&d->mutex);
	while (d->waiting == 0)
		pthread_cond_wait(&d->moved, &d->mutex);
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_unblock(disk_double_t *d)
{
	pthread_mutex_lock(&d->mutex);
	d->blocks = false;
	pthread_cond_broadcast(&d->moved);
	pthread_mutex_unlock(&d->mutex);
}

void disk_double_watch(disk_double_t *d, void (*before)(void *arg, disk_double_t *d), void *arg)
{
	d->before = before;
	d->before_arg = arg;
}
