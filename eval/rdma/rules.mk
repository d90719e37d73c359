# Transports between two nodes, side by side, in the machines of tests/rdma (which includes this).
RDMA_PRODUCTS := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so)
RDMA_ROOFLINE := eval/rdma/roofline.sh
RDMA_BENCH_NEEDS := $(RDMA)/node.cpio $(BUILD)/xen/vmlinuz $(RDMA_PRODUCTS) tests/xen/image/payload.sh $(RDMA_ROOFLINE)
# $(1) folder of tests, beside this, $(2) programs, $(3) options of the runner
define bench_rdma
	@tests/xen/image/payload.sh $(B)/rdma-payload/$(1) eval/rdma/$(1) $(RDMA_PRODUCTS) $(2) -- $(RDMA_ROOFLINE)
	@echo '$(BENCH_OPTIONS)' >$(B)/rdma-payload/$(1)/options
	@$(RUN_RDMA) $(3) --payload $(B)/rdma-payload/$(1)
endef

RDMA_BENCHED := $(addprefix $(B)/eval/workloads/,socket_exchange wakeup)
.PHONY: bench-rdma
bench-rdma: $(RDMA_BENCH_NEEDS) $(RDMA_BENCHED) $(wildcard eval/rdma/transports/*)  ## Xylem, TCP, rsocket and the device alone side by side between two nodes (BENCH_OPTIONS="rounds=5")
	$(call bench_rdma,transports,$(RDMA_BENCHED))
	@$(PYTHON) eval/rdma/figures.py $(RDMA)/run

.PHONY: bench-rdma-apps
bench-rdma-apps: $(RDMA_BENCH_NEEDS) $(RDMA_APP_PROGRAMS) $(wildcard eval/rdma/applications/*)  ## Unmodified applications between two nodes, over Xylem and over TCP, beside the device alone (BENCH_OPTIONS="rounds=5")
	$(call bench_rdma,applications,$(filter-out $(RDMA_PRODUCTS),$(RDMA_APP_PROGRAMS)))
	@$(PYTHON) eval/rdma/applications.py $(RDMA)/run

RDMA_SCALED := $(B)/eval/workloads/connections
.PHONY: bench-rdma-connections
bench-rdma-connections: $(RDMA_BENCH_NEEDS) $(RDMA_SCALED) $(wildcard eval/rdma/scaling/*)  ## 1 to 4,096 busy connections between two nodes, over Xylem and over TCP: a table and a picture (BENCH_OPTIONS="rounds=5 load_seconds=20")
	$(call bench_rdma,scaling,$(RDMA_SCALED),--memory 3072)
	@$(PYTHON) eval/rdma/scaling.py $(RDMA)/run $(RDMA)/connections.png
