# Workloads: programs that measure, and know nothing of Xylem.
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
