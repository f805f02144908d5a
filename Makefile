# secd - build, test, install. One Makefile, explicit lists, a build directory per variant.
#
#   make               build/secd                         make check   unit tests
#   make VARIANT=asan  build/asan/secd (ASan + UBSan)     make e2e     end-to-end tests
#   make VARIANT=tsan  build/tsan/secd (ThreadSanitizer)  make asan    both under ASan + UBSan
#   make lint          format, warnings, layers           make tsan    the swap under TSan
#   make soak          the large runs                     make fuzz    fuzzers, a short run
#   make install       honours DESTDIR and PREFIX

PREFIX ?= /usr/local
VARIANT ?= plain
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := 0.1.0

SANE := -std=gnu11 -D_GNU_SOURCE -pthread -fno-common -fstack-protector-strong
WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wcast-qual -Wpointer-arith -Wwrite-strings \
        -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wdate-time
CPPFLAGS += -I. -Isecd -DSECD_VERSION='"$(VERSION)"' -D_FORTIFY_SOURCE=2
CFLAGS ?= -O2 -g

ifeq ($(VARIANT),plain)
OUT := build
else
OUT := build/$(VARIANT)
endif
ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g -fno-omit-frame-pointer
CPPFLAGS := -I. -Isecd -DSECD_VERSION='"$(VERSION)"'
VARIANT_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
endif
ifeq ($(VARIANT),tsan)
CFLAGS := -O1 -g -fno-omit-frame-pointer
CPPFLAGS := -I. -Isecd -DSECD_VERSION='"$(VERSION)"'
VARIANT_FLAGS := -fsanitize=thread
endif
ifeq ($(VARIANT),fuzz)
CC := clang
CFLAGS := -O1 -g -fno-omit-frame-pointer
CPPFLAGS := -I. -Isecd -DSECD_VERSION='"$(VERSION)"'
VARIANT_FLAGS := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
endif

# Criterion's macros store an int in a one-bit field, and name fields as our tests do.
$(OUT)/obj/tests/unit/%.o: WARN += -Wno-conversion -Wno-shadow -Wno-cast-qual

ALL_CFLAGS = $(SANE) $(WARN) $(CFLAGS) $(VARIANT_FLAGS) $(EXTRA_CFLAGS)
LINK = $(CC) $(SANE) $(CFLAGS) $(VARIANT_FLAGS) $(LDFLAGS)
LIBS := -lev -lldns -linih -lcrypto

# --- the house, floor by floor (secd/README.md) ------------------------------------------------

COMMON := common/addr.c common/clock.c common/epoch.c common/log.c common/mailbox.c \
          common/pool.c common/random.c common/siphash.c common/status.c
DNS := secd/dns/name.c secd/dns/query.c secd/dns/rdata.c secd/dns/request.c secd/dns/rr.c \
       secd/dns/rrtype.c secd/dns/soa.c
CONF := secd/conf/parse.c
ZONE := secd/zone/build.c secd/zone/check.c secd/zone/lookup.c secd/zone/set.c \
        secd/zone/version.c
ANSWER := secd/answer/answer.c
XFR := secd/xfr/axfr.c secd/xfr/conn.c secd/xfr/fetch.c secd/xfr/poll.c
REFRESH := secd/refresh/refresh.c
NET := secd/net/net.c
SECD := $(COMMON) $(DNS) $(CONF) $(ZONE) $(ANSWER) $(XFR) $(REFRESH) $(NET) secd/main.c

# --- unit tests: each line is the whole claim of what a room needs ------------------------------

UNITS := dns_name
UNIT_dns_name := tests/unit/dns/test_name.c secd/dns/name.c

# --- rules -------------------------------------------------------------------------------------

obj = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

all: $(OUT)/secd

$(OUT)/secd: $(call obj,$(SECD))
	$(LINK) -o $@ $^ $(LIBS)

$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define unit_rule
$(OUT)/unit/$(1): $$(call obj,$$(UNIT_$(1)))
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ -lcriterion $$(LIBS)
endef
$(foreach u,$(UNITS),$(eval $(call unit_rule,$(u))))

UNIT_BINS := $(UNITS:%=$(OUT)/unit/%)
units: $(UNIT_BINS)

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)

.PHONY: all units
.DELETE_ON_ERROR:
