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

$(XEN)/dom0.cpio: $(XEN)/fetched $(XEN_IMAGE)/dom0.sh $(XEN_IMAGE)/tree.sh $(wildcard tests/xen/dom0/*) /bin/busybox \
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

# Unmodified programs in two guests, over rings of granted pages, with what they need.
XEN_PAIRS := $(wildcard tests/xen/pairs/*)
XEN_PAIR_PROGRAMS := $(addprefix $(B)/,xylem xylemd libxylem.so tests/programs/transfer tests/programs/many_transfers tests/programs/idle_connections tests/programs/round_trips tests/programs/event_channels) /usr/bin/socat

XEN_IMAGES := $(XEN)/xen $(XEN)/vmlinuz $(XEN)/guest.cpio $(XEN)/dom0.cpio
$(XEN)/xen $(XEN)/vmlinuz: $(XEN)/fetched ;
RUN_XEN = $(PYTHON) tests/xen/run_machine.py --images $(abspath $(XEN))
KIND ?= pv
KINDS ?= pv pvh

ifneq ($(and $(filter check-xen xen-shell bench-xen,$(MAKECMDGOALS)),$(filter-out release debug,$(VARIANT))),)
$(error VARIANT=$(VARIANT): the programs of Xen guests are static, which sanitizers cannot be; use release or debug)
endif

.PHONY: check-xen xen-shell
check-xen: $(XEN_IMAGES) $(XEN_SMOKE_TESTS) $(XEN_PAIR_PROGRAMS) $(XEN_IMAGE)/payload.sh $(XEN_PAIRS)  ## Boot Xen in an emulator, run tests between two guests (KINDS="pv pvh mixed")
	@$(PYTHON) tests/xen/machine_test.py --quiet
	@$(XEN_IMAGE)/payload.sh $(B)/xen-payload/pairs tests/xen/pairs $(XEN_PAIR_PROGRAMS)
	@cp $(XEN_SMOKE_TESTS) $(B)/xen-payload/pairs/tests/
	@$(RUN_XEN) --guest-memory 512 --payload $(B)/xen-payload/pairs $(KINDS)

xen-shell: $(XEN_IMAGES) $(XEN_SMOKE_TESTS)  ## The same machine with a shell in dom0 and in both guests (KIND=pv|pvh|mixed)
	@$(RUN_XEN) --payload $(B)/xen-payload/smoke --shell $(KIND)

# What was built here, with its libraries, in PV guests. More than the testbed needs to prove itself, so not in check-xen.
XEN_PROGRAMS := $(addprefix $(B)/,xylem xylemd libxylem.so tests/xylem-tests tests/programs/transfer)
XEN_PROGRAM_TESTS := $(wildcard tests/xen/programs/*)

.PHONY: check-xen-programs
check-xen-programs: $(XEN_IMAGES) $(XEN_PROGRAMS) $(XEN_IMAGE)/payload.sh $(XEN_PROGRAM_TESTS)  ## What was built here, inside Xen guests
	@$(XEN_IMAGE)/payload.sh $(B)/xen-payload/programs tests/xen/programs $(XEN_PROGRAMS)
	@$(RUN_XEN) --payload $(B)/xen-payload/programs $(KIND)

include eval/xen/rules.mk
