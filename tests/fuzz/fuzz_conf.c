/* tests/fuzz/fuzz_conf.c - any octets as secd.ini: read or refused with a line, never a crash,
 * and what was read keeps its promises. The text in memory opens no other file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int is_true, const char *what)
{
	if (is_true)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_faults(const conf_faults_t *faults)
{
	char line[8192];

	for (size_t i = 0; i < faults->count; i++) {
		const conf_fault_t *f = &faults->list[i];

		conf_fault_text(f, line, sizeof line);
		expect(strncmp(line, "m:", 2) == 0, "a fault names its file");
		for (const char *p = line; *p; p++)
			expect((unsigned char)*p >= 0x20, "a fault has no control characters");
	}
}

static void check_conf(const conf_t *conf)
{
	expect(conf->listen_count > 0, "there is an address to listen on");
	for (size_t i = 0; i < conf->primary_count; i++)
		expect(conf->primaries[i]->address_count > 0, "a primary has an address");
	for (size_t i = 0; i < conf->zone_count; i++) {
		const conf_zone_t *zone = &conf->zones[i];

		expect(zone->group->primary_count > 0, "a zone has a primary");
		expect(zone->group->notify.count >= zone->group->primary_count,
		       "a primary may send NOTIFY");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;
	status_t st = conf_read_memory("m", (const char *)data, size, &conf, &faults);

	expect((st == ST_OK) == (faults.errors == 0), "errors go with the status");
	expect((st == ST_OK) == (conf != NULL), "a configuration goes with the status");
	check_faults(&faults);
	if (conf)
		check_conf(conf);
	conf_free(conf);
	conf_faults_free(&faults);
	return 0;
}
