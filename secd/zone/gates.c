/* zone/gates.c - what was found against what the operator has chosen. */
#include "zone/gates.h"

#include <stdio.h>
#include <string.h>

#include "zone/layout.h"

/* The gate of each fault that may refuse, and what was chosen for it. */
static zone_gate_t gate_of(zone_fault_t fault, const zone_gates_t *gates, zone_choice_t *choice)
{
	switch (fault) {
	case ZONE_FAULT_NO_NS:
		*choice = gates->no_ns;
		return ZONE_GATE_NO_NS;
	case ZONE_FAULT_SINGLE_NS:
		*choice = gates->single_ns;
		return ZONE_GATE_SINGLE_NS;
	case ZONE_FAULT_CNAME_BESIDE:
	case ZONE_FAULT_MANY_CNAMES:
		*choice = gates->cname_beside;
		return ZONE_GATE_CNAME;
	case ZONE_FAULT_BELOW_DNAME:
		*choice = gates->below_dname;
		return ZONE_GATE_DNAME;
	case ZONE_FAULT_MISSING_GLUE:
		*choice = gates->missing_glue;
		return ZONE_GATE_GLUE;
	case ZONE_FAULT_CHAIN_GAPS:
	case ZONE_FAULT_ITERATIONS: /* max-iterations is another figure */
	case ZONE_FAULT_KINDS:
		break;
	}
	*choice = ZONE_CHOICE_WARN;
	return ZONE_GATE_NONE;
}

/* A name that has the fault, if none is named yet. */
static void name_first(const zone_version_t *v, const zone_node_t *node, zone_verdict_t *out)
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t name;

	if (!node || out->first[0] != '\0')
		return;
	zone_node_name(v, node, &name);
	snprintf(out->first, sizeof out->first, "%s", dns_name_text(name.wire, text));
}

static void judge_faults(const zone_gates_t *gates, const zone_version_t *v,
                         const zone_faults_t *faults, zone_verdict_t *out)
{
	zone_choice_t choice[ZONE_FAULT_KINDS];

	for (zone_fault_t i = 0; i < ZONE_FAULT_KINDS; i++) {
		zone_gate_t gate = gate_of(i, gates, &choice[i]);

		if (choice[i] == ZONE_CHOICE_OFF || faults->count[i] == 0)
			continue;
		out->count[i] = faults->count[i];
		if (choice[i] != ZONE_CHOICE_REFUSE || out->refused != ZONE_GATE_NONE)
			continue;
		out->refused = gate;
		name_first(v, faults->first[i], out);
	}
	for (zone_fault_t i = 0; i < ZONE_FAULT_KINDS; i++) {
		if (out->count[i] > 0)
			name_first(v, faults->first[i], out);
	}
}

/* Refuse, unless another gate has done so. */
static void refuse(zone_verdict_t *out, zone_gate_t gate, uint32_t limit)
{
	if (out->refused != ZONE_GATE_NONE)
		return;
	out->refused = gate;
	out->limit = limit;
}

static void judge_iterations(const zone_gates_t *gates, const zone_faults_t *faults,
                             zone_verdict_t *out)
{
	out->iterations = faults->iterations;
	out->costly = faults->costly;
	if (faults->costly || faults->iterations > gates->max_iterations)
		refuse(out, ZONE_GATE_ITERATIONS, gates->max_iterations);
}

static void judge_shrink(const zone_gates_t *gates, uint64_t held, zone_verdict_t *out)
{
	out->held = held;
	if (gates->max_shrink == 0 || out->records >= held)
		return;
	/* In percent without a fraction: no zone has records enough for this to overflow. */
	if ((held - out->records) * 100 > held * gates->max_shrink)
		refuse(out, ZONE_GATE_SHRINK, gates->max_shrink);
}

static void judge_signatures(const zone_gates_t *gates, const zone_version_t *v, wall_t now,
                             zone_verdict_t *out)
{
	wall_t first;

	if (!zone_version_expiry(v, now, &first))
		return;
	out->left = first.s - now.s;
	out->ends_soon = gates->warn_signatures > 0 && out->left < gates->warn_signatures;
	if (gates->refuse_signatures > 0 && out->left < gates->refuse_signatures)
		refuse(out, ZONE_GATE_SIGNATURES, gates->refuse_signatures);
}

static status_t judge_digest(const zone_gates_t *gates, const zone_version_t *v,
                             zone_verdict_t *out)
{
	bool required = gates->zonemd == ZONE_DIGEST_REQUIRED;
	status_t st;

	out->zonemd = ZONE_ZONEMD_ABSENT;
	if (gates->zonemd == ZONE_DIGEST_OFF || out->refused != ZONE_GATE_NONE)
		return ST_OK;
	st = zone_zonemd_verify(v, &out->zonemd);
	if (st != ST_OK)
		return st;
	switch (out->zonemd) {
	case ZONE_ZONEMD_VALID:
		break;
	case ZONE_ZONEMD_ABSENT:
	case ZONE_ZONEMD_UNKNOWN:
		if (required)
			refuse(out, ZONE_GATE_ZONEMD, 0);
		break;
	case ZONE_ZONEMD_TWICE:
	case ZONE_ZONEMD_SERIAL:
	case ZONE_ZONEMD_DIFFERS:
		refuse(out, ZONE_GATE_ZONEMD, 0);
		break;
	}
	return ST_OK;
}

status_t zone_gates_judge(const zone_gates_t *gates, const zone_version_t *v,
                          const zone_faults_t *faults, uint64_t held, wall_t now,
                          zone_verdict_t *out)
{
	memset(out, 0, sizeof *out);
	out->records = zone_version_records(v);
	judge_faults(gates, v, faults, out);
	judge_iterations(gates, faults, out);
	judge_shrink(gates, held, out);
	judge_signatures(gates, v, now, out);
	return judge_digest(gates, v, out);
}

bool zone_verdict_has_faults(const zone_verdict_t *verdict)
{
	for (zone_fault_t i = 0; i < ZONE_FAULT_KINDS; i++) {
		if (verdict->count[i] > 0)
			return true;
	}
	return false;
}

bool zone_gate_has_name(zone_gate_t gate)
{
	return gate >= ZONE_GATE_NO_NS && gate <= ZONE_GATE_GLUE;
}
