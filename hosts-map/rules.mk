# The file that says which address is which domain. Used by the agent and the command only.
$(call library,hosts-map,$(call rwildcard,hosts-map,%.cpp),$(HOSTED_FLAGS))
