/* tests/unit/conf/files.c - see files.h. */
#include "files.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static int before = -1;

void files_enter(void)
{
	before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(ge(int, before, 0));
	strcpy(directory, "/tmp/secd-conf-XXXXXX");
	cr_assert(mkdtemp(directory) != NULL);
	cr_assert(eq(int, chdir(directory), 0));
}

void files_write(const char *name, const char *text, size_t len)
{
	const char *slash = strchr(name, '/');
	char parent[256];
	FILE *f;

	if (slash) {
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - name), name);
		mkdir(parent, 0700);
	}
	f = fopen(name, "w");
	cr_assert(f != NULL, "%s", name);
	if (len == 0)
		len = strlen(text);
	cr_assert(eq(sz, fwrite(text, 1, len, f), len));
	cr_assert(eq(int, fchmod(fileno(f), 0600), 0)); /* or a secret in it is warned of */
	cr_assert(eq(int, fclose(f), 0));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info, (void)kind, (void)ftw;
	return remove(path);
}

void files_leave(void)
{
	cr_assert(eq(int, fchdir(before), 0));
	close(before);
	cr_assert(eq(int, nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0));
}

char *files_faults(const char *path, conf_t **out)
{
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;
	char *text = NULL;
	size_t len;
	status_t st = conf_read(path, &conf, &faults);
	FILE *f = open_memstream(&text, &len);

	cr_assert(f != NULL);
	cr_expect(eq(int, st, faults.errors > 0 ? ST_MALFORMED : ST_OK));
	cr_expect(eq(int, conf != NULL, faults.errors == 0));
	conf_faults_print(&faults, f);
	cr_assert(eq(int, fclose(f), 0));
	conf_faults_free(&faults);
	if (out)
		*out = conf;
	else
		conf_free(conf);
	return text;
}

void files_expect(const row_t *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *faults;

		files_enter();
		for (size_t j = 0; j < ARRAY_LEN(rows[i].files) && rows[i].files[j].name; j++)
			files_write(rows[i].files[j].name, rows[i].files[j].text,
			            rows[i].files[j].len);
		faults = files_faults("secd.ini", NULL);
		cr_expect(eq(str, faults, (char *)rows[i].want), "%s", rows[i].why);
		free(faults);
		files_leave();
	}
}
