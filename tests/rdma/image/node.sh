#!/bin/bash
# Makes the initramfs of a node: node.sh KERNEL OUTPUT, where KERNEL is the folder that the kernel's package was unpacked to.
# The runner appends the payload of a run, so this image does not change with it.
here=$(dirname "$0")
# shellcheck source=tests/xen/image/tree.sh
source "$here/../../xen/image/tree.sh"

kernel=${1:?usage: node.sh KERNEL OUTPUT}
output=${2:?usage: node.sh KERNEL OUTPUT}
libraries=/usr/lib/x86_64-linux-gnu
new_tree "$output.tree" "$kernel"
# rxe asks for crc32 by name, which no dependency tells.
add_modules crc32_generic virtio_pci virtio_net rdma_rxe ib_uverbs rdma_ucm sch_netem
add_program /usr/bin/{dash,dd,env,sleep,rdma,rping,ib_write_bw,ib_write_lat} /sbin/tc \
    "$libraries/libibverbs/librxe-rdmav34.so" "$libraries/rsocket/librspreload.so"
ln -sf /usr/bin/dash "$tree/bin/sh"
add_file /etc/libibverbs.d/rxe.driver /etc/libibverbs.d/rxe.driver
add_file "$here/../../xen/guest/run_guest" /payload/run_guest
add_file "$here/../node/init" /init
add_file "$here/../node/pair" /bin/pair
add_file "$here/../../xen/guest/app" /bin/app
pack_tree "$output"
