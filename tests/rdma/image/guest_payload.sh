#!/bin/bash
# Adds to a payload what a Xen guest needs to have a soft-RoCE device: guest_payload.sh KERNEL FOLDER, where KERNEL is the
# folder that the kernel's package was unpacked to. FOLDER/modules/list names the modules in the order in which they load.
here=$(dirname "$0")
# shellcheck source=tests/xen/image/tree.sh
source "$here/../../xen/image/tree.sh"

kernel=${1:?usage: guest_payload.sh KERNEL FOLDER}
folder=${2:?usage: guest_payload.sh KERNEL FOLDER}
new_tree "$folder/tree" "$kernel"
# rxe asks for crc32 by name, which no dependency tells.
add_modules crc32_generic rdma_rxe ib_uverbs rdma_ucm
mkdir "$folder/modules"
mv "$folder"/tree/lib/modules/* "$folder/modules"
sed 's,.*/,,' "$folder/tree/modules" >"$folder/modules/list"
rm -rf "$folder/tree"
# Where libibverbs looks for what speaks to the device.
mkdir -p "$folder/verbs"
cp -L /usr/lib/x86_64-linux-gnu/libibverbs/librxe-rdmav34.so /etc/libibverbs.d/rxe.driver "$folder/verbs"
