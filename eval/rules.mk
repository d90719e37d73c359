# Workloads, and the evaluation that plays them: experiments, tools and the report in Python (README.md beside this).
WORKLOADS := $(addprefix $(B)/,$(basename $(wildcard eval/workloads/*.cpp)))
DEPENDENCIES += $(addsuffix .d,$(WORKLOADS))

# Goes into Xen guests, which have none of these libraries.
$(B)/eval/workloads/vchan_exchange: WORKLOAD_FLAGS = -static -lxenvchan $(XEN_LIBS)
# Loops that are to be as fast as the memory.
$(B)/eval/workloads/memory: WORKLOAD_FLAGS := -O3

$(WORKLOADS): $(B)/%: %.cpp eval/rules.mk
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++20 $(PROGRAM_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(WORKLOAD_FLAGS)

# What the evaluation starts itself; libxenvchan's part belongs to bench-xen.
EVAL_WORKLOADS := $(filter-out %/vchan_exchange,$(WORKLOADS))
RUN_EVAL = XYLEM_BUILD=$(abspath $(B)) $(PYTHON) eval/run.py --output $(BUILD)/eval

.PHONY: eval eval-quick
eval: products $(EVAL_WORKLOADS)  ## Measure Xylem beside what one would use instead, half an hour: build/eval/report.html (EXPERIMENT="names or figures")
	@$(RUN_EVAL) $(EXPERIMENT)

eval-quick: products $(EVAL_WORKLOADS)  ## The same in three minutes: whether all of it works, not how fast (EXPERIMENT="...")
	@$(RUN_EVAL) --quick $(EXPERIMENT)
