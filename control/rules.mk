# The control plane: the protocol (also inside libxylem.so), the agent `xylemd`, the command `xylem`.
$(call library,control-protocol,$(call rwildcard,control/protocol,%.cpp),$(FREESTANDING_FLAGS))
# What agent and command share lies directly in control/.
$(call library,control-common,$(wildcard control/*.cpp),$(HOSTED_FLAGS))
# All but main.cpp, so that tests can link it.
$(call library,agent,$(filter-out %/main.cpp,$(call rwildcard,control/agent,%.cpp)),$(HOSTED_FLAGS))
$(call library,cli,$(filter-out %/main.cpp,$(call rwildcard,control/cli,%.cpp)),$(HOSTED_FLAGS))

CONTROL_ARCHIVES := control-common control-protocol hosts-map vsock-transport
PRODUCTS += $(call program,xylemd,$(wildcard control/agent/main.cpp),agent $(CONTROL_ARCHIVES),$(DAEMON_LIBS))
PRODUCTS += $(call program,xylem,$(wildcard control/cli/main.cpp),cli $(CONTROL_ARCHIVES),$(DAEMON_LIBS))
