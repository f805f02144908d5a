/* refresh/terms.h - the settings of a group as the rooms below take them. */
#pragma once

#include "conf/conf.h"
#include "zone/gates.h"

zone_gates_t terms_gates(const conf_gates_t *g);
