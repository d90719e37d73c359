# clang-tidy has a stamp for each object, so that a second run looks only at what changed.
lint: all  ## Check format, clang-tidy, shell, include direction, file and function length, ABI
	@$(RUN_SUITES) lint

tidy: $(TIDY_STAMPS)  ## Run clang-tidy on what changed
