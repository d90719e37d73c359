#!/bin/bash
# Makes the initramfs of dom0: dom0.sh FOLDER OUTPUT, where packages.sh has filled FOLDER.
# It holds the guests' kernel too; the runner appends their initramfs and the settings of a run.
here=$(dirname "$0")
# shellcheck source=tests/xen/image/tree.sh
source "$here/tree.sh"

folder=${1:?usage: dom0.sh FOLDER OUTPUT}
output=${2:?usage: dom0.sh FOLDER OUTPUT}
xen=/usr/lib/xen-4.17/bin
new_tree "$folder/dom0.tree" "$folder/kernel"
add_modules xenfs xen-privcmd xen-evtchn xen-gntdev xen-gntalloc bridge xen-netback
add_program "$xen"/{xl,xenstored,xenconsoled,xen-init-dom0,libxl-save-helper,lsevtchn,xenconsole}
add_program /usr/bin/xenstore-{chmod,exists,list,ls,read,rm,watch,write}
# Not named by any program: libc opens it when a thread is cancelled, as xl does.
add_file /lib/x86_64-linux-gnu/libgcc_s.so.1 /lib/x86_64-linux-gnu/libgcc_s.so.1
mkdir -p "$tree/etc/xen"
: >"$tree/etc/xen/xl.conf"
add_file "$here/../../../control/dom0/xylem-guests" /bin/xylem-guests
add_file "$here/../dom0/vif-bridge" /etc/xen/scripts/vif-bridge
add_file "$folder/vmlinuz" /guest/vmlinuz
for part in init guests.sh watch.sh shell.sh; do
    add_file "$here/../dom0/$part" "/${part}"
done
pack_tree "$output"
