/* refresh/terms.c - words of the settings into those of zone/. */
#include "refresh/terms.h"

static zone_choice_t choice_of(conf_choice_t choice)
{
	switch (choice) {
	case CONF_CHOICE_OFF:
		return ZONE_CHOICE_OFF;
	case CONF_CHOICE_WARN:
		return ZONE_CHOICE_WARN;
	case CONF_CHOICE_REFUSE:
		break;
	}
	return ZONE_CHOICE_REFUSE;
}

static zone_digest_rule_t digest_rule_of(conf_zonemd_t rule)
{
	switch (rule) {
	case CONF_ZONEMD_OFF:
		return ZONE_DIGEST_OFF;
	case CONF_ZONEMD_IF_PRESENT:
		return ZONE_DIGEST_IF_PRESENT;
	case CONF_ZONEMD_REQUIRED:
		break;
	}
	return ZONE_DIGEST_REQUIRED;
}

zone_gates_t terms_gates(const conf_gates_t *g)
{
	return (zone_gates_t){
		.no_ns = choice_of(g->no_ns),
		.single_ns = choice_of(g->single_ns),
		.cname_beside = choice_of(g->cname_beside),
		.below_dname = choice_of(g->below_dname),
		.missing_glue = choice_of(g->missing_glue),
		.zonemd = digest_rule_of(g->zonemd),
		.max_shrink = g->max_shrink,
		.warn_signatures = g->warn_signatures,
		.refuse_signatures = g->refuse_signatures,
		.max_iterations = g->max_iterations,
	};
}

static zone_choice_t at_most_warn(zone_choice_t choice)
{
	return choice == ZONE_CHOICE_REFUSE ? ZONE_CHOICE_WARN : choice;
}

zone_gates_t terms_accepted(const conf_gates_t *g)
{
	zone_gates_t out = terms_gates(g);

	out.no_ns = at_most_warn(out.no_ns);
	out.single_ns = at_most_warn(out.single_ns);
	out.cname_beside = at_most_warn(out.cname_beside);
	out.below_dname = at_most_warn(out.below_dname);
	out.missing_glue = at_most_warn(out.missing_glue);
	out.zonemd = ZONE_DIGEST_OFF;
	out.max_shrink = 0;
	out.refuse_signatures = 0;
	return out;
}
