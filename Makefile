# Xylem's build. Non-recursive: this file fixes the variants and the shapes of rules, each folder's rules.mk
# says what is built there. `make help` lists the targets.
#
# Everything lands in build/$(VARIANT)/: products at its top, objects in obj/, tests in tests/.

VARIANTS := release debug asan tsan ubsan
VARIANT ?= release
BUILD ?= build
B := $(BUILD)/$(VARIANT)
PYTHON := /usr/bin/python3
CLANGXX ?= clang++
FUZZ_SECONDS ?= 30

# All processors, unless the command line says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
ifneq ($(and $(filter clean,$(MAKECMDGOALS)),$(filter-out clean,$(MAKECMDGOALS))),)
$(error make clean runs on its own)
endif
ifeq ($(filter $(VARIANT),$(VARIANTS) fuzz),)
$(error VARIANT=$(VARIANT) is none of: $(VARIANTS))
endif
ifeq ($(origin CXX),default)
CXX := g++
endif

# Flags ---------------------------------------------------------------------------------------------------

# Reports of sanitizers need lines, not more.
DEBUG_INFO := $(if $(filter release debug,$(VARIANT)),-g,-g1)
OPTIMIZE_release := -O2
OPTIMIZE_debug := -Og -g3
# Both at once: half the time of two builds. ubsan alone is for when asan's shadow is in the way.
# g++ 12 sees uninitialized parts of std::regex with it (its bug 105562).
OPTIMIZE_asan := -O1 -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined \
                 -fno-omit-frame-pointer -Wno-maybe-uninitialized
OPTIMIZE_tsan := -O1 -fsanitize=thread -fno-omit-frame-pointer
# vptr needs type information, and half of the code is compiled without.
OPTIMIZE_ubsan := -O1 -fsanitize=undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE_fuzz := -O1 -fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer

# g++ rejects atomic_thread_fence under -fsanitize=thread (-Wtsan); libFuzzer belongs to clang.
ifneq ($(filter $(VARIANT),tsan fuzz),)
override CXX := $(CLANGXX)
endif

COMMON_FLAGS := -std=c++20 $(DEBUG_INFO) $(OPTIMIZE_$(VARIANT)) -Wall -Wextra -Wshadow -Werror -pthread -I. $(CXXFLAGS)
# Code that also lives inside other people's programs: libc only, nothing exported by accident. Types with a
# virtual function defined in such a file have no type information: code elsewhere cannot derive from them.
FREESTANDING_FLAGS := $(COMMON_FLAGS) -fPIC -fno-exceptions -fno-rtti -fno-threadsafe-statics \
                      -fvisibility=hidden -ftls-model=initial-exec

# Goals that must work before any package is there, and that need no rules of the folders.
BARE_GOALS := help clean packages
ifneq ($(or $(if $(MAKECMDGOALS),,x),$(filter-out $(BARE_GOALS),$(MAKECMDGOALS))),)
NEED_RULES := yes
endif

ifdef NEED_RULES
# An included file that make remakes first: the packages are there before pkg-config is asked for flags.
# An old empty one stands in for it, because make complains about one that is missing.
# PACKAGES=no leaves the system alone (another distribution, or packages of your own). What only builds and
# installs gets no packages of tests, what only uninstalls none at all.
ifeq ($(filter-out $(BARE_GOALS) uninstall,$(or $(MAKECMDGOALS),all)),)
PACKAGES := no
endif
ifneq ($(PACKAGES),no)
PACKAGES_THERE := $(BUILD)/packages-$(if $(filter-out products install uninstall,$(or $(MAKECMDGOALS),all)),all,build).mk
$(if $(wildcard $(PACKAGES_THERE)),,$(shell mkdir -p $(BUILD) && touch -d @0 $(PACKAGES_THERE)))
include $(PACKAGES_THERE)
endif
DAEMON_PACKAGES := spdlog fmt libsystemd prometheus-cpp-core
DAEMON_CFLAGS := $(shell pkg-config --cflags $(DAEMON_PACKAGES) 2>/dev/null)
DAEMON_LIBS := $(shell pkg-config --libs $(DAEMON_PACKAGES) 2>/dev/null) -lboost_program_options -Wl,--as-needed -lxenstore -Wl,--no-as-needed
# The bridge: whether other nodes have the key, and RDMA devices.
BRIDGE_LIBS := -lcrypto -lrdmacm -libverbs
HOSTED_FLAGS := $(COMMON_FLAGS) $(DAEMON_CFLAGS)
endif

LINK_FLAGS := $(OPTIMIZE_$(VARIANT)) -pthread -Wl,--as-needed $(LDFLAGS)

# What the rules.mk of the folders add to. Expanded at once: `program` defines rules as it is expanded.
PRODUCTS :=
LIBRARIES :=
TESTS :=
TIDY_STAMPS :=
DEPENDENCIES :=
COMPILE_COMMANDS :=

# Rule shapes ---------------------------------------------------------------------------------------------

Q := $(if $(V),,@)
say = @mkdir -p $(@D)$(if $(V),,; printf '  %-5s %s\n' '$(1)' '$(2)')
rwildcard = $(sort $(foreach f,$(wildcard $(1)/*),$(call rwildcard,$(f),$(2)) $(filter $(2),$(f))))
archives = $(patsubst %,$(B)/lib%.a,$(1))
# $(call part,A|B|C,2): B
part = $(word $(2),$(parts))
parts = $(subst |, ,$(1))
same = $(and $(findstring $(1),$(2)),$(findstring $(2),$(1)))
# $(call stamp,FILE,WORDS): FILE holds WORDS and is rewritten only when they change. Done while parsing.
# The first strip: make 4.3 leaves the last newline of a file there whenever its buffer had to move.
stamp = $(if $(call same,$(strip $(file <$(1))),$(strip = $(2))),,$(shell \
    mkdir -p $(dir $(1)))$(file >$(1),$(strip = $(2))))

# The files of these sets are compiled BATCH at a time, as one text: most of the time goes into headers that they share.
# So a name that is local to one file cannot mean something else in the next. Each file alone: BATCH=1, and clang-tidy.
BATCHED := agent cli guest-calls guest-lib hosts-map rdma-bridge vsock-transport tests/xylem-tests
BATCH ?= 8
AFTER_BATCH := $(shell expr $(BATCH) + 1)
space := $(subst ,, )
batches = $(if $(1),$(subst $(space),|,$(strip $(wordlist 1,$(BATCH),$(1)))) $(call batches,$(wordlist $(AFTER_BATCH),999,$(1))))
# $(call units,SET,SOURCES): what becomes an object each, A.cpp or A.cpp|B.cpp|C.cpp, which is named after A.
units = $(if $(filter $(1),$(BATCHED)),$(call batches,$(2)),$(2))
object = $(B)/obj/$(1)/$(basename $(call part,$(2),1)).o
objects = $(foreach u,$(call units,$(1),$(2)),$(call object,$(1),$(u)))

# In tests a plain copy is easier to read, and the analyzer costs more than it finds.
TIDY_TESTS := --checks=-clang-analyzer-*,-performance-*

# $(1) set of objects, $(2) sources, $(3) flags, $(4) object. Each source has a clang-tidy stamp that depends on its object.
define unit_rules
$(4): $(2) $(4:.o=.flags)
	$$(call say,CXX,$(firstword $(2))$(if $(word 2,$(2)), to $(notdir $(lastword $(2)))))
	$$(Q)$(CXX) $(3) -MMD -MP -MF $(4:.o=.d) -c -o $$@ $(if $(word 2,$(2)),\
	    -Wno-unknown-warning-option -Wno-subobject-linkage $(addprefix -include ,$(2)) -x c++ /dev/null,$(2))

$(patsubst %.cpp,$(B)/tidy/$(1)/%.ok,$(2)): $(B)/tidy/$(1)/%.ok: $(4) .clang-tidy
	$$(call say,TIDY,$$*.cpp)
	$$(Q)clang-tidy --quiet $$(if $$(filter tests/%,$$*),$$(TIDY_TESTS)) $$*.cpp -- $(3) \
	    >$$@.log 2>&1 && touch $$@ || { grep -E ': (error|warning):' $$@.log; echo "all of it: $$@.log"; exit 1; }
endef
unit = $(call stamp,$(3:.o=.flags),$(CXX) $(4) $(2))$(eval $(call unit_rules,$(1),$(2),$(4),$(3)))

define compile_rules
$(foreach u,$(call units,$(1),$(2)),$(call unit,$(1),$(call parts,$(u)),$(call object,$(1),$(u)),$(3)))
TIDY_STAMPS += $(patsubst %.cpp,$(B)/tidy/$(1)/%.ok,$(2))
DEPENDENCIES += $(patsubst %.o,%.d,$(call objects,$(1),$(2)))
COMPILE_COMMANDS += $(foreach s,$(2),$(1)|$(s))
COMPILE_FLAGS|$(1) := $(3)
endef
# $(call compile,SET,SOURCES,FLAGS)
compile = $(if $(2),$(eval $(call compile_rules,$(1),$(2),$(3))))

define library_rules
LIBRARIES += $(B)/lib$(1).a
$(call stamp,$(B)/obj/$(1)/members,$(2))
$(B)/lib$(1).a: $(call objects,$(1),$(2)) $(B)/obj/$(1)/members
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && ar rcs $$@ $(call objects,$(1),$(2))
endef
# $(call library,NAME,sources,flags): libNAME.a, empty as long as there are no sources.
library = $(call compile,$(1),$(strip $(2)),$(3))$(eval $(call library_rules,$(1),$(strip $(2))))

define program_rules
$(call stamp,$(B)/obj/$(1)/link,$(CXX) $(2) $(3) $(4) $(LINK_FLAGS))
$(B)/$(1): $(call objects,$(1),$(2)) $(call archives,$(3)) $(B)/obj/$(1)/link
	$$(call say,LINK,$$@)
	$$(Q)$(CXX) $(LINK_FLAGS) -o $$@ $(call objects,$(1),$(2)) \
	    -Wl,--start-group $(call archives,$(3)) -Wl,--end-group $(4)
endef
# $(call program,PATH,sources,archives,libraries): build/VARIANT/PATH; nothing while a source is missing.
program = $(if $(strip $(2)),$(call compile,$(1),$(strip $(2)),$(HOSTED_FLAGS))$(eval \
    $(call program_rules,$(1),$(strip $(2)),$(3),$(4)))$(B)/$(1))

# Targets -------------------------------------------------------------------------------------------------

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all products tests check check-apps check-variant $(VARIANTS) fuzz fuzz-binaries bench lint tidy \
        tidy-products demo install uninstall packages clean help

# Each rules.mk adds what a user installs to PRODUCTS, and what only tests need to TESTS.
ifdef NEED_RULES
include $(wildcard */rules.mk)
-include $(DEPENDENCIES)
endif

all: products tests $(LIBRARIES)  ## Build everything (VARIANT=release|debug|asan|tsan|ubsan, V=1 shows commands)
products: $(PRODUCTS)  ## Build only what gets installed
tests: $(TESTS)  ## Build the tests

release debug: %:  ## Build that variant into build/release, build/debug
	@$(MAKE) --no-print-directory VARIANT=$* all

asan tsan ubsan: %:  ## Build that variant and run its tests
	@$(MAKE) --no-print-directory VARIANT=$* check-variant

demo: products  ## Two domains on this machine: iperf3 and NetPIPE over TCP and over Xylem, side by side
	@test -e eval/demo/demo.py || { echo 'make demo: eval/demo/demo.py is not in this tree' >&2; exit 2; }
	@XYLEM_BUILD=$(abspath $(B)) $(PYTHON) eval/demo/demo.py

packages:  ## Install the Debian packages that the build and the tests need (or name them)
	@./packages.sh

$(BUILD)/packages-%.mk: packages.list packages.sh
	@./packages.sh $*
	@mkdir -p $(@D) && echo '# These packages of packages.list were there when this file was written.' >$@

# One entry an object; written anew each time, from the same variables that the rules use.
.PHONY: compile_commands.json
compile_entry = {"directory": "$(CURDIR)", "file": "$(2)", \
    "command": "$(CXX) $(subst ",\",$(COMPILE_FLAGS|$(1))) -c $(2)"},
compile_commands.json:  ## Write the compilation database for editors and clang tools
	$(file >$@,[)
	$(foreach c,$(COMPILE_COMMANDS),$(file >>$@,$(call compile_entry,$(call part,$(c),1),$(call part,$(c),2))))
	@printf '{"directory": "$(CURDIR)", "file": "/dev/null", "command": "true"}\n]\n' >>$@
	@echo "  GEN   $@"

clean:  ## Remove everything that was built
	rm -rf $(BUILD) compile_commands.json

help:  ## Print this menu
	@sed -nE 's/^([a-z_.][a-z_. -]*):[^#=]*  ## (.*)/\1|\2/p' Makefile */rules.mk */*/rules.mk 2>/dev/null \
	    | while IFS='|' read -r name text; do printf '  %-22s %s\n' "$$name" "$$text"; done

# Install -------------------------------------------------------------------------------------------------

PREFIX ?= /usr/local
bindir := $(PREFIX)/bin
mandir := $(PREFIX)/share/man

# source|destination|mode, of what exists.
INSTALL_FILES := \
    $(foreach p,$(filter $(B)/xylem $(B)/xylemd $(B)/xylem-rdma,$(PRODUCTS)),$(p)|$(bindir)/$(notdir $(p))|755) \
    control/dom0/xylem-guests|$(bindir)/xylem-guests|755 \
    control/70-xylem.rules|$(PREFIX)/lib/udev/rules.d/70-xylem.rules|644 \
    $(foreach p,$(filter $(B)/libxylem.so,$(PRODUCTS)),$(p)|$(PREFIX)/lib/xylem/libxylem.so|644) \
    $(foreach n,1 5 7 8,$(foreach p,$(wildcard docs/man/*.$(n)),$(p)|$(mandir)/man$(n)/$(notdir $(p))|644)) \
    $(foreach p,$(wildcard control/cli/xylem.bash-completion),$(p)|$(PREFIX)/share/bash-completion/completions/xylem|644)
INSTALL_UNITS := $(wildcard control/*.service control/dom0/*.service rdma-bridge/*.service)
unitdir := $(PREFIX)/lib/systemd/system
# Where the key, the maps and the configuration go. One that is there keeps its mode, and who installs for himself
# needs none.
confdir = $(DESTDIR)/etc/xylem
define newline


endef

install: products  ## Install into $(DESTDIR)$(PREFIX) (PREFIX=/usr/local)
	$(foreach f,$(INSTALL_FILES),install -D -m $(call part,$(f),3) $(call part,$(f),1) $(DESTDIR)$(call part,$(f),2)$(newline))
	$(foreach u,$(INSTALL_UNITS),sed 's|@bindir@|$(bindir)|g' $(u) \
	    | install -D -m 644 /dev/stdin $(DESTDIR)$(unitdir)/$(notdir $(u))$(newline))
	@test -d $(confdir) || install -d -m 755 $(confdir) || echo 'make install: only root can make $(confdir)' >&2

uninstall:  ## Remove what install put there
	$(foreach f,$(INSTALL_FILES),rm -f $(DESTDIR)$(call part,$(f),2)$(newline))
	$(foreach u,$(INSTALL_UNITS),rm -f $(DESTDIR)$(unitdir)/$(notdir $(u))$(newline))
	@rmdir $(DESTDIR)$(PREFIX)/lib/xylem $(confdir) 2>/dev/null || true
