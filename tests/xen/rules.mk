# The Xen testbed (README.md beside this): images under build/xen, made when what they are made of changes.
XEN := $(BUILD)/xen
XEN_IMAGE := tests/xen/image

$(XEN)/fetched: $(XEN_IMAGE)/packages.sh
	@mkdir -p $(@D)
	$(Q)nice $< $(@D)
	@touch $@

$(XEN)/guest.cpio: $(XEN)/fetched $(XEN_IMAGE)/guest.sh $(XEN_IMAGE)/tree.sh $(wildcard tests/xen/guest/*) /bin/busybox
	$(call say,IMAGE,$@)
	$(Q)$(XEN_IMAGE)/guest.sh $(@D) $@

$(XEN)/dom0.cpio: $(XEN)/fetched $(XEN_IMAGE)/dom0.sh $(XEN_IMAGE)/tree.sh $(wildcard tests/xen/dom0/* control/dom0/*) /bin/busybox \
                  $(wildcard /usr/lib/xen-4.17/bin/xl)
	$(call say,IMAGE,$@)
	$(Q)$(XEN_IMAGE)/dom0.sh $(@D) $@

# Programs that run in the guests. Static, so that a guest needs no libraries of this machine; sanitizers are not.
XEN_LIBS := -lxengnttab -lxenevtchn -lxenstore -lxentoolcore -lxentoollog
XEN_SMOKE_SOURCES := $(wildcard tests/xen/smoke/*.cpp)
$(call compile,xen-smoke,$(XEN_SMOKE_SOURCES),$(HOSTED_FLAGS))
XEN_SMOKE_COMMON := $(B)/obj/xen-smoke/tests/xen/smoke/two_guests.o
XEN_SMOKE_TESTS := $(patsubst tests/xen/smoke/%_smoke.cpp,$(B)/xen-payload/smoke/tests/%,\
                     $(filter %_smoke.cpp,$(XEN_SMOKE_SOURCES)))

$(XEN_SMOKE_TESTS): $(B)/xen-payload/smoke/tests/%: $(B)/obj/xen-smoke/tests/xen/smoke/%_smoke.o $(XEN_SMOKE_COMMON)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(LINK_FLAGS) -static -s -o $@ $^ $(XEN_LIBS)

# What a hostile guest runs in the place of its agent.
XEN_HOSTILE := $(call program,tests/xen/hostile_agent,$(wildcard tests/xen/hostile/*.cpp),agent $(CONTROL_ARCHIVES),$(DAEMON_LIBS))

# The meeting of the socket suite's sides, past Xylem.
XEN_RELAY := $(B)/tests/xen/meeting/meeting_relay
DEPENDENCIES += $(XEN_RELAY).d
$(XEN_RELAY): tests/xen/meeting/meeting_relay.cpp tests/xen/rules.mk
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++20 $(PROGRAM_FLAGS) -MMD -MP -MF $@.d -o $@ $< -static -lxenvchan $(XEN_LIBS)

# What lends the other guest its pages.
XEN_LENDER := $(call program,tests/xen/page_lender,$(wildcard tests/xen/lending/*.cpp),vsock-transport)

# Suites that every backend must pass, in guests.
XEN_SUITES := $(wildcard tests/xen/suites/*)
XEN_SUITE_PROGRAMS := $(B)/tests/xylem-tests $(XEN_RELAY) $(XEN_LENDER)
SOCKET_SUITE := $(addprefix $(B)/,$(basename $(wildcard tests/conformance/socket_suite/*.cpp)))
TWO_MACHINES := tests/conformance/two_machines.sh

# Unmodified programs in two guests, over rings of granted pages, with what they need.
XEN_PAIRS := $(wildcard tests/xen/pairs/*)
XEN_PAIR_PROGRAMS := $(addprefix $(B)/,xylem xylemd libxylem.so $(addprefix tests/programs/,transfer many_transfers \
                       idle_connections round_trips event_channels scribbler)) $(XEN_HOSTILE) /usr/bin/socat /usr/bin/setpriv

XEN_IMAGES := $(XEN)/xen $(XEN)/vmlinuz $(XEN)/guest.cpio $(XEN)/dom0.cpio
$(XEN)/xen $(XEN)/vmlinuz: $(XEN)/fetched ;
RUN_XEN = $(PYTHON) tests/xen/run_machine.py --images $(abspath $(XEN))
KIND ?= pv
KINDS ?= pv pvh
XEN_TESTS ?= *

ifneq ($(and $(filter check-xen% xen-shell bench-xen,$(MAKECMDGOALS)),$(filter-out release debug,$(VARIANT))),)
$(error VARIANT=$(VARIANT): the programs of Xen guests are static, which sanitizers cannot be; use release or debug)
endif

# What check-xen needs, and $(1): how its payload is made.
CHECK_XEN_NEEDS := $(XEN_IMAGES) $(XEN_SMOKE_TESTS) $(XEN_PAIR_PROGRAMS) $(XEN_SUITE_PROGRAMS) $(SOCKET_SUITE) \
                   $(XEN_IMAGE)/payload.sh $(XEN_PAIRS) $(XEN_SUITES) $(TWO_MACHINES)
define make_xen_payload
	@$(PYTHON) tests/xen/machine_test.py --quiet
	@$(XEN_IMAGE)/payload.sh $(1) tests/xen/pairs $(XEN_PAIR_PROGRAMS) $(XEN_SUITE_PROGRAMS) -- $(TWO_MACHINES)
	@install $(XEN_SMOKE_TESTS) $(XEN_SUITES) $(1)/tests/
	@install -s -D -t $(1)/bin/socket_suite $(SOCKET_SUITE)
endef

# Some of all that in one machine, for every change.
XEN_QUICK_TESTS := domain event grant transfer agent_loss forking_server named_guests socket_suite
XEN_QUICK_CASES := accept/several_callers connect/both_ends data/peeking end/half_close epoll/level_triggered process

# A suite that takes long is played in parts: the emulator loses PVH guests, and what was lost is played again.
XEN_PARTS := 16

.PHONY: check-xen check-xen-quick check-xen-full xen-shell
check-xen: $(CHECK_XEN_NEEDS)  ## Boot Xen in an emulator, run tests and suites between two guests, an hour a kind (KINDS="pv pvh mixed")
	$(call make_xen_payload,$(B)/xen-payload/pairs)
	@set -e; cd $(B)/xen-payload/pairs/tests; for suite in socket_suite xen_backend; do \
	    for part in $$(seq $(XEN_PARTS)); do cp $$suite $${suite}_$${part}_of_$(XEN_PARTS); done; rm $$suite; done
	@$(RUN_XEN) --guest-memory 512 --payload $(B)/xen-payload/pairs --tests '$(XEN_TESTS)' $(KINDS)

check-xen-quick: $(CHECK_XEN_NEEDS)  ## Some of check-xen's tests, in PV guests, a few minutes
	$(call make_xen_payload,$(B)/xen-payload/quick)
	@echo 'selection="$(XEN_QUICK_CASES)"' >$(B)/xen-payload/quick/options
	@$(RUN_XEN) --guest-memory 512 --payload $(B)/xen-payload/quick --tests '$(XEN_QUICK_TESTS)' pv

# All there is, one machine after the other; each part ends with its own sum. Some of it needs an hour of a quiet machine.
check-xen-full:  ## Everything that runs in Xen guests: check-xen in three kinds of machines, applications, a hostile guest under ASan
	@$(MAKE) --no-print-directory check-xen KINDS="pv pvh mixed"
	@for kind in pv pvh; do $(MAKE) --no-print-directory check-xen-apps KIND=$$kind || exit 1; done
	@$(MAKE) --no-print-directory check-xen-hostile
	@$(MAKE) --no-print-directory check-xen-programs

xen-shell: $(XEN_IMAGES) $(XEN_SMOKE_TESTS)  ## The same machine with a shell in dom0 and in both guests (KIND=pv|pvh|mixed)
	@$(RUN_XEN) --payload $(B)/xen-payload/smoke --shell $(KIND)

# What hostile guests do, against an agent and a library with AddressSanitizer.
XEN_ASAN := $(B)/xen-payload/hostile-asan
XEN_ASAN_PROGRAMS := $(filter-out %/xylemd %/libxylem.so,$(XEN_PAIR_PROGRAMS)) $(BUILD)/asan/xylemd $(BUILD)/asan/libxylem.so

.PHONY: check-xen-hostile
check-xen-hostile: $(XEN_IMAGES) $(XEN_PAIR_PROGRAMS) $(XEN_IMAGE)/payload.sh $(XEN_PAIRS)  ## Hostile guests against an agent and a library with AddressSanitizer
	@$(MAKE) --no-print-directory VARIANT=asan $(BUILD)/asan/xylemd $(BUILD)/asan/libxylem.so
	@$(XEN_IMAGE)/payload.sh $(XEN_ASAN) tests/xen/pairs $(XEN_ASAN_PROGRAMS)
	@mv $(XEN_ASAN)/bin/xylem $(XEN_ASAN)/bin/xylem-plain
	@install tests/xen/hostile/xylem_with_asan.sh $(XEN_ASAN)/bin/xylem
	@$(RUN_XEN) --memory 4096 --guest-memory 1024 --tests 'hostile_*' --payload $(XEN_ASAN) pv

# What was built here, with its libraries, in PV guests. More than the testbed needs to prove itself, so not in check-xen.
XEN_PROGRAMS := $(addprefix $(B)/,xylem xylemd libxylem.so tests/xylem-tests tests/programs/transfer)
XEN_PROGRAM_TESTS := $(wildcard tests/xen/programs/*)

.PHONY: check-xen-programs
check-xen-programs: $(XEN_IMAGES) $(XEN_PROGRAMS) $(XEN_IMAGE)/payload.sh $(XEN_PROGRAM_TESTS)  ## What was built here, inside Xen guests
	@$(XEN_IMAGE)/payload.sh $(B)/xen-payload/programs tests/xen/programs $(XEN_PROGRAMS)
	@$(RUN_XEN) --payload $(B)/xen-payload/programs $(KIND)

# Applications as Debian has them, between two guests over Xylem; CPython's tests, and what compares their runs, inside one.
XEN_APPS := $(wildcard tests/xen/apps/*)
XEN_APP_PROGRAMS := $(addprefix $(B)/,xylem xylemd libxylem.so) $(addprefix /usr/bin/,iperf3 NPtcp redis-server \
                      redis-benchmark redis-cli curl socat python3.11) /usr/sbin/nginx /bin/bash
XEN_PYTHON := /usr/lib/python3.11
XEN_APP_FILES := $(filter-out $(addprefix $(XEN_PYTHON)/,__pycache__ test config-% dist-packages distutils ensurepip idlelib \
                   lib2to3 pydoc_data tkinter turtle.py venv),$(wildcard $(XEN_PYTHON)/*)) \
                 $(addprefix $(XEN_PYTHON)/test/,__init__.py support test_socket.py) tests/apps/harness tests/guest-lib/harness \
                 control/protocol/message_header.h

.PHONY: check-xen-apps
check-xen-apps: $(XEN_IMAGES) $(XEN_APP_PROGRAMS) $(XEN_IMAGE)/payload.sh $(XEN_APPS)  ## Unmodified applications between two Xen guests (KIND=pv|pvh)
	@$(XEN_IMAGE)/payload.sh $(B)/xen-payload/apps tests/xen/apps $(XEN_APP_PROGRAMS) -- $(XEN_APP_FILES)
	@$(RUN_XEN) --guest-memory 512 --seconds 3600 --test-seconds 1800 --payload $(B)/xen-payload/apps $(KIND)

include eval/xen/rules.mk
