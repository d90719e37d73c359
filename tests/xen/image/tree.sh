# shellcheck shell=bash
# For the scripts that make an initramfs: a root folder that grows a program, a module at a time, and is packed.
# Source it, then call new_tree first. The functions write to $tree.
set -euo pipefail

tree=
kernel_folder=

fail() {
    echo "$0: $1" >&2
    exit 1
}

# new_tree TREE KERNEL: an empty root with busybox; KERNEL is where the kernel's package was unpacked.
new_tree() {
    local applet
    tree=$1
    kernel_folder=$2
    rm -rf "$tree"
    mkdir -p "$tree"/{bin,dev,proc,sys,tmp,run,root,etc,usr/bin,lib64}
    cp /bin/busybox "$tree/bin/busybox"
    for applet in $(/bin/busybox --list); do
        [[ $applet == busybox ]] || ln -s busybox "$tree/bin/$applet"
    done
}

# add_file SOURCE PATH: one file, as PATH in the tree; links are followed.
add_file() {
    [[ -e $1 ]] || fail "$1 is missing; is its package installed? see packages.list"
    install -D "$1" "$tree$2"
}

# add_program FILE...: programs or libraries at their own paths, with the libraries they need.
add_program() {
    local program library
    for program in "$@"; do
        add_file "$program" "$program"
        while read -r library; do
            [[ -e $tree$library ]] || add_file "$library" "$library"
        done < <(ldd "$program" | sed -nE 's,^[^/]*(/[^ ]+) \(0x.*,\1,p')
    done
}

# add_modules NAME...: modules with what they depend on. /modules lists them in the order in which they load.
add_modules() {
    local version name file
    version=$(ls "$kernel_folder/lib/modules")
    for name in "$@"; do
        /sbin/modprobe -d "$kernel_folder" -S "$version" --show-depends "$name" || fail "no kernel module $name"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$tree/modules.found"
    while read -r file; do
        add_file "$file" "/lib/modules/${file##*/}"
        echo "/lib/modules/${file##*/}"
    done <"$tree/modules.found" >"$tree/modules"
    rm "$tree/modules.found"
}

# pack_tree FILE: uncompressed, because unpacking costs more under emulation than reading.
pack_tree() {
    (cd "$tree" && find . -print0 | sort -z | cpio --quiet -0 -o -H newc -R 0:0) >"$1"
    rm -rf "$tree"
}
