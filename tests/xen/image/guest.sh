#!/bin/bash
# Makes the initramfs of the guests: guest.sh FOLDER OUTPUT, where packages.sh has filled FOLDER.
# The runner appends the payload of a run, so this image does not change with it.
here=$(dirname "$0")
# shellcheck source=tests/xen/image/tree.sh
source "$here/tree.sh"

folder=${1:?usage: guest.sh FOLDER OUTPUT}
output=${2:?usage: guest.sh FOLDER OUTPUT}
new_tree "$folder/guest.tree" "$folder/kernel"
add_modules xenfs xen-evtchn xen-gntdev xen-gntalloc xen-netfront
# Busybox is static, so nothing can be preloaded into it: what programs under test start is as on any machine.
add_program /usr/bin/{dash,dd,env,sleep}
ln -sf /usr/bin/dash "$tree/bin/sh"
add_program /usr/bin/xenstore-{chmod,exists,list,ls,read,rm,write}
add_file "$here/../guest/init" /init
add_file "$here/../guest/run_guest" /payload/run_guest
add_file "$here/../guest/pair" /bin/pair
add_file "$here/../guest/app" /bin/app
pack_tree "$output"
