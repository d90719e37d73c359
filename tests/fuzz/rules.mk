# Fuzz targets: tests/fuzz/NAME_fuzz.cpp -> build/fuzz/NAME_fuzz, all modules compiled for VARIANT=fuzz.
ifeq ($(VARIANT),fuzz)
FUZZ_TARGETS := $(foreach s,$(wildcard tests/fuzz/*_fuzz.cpp),$(call \
    program,$(basename $(notdir $(s))),$(s),$(TEST_ARCHIVES),-fsanitize=fuzzer $(DAEMON_LIBS)))
fuzz-binaries: $(FUZZ_TARGETS)
else
fuzz-binaries:
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-binaries
endif

fuzz: fuzz-binaries  ## Run each fuzz target for FUZZ_SECONDS=30, two at a time
	@$(RUN_SUITES) fuzz
