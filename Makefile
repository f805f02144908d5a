# secd - build, test, install. One Makefile, explicit lists, a build directory per variant.
#
#   make               build/secd                         make check   unit tests
#   make VARIANT=asan  build/asan/secd (ASan + UBSan)     make e2e     end-to-end tests
#   make VARIANT=tsan  build/tsan/secd (ThreadSanitizer)  make asan    both under ASan + UBSan
#   make lint          format, warnings, layers           make tsan    the swap under TSan
#   make soak          the large runs                     make fuzz    fuzzers, a short run
#   make bench         secd beside its peers              make bench-check  does that work?
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
# Criterion can't run under TSan: a header of ours stands in for it.
CPPFLAGS := -Itests/unit/tsan -I. -Isecd -DSECD_VERSION='"$(VERSION)"'
VARIANT_FLAGS := -fsanitize=thread
endif
ifeq ($(VARIANT),fuzz)
CC := clang
CFLAGS := -O1 -g -fno-omit-frame-pointer
CPPFLAGS := -I. -Isecd -DSECD_VERSION='"$(VERSION)"'
VARIANT_FLAGS := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
endif

# Criterion's macros store an int in a one-bit field, and name fields as our tests do.
$(OUT)/obj/tests/unit/%.o: CPPFLAGS += -Itests/unit
$(OUT)/obj/tests/unit/%.o: WARN += -Wno-conversion -Wno-shadow -Wno-cast-qual

ALL_CFLAGS = $(SANE) $(WARN) $(CFLAGS) $(VARIANT_FLAGS) $(EXTRA_CFLAGS)
LINK = $(CC) $(SANE) $(CFLAGS) $(VARIANT_FLAGS) $(LDFLAGS)
LIBS := -lev -lldns -linih -lcrypto -lxxhash -lmicrohttpd -lm

# --- the house, floor by floor (secd/README.md) ------------------------------------------------

LOG := common/journal.c common/log.c common/sink.c
COMMON := common/addr.c common/clock.c common/epoch.c common/huge.c common/slab.c $(LOG) common/mailbox.c \
          common/passed.c common/pool.c common/privileges.c common/random.c common/siphash.c common/status.c \
          common/supervisor.c
DNS := secd/dns/cookie.c secd/dns/digest.c secd/dns/entry.c secd/dns/hmac.c secd/dns/name.c secd/dns/nsec3.c \
       secd/dns/query.c secd/dns/rdata.c secd/dns/request.c secd/dns/rr.c secd/dns/rrtype.c secd/dns/soa.c \
       secd/dns/strict.c secd/dns/text.c secd/dns/tsig.c secd/dns/tsig_query.c secd/dns/tsig_rr.c \
       secd/dns/zonefile.c
CONF := secd/conf/adopt.c secd/conf/conf.c secd/conf/faults.c secd/conf/include.c secd/conf/keys.c secd/conf/number.c \
        secd/conf/objects.c secd/conf/options.c secd/conf/parse.c secd/conf/reach.c secd/conf/resolve.c secd/conf/source.c \
        secd/conf/store.c secd/conf/value.c secd/conf/zonelist.c secd/conf/zones.c
ZONE := secd/zone/advice.c secd/zone/arena.c secd/zone/build.c secd/zone/chain.c secd/zone/change.c secd/zone/check.c \
        secd/zone/decode.c secd/zone/delta.c secd/zone/expiry.c secd/zone/gates.c \
        secd/zone/hold.c secd/zone/index.c secd/zone/log.c secd/zone/lookup.c \
        secd/zone/node.c secd/zone/order.c secd/zone/pack.c secd/zone/set.c secd/zone/tree.c \
        secd/zone/unpack.c secd/zone/version.c secd/zone/write.c secd/zone/zonemd.c
ANSWER := secd/answer/answer.c secd/answer/compose.c secd/answer/denial.c secd/answer/edns.c \
          secd/answer/glue.c secd/answer/resolve.c secd/answer/types.c
STATE := secd/state/clocks.c secd/state/compact.c secd/state/disk.c secd/state/draft.c \
         secd/state/file.c secd/state/gone.c secd/state/index.c secd/state/table.c secd/state/past.c secd/state/queue.c \
         secd/state/read.c secd/state/record.c secd/state/route.c secd/state/scan.c secd/state/state.c secd/state/writer.c
XFR := secd/xfr/axfr.c secd/xfr/conn.c secd/xfr/digest.c secd/xfr/fetch.c secd/xfr/first.c secd/xfr/ixfr.c \
       secd/xfr/keep.c secd/xfr/link.c secd/xfr/poll.c secd/xfr/refusal.c secd/xfr/soa_answer.c secd/xfr/stream.c secd/xfr/why.c \
       secd/xfr/work.c
REFRESH := secd/refresh/breaker.c secd/refresh/clock.c secd/refresh/counts.c secd/refresh/dir.c secd/refresh/events.c secd/refresh/follow.c \
           secd/refresh/keep.c secd/refresh/left.c secd/refresh/list.c secd/refresh/pin.c secd/refresh/plan.c \
           secd/refresh/publish.c secd/refresh/queue.c secd/refresh/refresh.c secd/refresh/report.c \
           secd/refresh/restore.c secd/refresh/round.c secd/refresh/strangers.c secd/refresh/survey.c secd/refresh/terms.c \
           secd/refresh/told.c secd/refresh/wake.c secd/refresh/way.c secd/refresh/ways.c secd/refresh/words.c
NET := secd/net/adopt.c secd/net/change.c secd/net/clients.c secd/net/conn.c secd/net/net.c secd/net/post.c secd/net/sock.c \
       secd/net/tcp.c secd/net/udp.c secd/net/worker.c
REPORT := secd/ctl/report.c secd/ctl/report_json.c secd/ctl/report_text.c
CTL := $(REPORT) secd/ctl/ctl.c secd/ctl/dump.c secd/ctl/feed.c secd/ctl/gather.c secd/ctl/health.c secd/ctl/healthy.c secd/ctl/http.c secd/ctl/import.c \
       secd/ctl/lint.c secd/ctl/live.c secd/ctl/live_ask.c secd/ctl/live_words.c \
       secd/ctl/metrics.c secd/ctl/offline.c secd/ctl/out.c secd/ctl/print.c secd/ctl/process.c \
       secd/ctl/request.c secd/ctl/sock.c secd/ctl/table.c secd/ctl/service.c secd/ctl/show.c secd/ctl/skew.c \
       secd/ctl/stats.c secd/ctl/top.c secd/ctl/verbs.c
LIVE := secd/live/reload.c secd/live/settings.c secd/live/user.c
SECD := $(COMMON) $(DNS) $(CONF) $(STATE) $(ZONE) $(ANSWER) $(XFR) $(REFRESH) $(NET) $(CTL) $(LIVE) secd/main.c
SECDCTL := secd/ctl/parent.c secd/ctl/screen.c secd/ctl/secdctl.c secd/ctl/skew_client.c secd/ctl/skew_judge.c secd/ctl/skew_udp.c \
           secd/ctl/table.c $(REPORT) $(CONF) secd/xfr/soa_answer.c secd/dns/name.c secd/dns/rdata.c secd/dns/rr.c \
           secd/dns/rrtype.c secd/dns/soa.c common/addr.c common/clock.c common/huge.c $(LOG) common/random.c \
           common/siphash.c common/status.c

# --- unit tests: each line is the whole claim of what a room needs ------------------------------

UNITS := dns_name
UNIT_dns_name := tests/unit/dns/test_name.c secd/dns/name.c
UNITS += conf_include conf_keys conf_options conf_parse conf_reach conf_store conf_zonelist
CONF_NEEDS := $(CONF) secd/dns/name.c common/addr.c common/huge.c $(LOG) common/random.c common/siphash.c
UNIT_conf_include := tests/unit/conf/test_include.c tests/unit/conf/files.c $(CONF_NEEDS)
UNIT_conf_keys := tests/unit/conf/test_keys.c tests/unit/conf/files.c secd/dns/hmac.c \
                  secd/dns/rdata.c secd/dns/rr.c secd/dns/rrtype.c secd/dns/tsig.c \
                  secd/dns/tsig_rr.c $(CONF_NEEDS)
UNIT_conf_options := tests/unit/conf/test_options.c $(CONF_NEEDS)
UNIT_conf_parse := tests/unit/conf/test_parse.c tests/unit/conf/files.c $(CONF_NEEDS)
UNIT_conf_reach := tests/unit/conf/test_reach.c tests/unit/conf/files.c $(CONF_NEEDS)
UNIT_conf_store := tests/unit/conf/test_store.c secd/conf/store.c common/huge.c
UNIT_conf_zonelist := tests/unit/conf/test_zonelist.c tests/unit/conf/files.c $(CONF_NEEDS) \
                      common/clock.c

UNITS += dns_request xfr_soa_answer xfr_conn xfr_poll xfr_why xfr_axfr xfr_ixfr xfr_fetch
UNIT_dns_request := tests/unit/dns/test_request.c $(DNS) common/addr.c common/siphash.c
UNIT_xfr_soa_answer := tests/unit/xfr/test_soa_answer.c secd/xfr/soa_answer.c secd/dns/name.c \
                       secd/dns/rdata.c secd/dns/rr.c secd/dns/rrtype.c secd/dns/soa.c
UNIT_xfr_conn := tests/unit/xfr/test_conn.c tests/unit/xfr/support/server.c secd/xfr/conn.c \
                 common/addr.c common/clock.c
UNIT_xfr_poll := tests/unit/xfr/test_poll.c tests/unit/xfr/support/server.c \
                 tests/unit/xfr/support/signer.c secd/xfr/conn.c secd/xfr/link.c secd/xfr/poll.c secd/xfr/soa_answer.c secd/xfr/why.c $(DNS) \
                 common/addr.c common/clock.c common/random.c common/siphash.c
UNIT_xfr_why := tests/unit/xfr/test_why.c secd/xfr/why.c $(DNS) common/addr.c common/siphash.c
UNIT_xfr_axfr := tests/unit/xfr/test_axfr.c tests/unit/xfr/support/stream.c secd/xfr/axfr.c \
                 secd/xfr/stream.c secd/xfr/why.c $(DNS) $(ZONE) $(COMMON)
UNIT_xfr_ixfr := tests/unit/xfr/test_ixfr.c tests/unit/xfr/support/stream.c secd/xfr/axfr.c \
                 secd/xfr/ixfr.c secd/xfr/keep.c secd/xfr/refusal.c $(STATE) secd/xfr/stream.c secd/xfr/why.c secd/xfr/work.c $(DNS) $(ZONE) \
                 $(COMMON)
UNIT_xfr_fetch := tests/unit/xfr/test_fetch.c tests/unit/xfr/support/server.c \
                  tests/unit/xfr/support/signer.c tests/unit/xfr/support/stream.c \
                  tests/unit/support/wall.c $(XFR) $(DNS) $(STATE) $(ZONE) $(COMMON)

UNITS += xfr_first
UNIT_xfr_first := tests/unit/xfr/test_first.c tests/unit/xfr/support/server.c \
                  tests/unit/xfr/support/signer.c tests/unit/xfr/support/stream.c \
                  secd/xfr/axfr.c secd/xfr/conn.c secd/xfr/first.c secd/xfr/link.c secd/xfr/stream.c secd/xfr/why.c \
                  $(DNS) $(ZONE) $(COMMON)
UNITS += dns_cookie dns_nsec3 dns_query dns_rdata dns_text
UNIT_dns_text := tests/unit/dns/test_text.c secd/dns/text.c secd/dns/name.c secd/dns/rdata.c \
                 secd/dns/rr.c secd/dns/rrtype.c
UNITS += dns_zonefile
UNIT_dns_zonefile := tests/unit/dns/test_zonefile.c secd/dns/entry.c secd/dns/strict.c \
                     secd/dns/zonefile.c secd/dns/text.c secd/dns/name.c secd/dns/rdata.c secd/dns/rr.c secd/dns/rrtype.c
UNIT_dns_query := tests/unit/dns/test_query.c secd/dns/name.c secd/dns/query.c \
                  secd/dns/rdata.c secd/dns/rr.c secd/dns/rrtype.c
UNIT_dns_cookie := tests/unit/dns/test_cookie.c secd/dns/cookie.c common/siphash.c common/addr.c
UNITS += dns_digest
UNIT_dns_digest := tests/unit/dns/test_digest.c secd/dns/digest.c
UNIT_dns_nsec3 := tests/unit/dns/test_nsec3.c secd/dns/nsec3.c secd/dns/name.c
UNIT_dns_rdata := tests/unit/dns/test_rdata.c secd/dns/name.c secd/dns/rdata.c secd/dns/rr.c \
                  secd/dns/rrtype.c common/status.c

UNITS += dns_hmac dns_tsig dns_tsig_query
TSIG_NEEDS := tests/unit/dns/tsig_ends.c secd/dns/hmac.c secd/dns/name.c secd/dns/rdata.c \
              secd/dns/rr.c secd/dns/rrtype.c secd/dns/tsig.c secd/dns/tsig_query.c \
              secd/dns/tsig_rr.c
UNIT_dns_hmac := tests/unit/dns/test_hmac.c secd/dns/hmac.c
UNIT_dns_tsig := tests/unit/dns/test_tsig.c $(TSIG_NEEDS)
UNIT_dns_tsig_query := tests/unit/dns/test_tsig_query.c $(TSIG_NEEDS)

UNITS += addr huge passed privileges siphash slab supervisor threads refresh_clock refresh_queue
UNIT_addr := tests/unit/common/test_addr.c common/addr.c
UNIT_huge := tests/unit/common/test_huge.c common/huge.c
UNIT_slab := tests/unit/common/test_slab.c common/slab.c common/huge.c
UNIT_passed := tests/unit/common/test_passed.c common/passed.c
UNIT_privileges := tests/unit/common/test_privileges.c common/privileges.c
UNIT_siphash := tests/unit/common/test_siphash.c common/siphash.c
UNITS += journal log
UNIT_journal := tests/unit/common/test_journal.c common/journal.c
UNIT_log := tests/unit/common/test_log.c $(LOG)
UNIT_supervisor := tests/unit/common/test_supervisor.c common/supervisor.c
UNIT_threads := tests/unit/common/test_threads.c common/epoch.c common/mailbox.c common/pool.c
UNIT_refresh_clock := tests/unit/refresh/test_clock.c secd/refresh/clock.c
UNITS += xfr_link
UNIT_xfr_link := tests/unit/xfr/test_link.c tests/unit/xfr/support/server.c secd/xfr/conn.c \
                 secd/xfr/link.c common/addr.c common/clock.c common/random.c tests/unit/support/wall.c
UNITS += refresh_breaker refresh_round refresh_way
UNIT_refresh_way := tests/unit/refresh/test_way.c secd/refresh/breaker.c secd/refresh/queue.c \
                    secd/refresh/way.c secd/xfr/conn.c secd/xfr/link.c common/addr.c \
                    common/clock.c common/random.c
UNIT_refresh_breaker := tests/unit/refresh/test_breaker.c secd/refresh/breaker.c
UNIT_refresh_round := tests/unit/refresh/test_round.c secd/refresh/round.c
UNITS += refresh_counts refresh_events refresh_strangers
UNIT_refresh_counts := tests/unit/refresh/test_counts.c secd/refresh/counts.c
UNIT_refresh_events := tests/unit/refresh/test_events.c secd/refresh/events.c secd/dns/name.c \
                       common/addr.c
UNIT_refresh_strangers := tests/unit/refresh/test_strangers.c secd/refresh/strangers.c common/addr.c
UNIT_refresh_queue := tests/unit/refresh/test_queue.c secd/refresh/queue.c

UNITS += zone_build zone_chain zone_check zone_delta zone_expiry zone_faults zone_flood zone_hold zone_log zone_lookup zone_set
UNIT_zone_delta = tests/unit/zone/test_delta.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_expiry = tests/unit/zone/test_expiry.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_faults = tests/unit/zone/test_faults.c common/status.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
LINK_zone_faults := $(foreach f,malloc calloc realloc reallocarray mmap mprotect,-Wl,--wrap=$(f))
UNIT_zone_flood = tests/unit/zone/test_flood.c tests/unit/zone/flat_hash.c \
                  $(filter-out tests/unit/zone/% secd/dns/cookie.c common/siphash.c,$(UNIT_zone_build))
UNIT_zone_build := tests/unit/zone/test_build.c tests/unit/support/zones.c $(ZONE) $(DNS) \
                   common/epoch.c common/huge.c common/slab.c common/random.c common/siphash.c
UNIT_zone_chain := tests/unit/zone/test_chain.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_check = tests/unit/zone/test_check.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_hold := tests/unit/zone/test_hold.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_log := tests/unit/zone/test_log.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_lookup := tests/unit/zone/test_lookup.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNITS += zone_advice
UNIT_zone_advice := tests/unit/zone/test_advice.c common/addr.c common/status.c \
                    $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNITS += zone_gates zone_zonemd
UNIT_zone_gates := tests/unit/zone/test_gates.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNITS += zone_pack zone_unpack
PACK_NEEDS := tests/unit/support/packs.c common/status.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_pack := tests/unit/zone/test_pack.c $(PACK_NEEDS)
UNIT_zone_unpack := tests/unit/zone/test_unpack.c $(PACK_NEEDS)
UNIT_zone_zonemd := tests/unit/zone/test_zonemd.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_zone_set := tests/unit/zone/test_set.c $(filter-out tests/unit/zone/%,$(UNIT_zone_build))

# state/ is tested on a disk in memory.
STATE_DISK := tests/unit/state/disk_double.c
UNITS += state_clocks state_file state_index state_past state_record
UNIT_state_past := tests/unit/state/test_past.c secd/state/past.c
UNIT_state_index := tests/unit/state/test_index.c secd/state/index.c secd/state/table.c secd/state/past.c secd/dns/name.c common/huge.c common/random.c \
                    common/siphash.c
UNIT_state_clocks := tests/unit/state/test_clocks.c secd/state/clocks.c
UNIT_state_file := tests/unit/state/test_file.c $(STATE_DISK) secd/state/file.c secd/state/record.c common/huge.c
UNITS += state
STATE_NEEDS := tests/unit/state/keeper.c $(STATE_DISK) $(filter-out %/disk.c,$(STATE)) \
               secd/dns/name.c common/clock.c common/huge.c common/mailbox.c common/random.c common/siphash.c
UNITS += state_cuts
UNIT_state_cuts := tests/unit/state/test_cuts.c tests/unit/state/history.c $(STATE_NEEDS)
UNITS += state_compact state_damage
UNIT_state_damage := tests/unit/state/test_damage.c $(STATE_NEEDS)
UNIT_state_compact := tests/unit/state/test_compact.c $(STATE_NEEDS)
UNIT_state := tests/unit/state/test_state.c $(STATE_NEEDS)
LINK_state := -Wl,--wrap=reallocarray
UNIT_state_record := tests/unit/state/test_record.c secd/state/record.c

UNITS += answer answer_edns answer_signed compose denial validated
UNIT_answer := tests/unit/answer/test_answer.c $(ANSWER) common/addr.c \
               $(filter-out tests/unit/zone/%,$(UNIT_zone_build))
UNIT_validated := tests/unit/answer/test_validated.c $(filter-out tests/unit/answer/%,$(UNIT_answer))
UNIT_answer_edns := tests/unit/answer/test_edns.c $(filter-out tests/unit/answer/%,$(UNIT_answer))
UNIT_answer_signed := tests/unit/answer/test_signed.c $(filter-out tests/unit/answer/%,$(UNIT_answer))
UNIT_compose := tests/unit/answer/test_compose.c $(filter-out tests/unit/answer/%,$(UNIT_answer))
UNIT_denial := tests/unit/answer/test_denial.c $(filter-out tests/unit/answer/%,$(UNIT_answer))

# net/ is tested with an echo in the place of answer/: it knows no DNS.
NET_NEEDS := tests/unit/net/lab.c tests/unit/net/echo.c $(NET) common/addr.c common/clock.c \
             common/epoch.c $(LOG) common/mailbox.c common/passed.c common/random.c \
             common/siphash.c common/status.c
UNITS += net net_adopt net_clients net_tcp net_udp
UNIT_net := tests/unit/net/test_net.c $(NET_NEEDS)
UNIT_net_adopt := tests/unit/net/test_adopt.c $(NET_NEEDS)
UNIT_net_clients := tests/unit/net/test_clients.c secd/net/clients.c common/addr.c \
                    common/random.c common/siphash.c
UNIT_net_tcp := tests/unit/net/test_tcp.c tests/unit/support/wall.c $(NET_NEEDS)
UNIT_net_udp := tests/unit/net/test_udp.c $(NET_NEEDS)

UNITS += ctl_health ctl_metrics ctl_report ctl_request ctl_screen ctl_sock
UNIT_ctl_metrics := tests/unit/ctl/test_metrics.c secd/ctl/metrics.c secd/refresh/counts.c secd/refresh/words.c \
                    secd/answer/types.c secd/dns/name.c secd/dns/rrtype.c common/addr.c
UNIT_ctl_screen := tests/unit/ctl/test_screen.c secd/ctl/screen.c
UNIT_ctl_health := tests/unit/ctl/test_health.c secd/ctl/health.c secd/ctl/request.c
UNIT_ctl_report := tests/unit/ctl/test_report.c $(REPORT)
UNIT_ctl_request := tests/unit/ctl/test_request.c secd/ctl/request.c secd/ctl/table.c
UNIT_ctl_sock := tests/unit/ctl/test_sock.c secd/ctl/sock.c
LINK_ctl_sock := -Wl,--wrap=lstat
UNITS += ctl_live_words
UNIT_ctl_live_words := tests/unit/ctl/test_live_words.c secd/ctl/live_words.c secd/xfr/why.c $(DNS) \
                       common/addr.c common/siphash.c
UNITS += ctl_skew_judge
UNIT_ctl_skew_judge := tests/unit/ctl/test_skew_judge.c secd/ctl/skew_judge.c
UNITS += ctl_dump
UNIT_ctl_dump = tests/unit/ctl/test_dump.c secd/ctl/dump.c secd/ctl/print.c common/clock.c $(LOG) \
                common/mailbox.c common/status.c $(REPORT) $(filter-out tests/unit/zone/%,$(UNIT_zone_build))

UNITS += state_reader
UNIT_state_reader := tests/unit/state/test_reader.c $(STATE) secd/dns/name.c common/addr.c \
                     common/clock.c common/huge.c common/mailbox.c common/random.c common/siphash.c

# --- fuzzers (VARIANT=fuzz): tests/fuzz/fuzz_NAME.c, seeds in tests/fuzz/corpus/NAME ----------

FUZZERS := query conf
FUZZ_conf := tests/fuzz/fuzz_conf.c $(CONF_NEEDS) common/status.c
FUZZ_query := tests/fuzz/fuzz_query.c $(ANSWER) $(ZONE) $(DNS) common/addr.c common/epoch.c common/huge.c common/slab.c \
              common/random.c common/siphash.c common/status.c

FUZZERS += tsig
FUZZ_tsig := tests/fuzz/fuzz_tsig.c secd/dns/hmac.c secd/dns/name.c secd/dns/rdata.c secd/dns/rr.c \
             secd/dns/rrtype.c secd/dns/tsig.c secd/dns/tsig_query.c secd/dns/tsig_rr.c

FUZZERS += axfr ixfr poll
FUZZ_axfr := tests/fuzz/fuzz_axfr.c secd/xfr/axfr.c secd/xfr/stream.c secd/xfr/why.c $(ZONE) $(DNS) \
             common/epoch.c common/huge.c common/slab.c common/random.c common/siphash.c common/status.c
FUZZ_ixfr := tests/fuzz/fuzz_ixfr.c common/clock.c common/mailbox.c secd/xfr/ixfr.c secd/xfr/keep.c \
             secd/xfr/refusal.c secd/xfr/work.c $(STATE) \
             $(filter-out tests/fuzz/%,$(FUZZ_axfr))
FUZZERS += pack
FUZZ_pack := tests/fuzz/fuzz_pack.c $(ZONE) $(DNS) common/epoch.c common/huge.c common/slab.c common/random.c \
             common/siphash.c common/status.c
FUZZERS += state
FUZZ_state := tests/fuzz/fuzz_state.c $(STATE_DISK) $(filter-out %/disk.c,$(STATE)) secd/dns/name.c \
              common/clock.c common/huge.c common/mailbox.c common/random.c common/siphash.c
FUZZ_poll := tests/fuzz/fuzz_poll.c secd/xfr/soa_answer.c $(DNS) common/siphash.c

# --- rules -------------------------------------------------------------------------------------

obj = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

all: $(OUT)/secd $(OUT)/secdctl

$(OUT)/secd: $(call obj,$(SECD))
	$(LINK) -o $@ $^ $(LIBS)

$(OUT)/secdctl: $(call obj,$(SECDCTL))
	$(LINK) -o $@ $^ -linih -lldns

$(OUT)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define unit_rule
$(OUT)/unit/$(1): $$(call obj,$$(UNIT_$(1)))
	@mkdir -p $$(@D)
	$$(LINK) $$(LINK_$(1)) -o $$@ $$^ -lcriterion $$(LIBS)
endef
$(foreach u,$(UNITS),$(eval $(call unit_rule,$(u))))

ifeq ($(VARIANT),tsan)
# The settings are read before there are threads; the tests of the log, of a delta and of a look at a version
# have one thread; and the cuts of state_cuts take minutes there, while state and state_compact have the same.
UNITS := $(filter-out conf_% dns_zonefile journal log state_clocks state_cuts state_file state_index state_reader state_record zone_advice zone_delta zone_expiry zone_faults zone_flood zone_gates zone_lookup \
                      zone_pack zone_unpack zone_zonemd,$(UNITS))
endif
UNIT_BINS := $(UNITS:%=$(OUT)/unit/%)
units: $(UNIT_BINS)

define fuzz_rule
$(OUT)/fuzz/$(1): $$(call obj,$$(FUZZ_$(1)))
	@mkdir -p $$(@D)
	$$(LINK) -fsanitize=fuzzer -o $$@ $$^ $$(LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))

fuzzers: $(FUZZERS:%=$(OUT)/fuzz/%)

# TOOLS: helpers of the end-to-end tests.
# tests/tools/nodisk.c and tests/tools/reboot.c are preloaded.
TOOLS := $(addprefix $(OUT)/tools/,askall nodisk.so reboot.so)
tools: $(TOOLS)

$(OUT)/tools/askall: $(call obj,tests/tools/askall.c tests/tools/norm.c)
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ -lldns

# Without a sanitizer: it comes before the daemon's own.
$(OUT)/tools/%.so: tests/tools/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(SANE) $(WARN) $(CFLAGS) -shared -fPIC -o $@ $< -ldl

# BENCH: what scripts/bench runs beside the servers.
BENCH := $(addprefix $(OUT)/bench/,reflector load primary inproc)
BENCH_reflector := tests/bench/reflector.c common/addr.c
BENCH_load := tests/bench/load.c tests/bench/closed.c tests/bench/paced.c tests/bench/queries.c \
              common/addr.c
BENCH_primary := tests/bench/primary.c tests/bench/primary_io.c tests/bench/primary_zones.c \
                 tests/bench/pack.c secd/dns/name.c common/addr.c
BENCH_inproc := tests/bench/inproc.c tests/bench/pack.c tests/bench/queries.c secd/xfr/axfr.c \
                secd/xfr/stream.c secd/xfr/why.c $(ANSWER) $(ZONE) $(DNS) $(COMMON)

define bench_rule
$(OUT)/bench/$(1): $$(call obj,$$(BENCH_$(1)))
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ $$(LIBS)
endef
$(foreach b,$(notdir $(BENCH)),$(eval $(call bench_rule,$(b))))

bench-tools: $(BENCH)

# --- checks ------------------------------------------------------------------------------------
# Each ends with a line "N passed, N failed"; scripts/test runs them all and adds up.
# E2E names scenarios and options of tests/e2e/run.py; UNITS_ONLY names unit tests.

# Where threads meet: what runs end to end under ThreadSanitizer.
TSAN_E2E := early_close expire_servfail_and_heal first_transfer ixfr_shapes many_zones \
            notify_burst notify_storm notify_update pin_old_version restart secdctl_dump_holds secdctl_verbs signals \
            silent_primary reload_under_load slow_reader swap_under_load tcp_limits two_workers

check: $(or $(UNITS_ONLY:%=$(OUT)/unit/%),units)
	UNITS="$(or $(UNITS_ONLY),$(UNITS))" scripts/units $(OUT)

e2e: all tools
	SECD=$(OUT)/secd $(if $(filter tsan,$(VARIANT)),scripts/without-aslr) \
		/usr/bin/python3 tests/e2e/run.py $(E2E)

asan:
	$(MAKE) VARIANT=asan check
	$(MAKE) VARIANT=asan e2e

tsan:
	$(MAKE) VARIANT=tsan check
	$(MAKE) VARIANT=tsan e2e E2E="$(or $(E2E),$(TSAN_E2E))"

tsan-scenarios:
	@echo $(TSAN_E2E)

lint:
	scripts/lint

fuzz:
	$(MAKE) VARIANT=fuzz fuzzers
	scripts/fuzz build/fuzz

# The numbers that a quick run only takes samples of: hours.
soak:
	scripts/test --soak

# secd beside its peers: BENCH_ARGS are options and measures of scripts/bench. bench-check runs
# every piece of it once on tiny zones: do they work, does their output parse?
bench: all bench-tools
	scripts/bench --secd $(OUT)/secd --tools $(OUT)/bench $(BENCH_ARGS)

bench-check: all bench-tools
	scripts/bench --secd $(OUT)/secd --tools $(OUT)/bench --smoke

install: all
	install -D -m 755 $(OUT)/secd $(DESTDIR)$(PREFIX)/sbin/secd
	install -D -m 755 $(OUT)/secdctl $(DESTDIR)$(PREFIX)/sbin/secdctl
	install -D -m 755 scripts/secd-anycast $(DESTDIR)$(PREFIX)/sbin/secd-anycast
	install -D -m 755 scripts/secd-import-conf $(DESTDIR)$(PREFIX)/sbin/secd-import-conf
	install -d $(DESTDIR)$(PREFIX)/lib/secd/import_conf
	install -m 644 scripts/import_conf/*.py $(DESTDIR)$(PREFIX)/lib/secd/import_conf
	install -D -m 755 scripts/check_secd $(DESTDIR)$(PREFIX)/lib/nagios/plugins/check_secd
	install -D -m 644 scripts/check_secd.8 $(DESTDIR)$(PREFIX)/share/man/man8/check_secd.8
	install -D -m 644 scripts/secd-anycast.8 $(DESTDIR)$(PREFIX)/share/man/man8/secd-anycast.8
	install -D -m 644 scripts/secd-import-conf.8 $(DESTDIR)$(PREFIX)/share/man/man8/secd-import-conf.8
	install -D -m 644 secd/secd.8 $(DESTDIR)$(PREFIX)/share/man/man8/secd.8
	install -D -m 644 secd/ctl/secdctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/secdctl.8
	install -D -m 644 secd/secd.ini.5 $(DESTDIR)$(PREFIX)/share/man/man5/secd.ini.5
	install -D -m 644 etc/secd.ini $(DESTDIR)$(PREFIX)/share/doc/secd/examples/secd.ini
	install -D -m 644 etc/alerts-secd.yml $(DESTDIR)$(PREFIX)/share/doc/secd/examples/alerts-secd.yml
	install -D -m 644 etc/grafana-secd.json $(DESTDIR)$(PREFIX)/share/doc/secd/examples/grafana-secd.json
	install -D -m 644 etc/secdctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/secdctl
	sed 's#@PREFIX@#$(PREFIX)#' etc/secd.service >$(OUT)/secd.service
	install -D -m 644 $(OUT)/secd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/secd.service
	sed 's#@PREFIX@#$(PREFIX)#' etc/secd-anycast.service >$(OUT)/secd-anycast.service
	install -D -m 644 $(OUT)/secd-anycast.service $(DESTDIR)$(PREFIX)/lib/systemd/system/secd-anycast.service
	install -D -m 644 etc/secd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/secd.socket
	install -D -m 644 etc/secd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/secd.conf
	install -D -m 644 etc/secd.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/secd.conf

clean:
	rm -rf build

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)

.PHONY: all units tools fuzzers check e2e asan tsan tsan-scenarios lint fuzz soak install clean
.PHONY: bench-tools bench bench-check
.DELETE_ON_ERROR:
