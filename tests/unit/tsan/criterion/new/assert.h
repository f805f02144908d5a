/* tests/unit/tsan/criterion/new/assert.h - see criterion.h beside it. */
#pragma once

#include "../criterion.h"
