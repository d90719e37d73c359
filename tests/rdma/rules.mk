# Two machines with soft-RoCE devices (README.md beside this): the image under build/rdma, made when what it is made of changes.
RDMA := $(BUILD)/rdma
RDMA_PAIRS := $(wildcard tests/rdma/pairs/*)

$(RDMA)/node.cpio: $(BUILD)/xen/fetched tests/rdma/image/node.sh tests/xen/image/tree.sh $(wildcard tests/rdma/node/*) tests/xen/guest/run_guest tests/xen/guest/app /bin/busybox
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tests/rdma/image/node.sh $(BUILD)/xen/kernel $@

RDMA_PROGRAMS := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so $(addprefix tests/programs/,transfer many_transfers \
                   idle_connections round_trips refused connect_rate)) /usr/bin/socat /usr/bin/setpriv
RUN_RDMA = $(PYTHON) tests/rdma/run_nodes.py --images $(abspath $(BUILD)/xen) --image $(abspath $(RDMA)/node.cpio)
RDMA_TESTS ?= *

RDMA_SUITE := $(addprefix $(B)/,$(basename $(wildcard tests/conformance/socket_suite/*.cpp)))
RDMA_TWO_MACHINES := tests/conformance/two_machines.sh
RDMA_NEEDS := $(RDMA)/node.cpio $(BUILD)/xen/vmlinuz $(RDMA_PROGRAMS) $(RDMA_SUITE) tests/xen/image/payload.sh $(RDMA_PAIRS) \
              $(RDMA_TWO_MACHINES)
# $(1) payload, $(2) tests, $(3) options: assignments that tests source, $(4) options of the runner
define run_rdma
	@tests/xen/image/payload.sh $(1) tests/rdma/pairs $(RDMA_PROGRAMS) -- $(RDMA_TWO_MACHINES)
	@install -s -D -t $(1)/bin/socket_suite $(RDMA_SUITE)
	@echo '$(3)' >$(1)/options
	@$(RUN_RDMA) --payload $(1) --tests '$(2)' $(4)
endef

RDMA_QUICK_TESTS := faults kept_ends one_map orders socket_suite transfer
RDMA_QUICK_CASES := accept/several_callers connect/both_ends data/peeking end/half_close epoll/level_triggered process

.PHONY: check-rdma check-rdma-quick
check-rdma: $(RDMA_NEEDS)  ## Boot two machines with soft-RoCE devices in an emulator, run tests and the socket suite between them, a quarter of an hour
	$(call run_rdma,$(B)/rdma-payload/all,$(RDMA_TESTS),$(RDMA_OPTIONS))

check-rdma-quick: $(RDMA_NEEDS)  ## Some of check-rdma, two minutes
	$(call run_rdma,$(B)/rdma-payload/quick,$(RDMA_QUICK_TESTS),rounds=1 packets=1000 least_bytes=0 selection="$(RDMA_QUICK_CASES)",--seconds 900)

# Applications as Debian has them, with the tests that the Xen testbed has for them.
RDMA_APPS := iperf3 netpipe nginx redis
RDMA_APP_PROGRAMS := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so) $(addprefix /usr/bin/,iperf3 NPtcp redis-server \
                       redis-benchmark redis-cli curl) /usr/sbin/nginx

# Two Xen guests that are nodes, each with a soft device of its own.
RDMA_GUESTS := $(B)/rdma-payload/guests
RDMA_GUEST_PROGRAMS := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so tests/programs/transfer tests/rdma/register_pages) /usr/bin/rdma
DEPENDENCIES += $(B)/tests/rdma/register_pages.d

$(B)/tests/rdma/register_pages: tests/rdma/programs/register_pages.cpp tests/rdma/rules.mk
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++20 $(PROGRAM_FLAGS) -MMD -MP -MF $@.d -o $@ $< -libverbs -lxengnttab

.PHONY: check-rdma-guests
check-rdma-guests: $(addprefix $(BUILD)/xen/,xen vmlinuz guest.cpio dom0.cpio) $(RDMA_GUEST_PROGRAMS) tests/xen/image/payload.sh $(wildcard tests/rdma/guests/* tests/rdma/image/*)  ## A bridge in each of two Xen guests, and what a device may do with granted pages (KIND=pv|pvh)
	@tests/xen/image/payload.sh $(RDMA_GUESTS) tests/rdma/guests $(RDMA_GUEST_PROGRAMS)
	@tests/rdma/image/guest_payload.sh $(BUILD)/xen/kernel $(RDMA_GUESTS)
	@$(RUN_XEN) --network --guest-memory 512 --payload $(RDMA_GUESTS) $(KIND)

.PHONY: check-rdma-apps check-rdma-full
check-rdma-apps: $(RDMA)/node.cpio $(BUILD)/xen/vmlinuz $(RDMA_APP_PROGRAMS) tests/xen/image/payload.sh $(addprefix tests/xen/apps/,$(RDMA_APPS))  ## Unmodified applications between two nodes
	@tests/xen/image/payload.sh $(B)/rdma-payload/apps tests/xen/apps $(RDMA_APP_PROGRAMS)
	@$(RUN_RDMA) --test-seconds 1200 --payload $(B)/rdma-payload/apps --tests '$(RDMA_APPS)'

check-rdma-full:  ## Everything that runs between two nodes; each part ends with its own sum
	@$(MAKE) --no-print-directory check-rdma
	@$(MAKE) --no-print-directory check-rdma-guests
	@$(MAKE) --no-print-directory check-rdma-apps

include eval/rdma/rules.mk
