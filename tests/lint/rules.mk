# clang-tidy has a stamp for each object, so that a second run looks only at what changed. A first run takes about
# as long as all tests together, so it belongs to `make lint` and not to the lint suite of `make check`.
lint: all tidy  ## Check format, clang-tidy, shell, include direction, file and function length, ABI
	@$(RUN_SUITES) lint

tidy: $(TIDY_STAMPS)  ## Run clang-tidy on what changed
tidy-products: $(foreach s,$(TIDY_STAMPS),$(if $(findstring /tests/,$(s)),,$(s)))  ## The same without the tests
