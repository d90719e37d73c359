# Unit tests (one gtest binary), stress programs, programs to preload into, benchmarks. Folders may be empty.
# Suites, and what `make check` runs in which variant: tests/suites.ini.
ifeq ($(VARIANT)$(WHOLE),tsan)
# What shares memory with others: rings, streams, doorbells. `make tsan WHOLE=1` takes in everything, as asan does; it
# takes three times as long.
TEST_FOLDERS := vsock-transport hosts-map conformance
TEST_ARCHIVES := test-support $(CONTROL_ARCHIVES)
else
TEST_FOLDERS := vsock-transport hosts-map control guest-lib container-shim rdma-bridge conformance
TEST_ARCHIVES := test-support agent cli rdma-bridge guest-lib $(CONTROL_ARCHIVES)
endif

$(call library,test-support,$(call rwildcard,tests/support,%.cpp),$(HOSTED_FLAGS))

ifneq ($(VARIANT),fuzz)
UNIT_SOURCES := $(foreach d,$(TEST_FOLDERS),$(call rwildcard,tests/$(d),%_test.cpp))
TESTS += $(call program,tests/xylem-tests,$(UNIT_SOURCES),$(TEST_ARCHIVES),-lgmock -lgtest_main -lgtest $(DAEMON_LIBS) $(BRIDGE_LIBS))

STRESS_SOURCES := $(wildcard tests/stress/*.cpp)
TESTS += $(foreach s,$(STRESS_SOURCES),$(call program,$(basename $(s)),$(s),$(TEST_ARCHIVES),$(DAEMON_LIBS)))

UNIT_AND_STRESS := $(TESTS)

BENCH_SOURCES := $(wildcard tests/bench/*.cpp)
BENCHES := $(foreach s,$(BENCH_SOURCES),$(call program,$(basename $(s)),$(s),$(TEST_ARCHIVES),$(DAEMON_LIBS)))
TESTS += $(BENCHES)
endif

# Plain programs: no Xylem code, no sanitizer, as any program that somebody preloads the library into.
PROGRAM_FOLDERS := tests/programs tests/conformance/socket_suite
PROGRAM_SOURCES := $(wildcard $(addsuffix /*.c,$(PROGRAM_FOLDERS)) $(addsuffix /*.cpp,$(PROGRAM_FOLDERS)))
PROGRAMS := $(addprefix $(B)/,$(basename $(PROGRAM_SOURCES)))
PROGRAM_FLAGS := -O2 -g -Wall -Wextra -Werror -pthread -D_GNU_SOURCE -I.
TESTS += $(PROGRAMS) $(EVAL_WORKLOADS)
DEPENDENCIES += $(addsuffix .d,$(PROGRAMS))

$(addprefix $(B)/,$(basename $(filter %.c,$(PROGRAM_SOURCES)))): $(B)/%: %.c tests/rules.mk
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu11 $(PROGRAM_FLAGS) -MMD -MP -MF $@.d -o $@ $<

$(addprefix $(B)/,$(basename $(filter %.cpp,$(PROGRAM_SOURCES)))): $(B)/%: %.cpp tests/rules.mk
	$(call say,CXX,$<)
	$(Q)$(CXX) -std=c++20 $(PROGRAM_FLAGS) -MMD -MP -MF $@.d -o $@ $<

include $(wildcard tests/*/rules.mk)

# Clang 14's sanitizers do not start where the kernel randomizes more than 28 bits of an address.
RANDOM_BITS := $(shell cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
NO_RANDOMIZE := $(shell [ $(RANDOM_BITS) -gt 28 ] && setarch -R true 2>/dev/null && echo setarch -R)
RUN_SUITES = FUZZ_SECONDS=$(FUZZ_SECONDS) CXX='$(CXX)' $(NO_RANDOMIZE) $(PYTHON) tests/run_suites.py \
             --build $(abspath $(B)) --fuzz-build $(abspath $(BUILD)/fuzz) --variant $(VARIANT)
WANTS_FUZZ := $(and $(filter release,$(VARIANT)),$(if $(SUITE),$(filter fuzz,$(SUITE)),yes))

check: check-variant  ## Run all tests; SUITE="name ..." selects, see tests/suites.ini
# Sanitizer variants run unit and stress tests, asan also the products and programs with them; what only other suites
# need is not built for them.
CHECKED_tsan := $(UNIT_AND_STRESS)
CHECKED_ubsan := $(UNIT_AND_STRESS)
CHECKED_asan := $(UNIT_AND_STRESS) $(PRODUCTS) $(if $(or $(if $(SUITE),,all),$(filter conformance,$(SUITE))),$(PROGRAMS), \
                  $(filter-out $(B)/tests/conformance/%,$(PROGRAMS)))
check-variant: $(or $(CHECKED_$(VARIANT)),all) $(if $(WANTS_FUZZ),fuzz-binaries)
	@$(RUN_SUITES) $(SUITE)

# Every test of tests/apps in its long form, about half an hour; then a table of what was carried how.
APPS_TABLE := $(B)/tests/apps-table
check-apps: all  ## Run the application tests in full, and print a table of them
	@rm -f $(APPS_TABLE) $(APPS_TABLE).ratios
	@status=0; XYLEM_APPS=full XYLEM_APPS_SECONDS=400 XYLEM_APPS_TABLE=$(abspath $(APPS_TABLE)) $(RUN_SUITES) programs || status=1; \
	    $(PYTHON) tests/apps/harness/table.py $(APPS_TABLE); exit $$status

bench: $(BENCHES) $(PROGRAMS) $(B)/eval/workloads/socket_exchange products  ## Build and run the micro-benchmarks of tests/bench
	@for b in $(BENCHES) $(wildcard tests/bench/*.sh); do \
	    echo "== $$b"; XYLEM_BUILD=$(abspath $(B)) $$b || exit 1; done
