# The bridge of a node, `xylem-rdma`.
$(call library,rdma-bridge,$(filter-out %/main.cpp,$(call rwildcard,rdma-bridge,%.cpp)),$(HOSTED_FLAGS))
PRODUCTS += $(call program,xylem-rdma,$(wildcard rdma-bridge/main.cpp),rdma-bridge control-protocol vsock-transport,$(DAEMON_LIBS) $(BRIDGE_LIBS))
