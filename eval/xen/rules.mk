# Transports between two guests, side by side, in the machine of tests/xen (which includes this).
XEN_WORKLOADS := $(B)/eval/workloads/socket_exchange $(B)/eval/workloads/vchan_exchange
XEN_TRANSPORTS := $(wildcard eval/xen/transports/*)

.PHONY: bench-xen
bench-xen: $(XEN_IMAGES) $(addprefix $(B)/,xylem xylemd libxylem.so) $(XEN_WORKLOADS) $(XEN_IMAGE)/payload.sh $(XEN_TRANSPORTS)  ## Xylem, netfront and libxenvchan side by side between two Xen guests (KIND=pv|pvh; BENCH_OPTIONS="rounds=5 spin=500")
	@$(XEN_IMAGE)/payload.sh $(B)/xen-payload/transports eval/xen/transports $(addprefix $(B)/,xylem xylemd libxylem.so) $(XEN_WORKLOADS)
	@printf '%s\n' $(BENCH_OPTIONS) >$(B)/xen-payload/transports/options
	@$(RUN_XEN) --network --nap-seconds 2 --payload $(B)/xen-payload/transports $(KIND)
	@$(PYTHON) eval/xen/figures.py $(XEN)/run/$(KIND)
