# The data path: rings, streams, wake-ups and their backends. Part of libxylem.so and of the daemons.
$(call library,vsock-transport,$(call rwildcard,vsock-transport,%.cpp),$(FREESTANDING_FLAGS))
