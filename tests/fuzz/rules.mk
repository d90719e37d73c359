# Fuzz targets: tests/fuzz/NAME_fuzz.cpp -> build/fuzz/NAME_fuzz, what they play against compiled for VARIANT=fuzz.
ifeq ($(VARIANT),fuzz)
FUZZ_ARCHIVES := test-support agent rdma-bridge $(CONTROL_ARCHIVES)
FUZZ_TARGETS := $(foreach s,$(wildcard tests/fuzz/*_fuzz.cpp),$(call \
    program,$(basename $(notdir $(s))),$(s),$(FUZZ_ARCHIVES),-fsanitize=fuzzer $(DAEMON_LIBS) $(BRIDGE_LIBS)))
fuzz-binaries: $(FUZZ_TARGETS)
else
fuzz-binaries:
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-binaries
endif

fuzz: fuzz-binaries  ## Run each fuzz target for FUZZ_SECONDS=30, two at a time
	@$(RUN_SUITES) fuzz
