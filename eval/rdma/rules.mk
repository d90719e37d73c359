# Transports between two nodes, side by side, in the machines of tests/rdma (which includes this).
RDMA_TRANSPORTS := $(wildcard eval/rdma/transports/*)
RDMA_BENCHED := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so eval/workloads/socket_exchange)

.PHONY: bench-rdma
bench-rdma: $(RDMA)/node.cpio $(BUILD)/xen/vmlinuz $(RDMA_BENCHED) tests/xen/image/payload.sh $(RDMA_TRANSPORTS)  ## Xylem, TCP, rsocket and the device alone side by side between two nodes (BENCH_OPTIONS="rounds=5")
	@tests/xen/image/payload.sh $(B)/rdma-payload/transports eval/rdma/transports $(RDMA_BENCHED)
	@printf '%s\n' $(BENCH_OPTIONS) >$(B)/rdma-payload/transports/options
	@$(RUN_RDMA) --payload $(B)/rdma-payload/transports
	@$(PYTHON) eval/rdma/figures.py $(RDMA)/run

RDMA_SCALED := $(addprefix $(B)/,xylem xylemd xylem-rdma libxylem.so eval/workloads/connections)
.PHONY: bench-rdma-connections
bench-rdma-connections: $(RDMA)/node.cpio $(BUILD)/xen/vmlinuz $(RDMA_SCALED) tests/xen/image/payload.sh eval/rdma/scaling/connections  ## 1 to 4,096 busy connections between two nodes, over Xylem and over TCP: a table and a picture (BENCH_OPTIONS="rounds=5 load_seconds=20")
	@tests/xen/image/payload.sh $(B)/rdma-payload/scaling eval/rdma/scaling $(RDMA_SCALED)
	@echo '$(BENCH_OPTIONS)' >$(B)/rdma-payload/scaling/options
	@$(RUN_RDMA) --memory 3072 --payload $(B)/rdma-payload/scaling
	@$(PYTHON) eval/rdma/scaling.py $(RDMA)/run $(RDMA)/connections.png
