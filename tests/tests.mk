# How the tests are built and run; included by the Makefile.
# tests/run does the counting; its parts are targets here, as are lint, fuzz, bench.

export O VARIANT CC

.PHONY: deps demo check check-unit check-cli check-system check-nodes check-package check-fuzz check-asan
.PHONY: test-tools lint fuzz bench unit-programs fuzz-programs

# Installs what tests/deps.list names and the machine lacks, and a criu for its kernel:
# without one only the tests of suspended VEs are skipped.
deps:
	@tests/deps.sh
	@tests/criu.sh make >/dev/null || echo "deps: no criu: suspended VEs are not tested" >&2

check: deps
	@$(MAKE) -s all unit-programs test-tools
	@tests/run unit cli package tests/system/debian12-systemd_test.sh 'nodes&' lint \
		system fuzz asan

check-cli check-system check-package check-nodes: all
check-unit check-cli check-system check-package check-nodes check-asan: test-tools
	@tests/run $(@:check-%=%)

check-fuzz fuzz: $(O)/tests/reaper
	@tests/run fuzz

lint: $(O)/tests/reaper
	@tests/run lint

demo: deps
	@tests/demo.sh

# What dies at each step of a migration, each at its own moment, and all workloads that
# there are, predicted and moved: the long runs.
.PHONY: check-migrate
MIGRATE_RUNS ?= 120
check-migrate: all test-tools
	@MIGRATE_RUNS=$(MIGRATE_RUNS) CORPUS=all NODE_KINDS=pair NODE_TIMEOUT=7200 PAIR_CUTS=12 \
		PAIR_DEBIAN=yes TEST_TIMEOUT=7200 tests/run tests/system/migrate_faults_test.sh \
		tests/system/corpus_move_test.sh tests/system/corpus_services_test.sh nodes

# The power goes at each step of the commands that change what is on the disk.
.PHONY: check-powercut
POWERCUT_ROUNDS ?= $(shell seq 21)
check-powercut: all test-tools
	@NODE_KINDS=powercut NODE_TIMEOUT=7200 POWERCUT_ROUNDS="$(POWERCUT_ROUNDS)" tests/run nodes

# Fails when a bar was missed, or could not be measured.
bench: all test-tools
	@$(MAKE) -s bench-programs
	@tests/bench/bench.sh; a=$$?; tests/bench/net.sh; b=$$?; \
		tests/bench/acct.sh; c=$$?; tests/bench/storage.sh; d=$$?; \
		tests/bench/migrate.sh; e=$$?; exit $$((a + b + c + d + e > 0))

# Unit tests: each tests/unit/NAME_test.c is a program that speaks TAP.
# libcap is what they compare our own names and sets with.
UNIT := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/*_test.c))
unit-programs: $(UNIT)
$(UNIT): $(O)/%: $(O)/obj/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcap

# Goes into the nodes too, whatever their C library is.
STATIC_TOOLS := $(addprefix $(O)/tests/,reaper hostile rules spoof stream load keeper hot)
test-tools: $(STATIC_TOOLS) $(O)/tests/corpus/corpus
$(STATIC_TOOLS): $(O)/tests/%: tests/%.c
	@mkdir -p $(@D)
	$(CC) -static -O2 -D_GNU_SOURCE -std=gnu11 $(WARN) -o $@ $<

# Workloads for the oracle, one kind of thing each.
$(O)/tests/corpus/corpus: $(wildcard tests/corpus/*.c) tests/corpus/corpus.h
	@mkdir -p $(@D)
	$(CC) -static -O2 -D_GNU_SOURCE -std=gnu11 $(WARN) -pthread -o $@ $(filter %.c,$^)

# Fuzzers: each tests/fuzz/NAME_fuzz.c, with clang's libFuzzer and the library's sources.
FUZZ_O := build/fuzz
FUZZ_CC := clang -g -O1 -std=gnu11 -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined $(CPPFLAGS)
FUZZ := $(patsubst tests/fuzz/%.c,$(FUZZ_O)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_LIB := $(patsubst %.c,$(FUZZ_O)/%.o,$(LIB_SRC))
fuzz-programs: $(FUZZ)
$(FUZZ_O)/libvz.a: $(FUZZ_LIB)
	@rm -f $@
	$(AR) rcs $@ $^
$(FUZZ_O)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) -MMD -MP -c -o $@ $<
$(FUZZ): $(FUZZ_O)/%: tests/fuzz/%.c $(FUZZ_O)/libvz.a
	@mkdir -p $(@D)
	clang -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined $(CPPFLAGS) -o $@ $^ $(LIBS)

BENCH := $(patsubst %.c,$(O)/%,$(wildcard tests/bench/*.c))
.PHONY: bench-programs
bench-programs: $(BENCH)
$(BENCH): $(O)/%: $(O)/obj/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

-include $(shell find $(FUZZ_O) -name '*.d' 2>/dev/null)
