# libxylem.so: preloaded into programs, so it needs libc and nothing else.
GUEST_SOURCES := $(call rwildcard,guest-lib,%.cpp)
GUEST_ARCHIVES := control-protocol vsock-transport
INTERCEPTED := $(wildcard guest-lib/intercepted_calls.def)

# Apart from the archive, which unit tests link: functions that would replace libc's in the test itself.
GUEST_CALLS := $(filter guest-lib/call_%,$(GUEST_SOURCES))
$(call compile,guest-calls,$(GUEST_CALLS),$(FREESTANDING_FLAGS))
GUEST_PARTS := $(filter-out $(GUEST_CALLS),$(GUEST_SOURCES))
$(call library,guest-lib,$(GUEST_PARTS),$(FREESTANDING_FLAGS))

ifneq ($(filter $(VARIANT),asan ubsan),)
# A sanitizer's runtime is needed dynamically; asan's must be preloaded before this library.
GUEST_LINK := -Wl,--as-needed
GUEST_LIBS :=
else
GUEST_LINK := -nodefaultlibs -Wl,-z,defs,-z,relro,-z,now
GUEST_LIBS := -lc -lgcc
endif

# Not under tsan: its runtime intercepts the same libc names as this library and the two cannot share a
# process. What the library is made of (rings, streams, tables) is tested under tsan without preloading.
# Not under fuzz: fuzz targets link the archives.
ifeq ($(filter $(VARIANT),tsan fuzz),)
ifneq ($(and $(GUEST_SOURCES),$(INTERCEPTED)),)
PRODUCTS += $(B)/libxylem.so
endif
endif

# No version node: a versioned read@@XYLEM would not satisfy a program's read@GLIBC_2.2.5.
$(B)/exports.map: $(INTERCEPTED) guest-lib/intercepted_names.sh
	$(call say,GEN,$@)
	$(Q)guest-lib/intercepted_names.sh $(INTERCEPTED) \
	    | awk 'BEGIN {print "{ global:"} {print "    " $$1 ";"} END {print "local: *; };"}' >$@

$(call stamp,$(B)/obj/guest-lib/link,$(CXX) $(LINK_FLAGS) $(GUEST_LINK) $(GUEST_LIBS) $(GUEST_SOURCES))
$(B)/libxylem.so: $(call objects,guest-calls,$(GUEST_CALLS)) $(call objects,guest-lib,$(GUEST_PARTS)) \
                  $(call archives,$(GUEST_ARCHIVES)) $(B)/exports.map $(B)/obj/guest-lib/link
	$(call say,LINK,$@)
	$(Q)$(CXX) -shared $(LINK_FLAGS) $(GUEST_LINK) -Wl,--version-script=$(B)/exports.map -o $@ \
	    $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(GUEST_LIBS)
