/* refresh/terms.h - the settings of a group as the rooms below take them. */
#pragma once

#include "conf/conf.h"
#include "zone/gates.h"

zone_gates_t terms_gates(const conf_gates_t *g);

/* For a version that an operator has accepted: faults are told, and none refuses it but what would
 * make answers too dear. */
zone_gates_t terms_accepted(const conf_gates_t *g);
