# The Xen testbed (README.md beside this): images under build/xen, made when what they are made of changes.
XEN := $(BUILD)/xen
XEN_IMAGE := tests/xen/image

$(XEN)/fetched: $(XEN_IMAGE)/packages.sh
	@mkdir -p $(@D)
	$(Q)nice $< $(@D)
	@touch $@

$(XEN)/guest.cpio: $(XEN)/fetched $(XEN_IMAGE)/guest.sh $(XEN_IMAGE)/tree.sh $(wildcard tests/xen/guest/*) /bin/busybox
	$(call say,IMAGE,$@)
	$(Q)$(XEN_IMAGE)/guest.sh $(@D) $@

$(XEN)/dom0.cpio: $(XEN)/fetched $(XEN_IMAGE)/dom0.sh $(XEN_IMAGE)/tree.sh $(wildcard tests/xen/dom0/*) /bin/busybox \
                  $(wildcard /usr/lib/xen-4.17/bin/xl)
	$(call say,IMAGE,$@)
	$(Q)$(XEN_IMAGE)/dom0.sh $(@D) $@
