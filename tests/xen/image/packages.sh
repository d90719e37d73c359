#!/bin/bash
# Takes the hypervisor and the newest plain Debian kernel out of their packages, without installing them:
#   packages.sh FOLDER   writes FOLDER/xen, FOLDER/vmlinuz and FOLDER/kernel/lib/modules
#
# Plain kernel, because those named -cloud and -rt cannot be dom0; the package linux-image-amd64 names it.
set -euo pipefail

folder=${1:?usage: packages.sh FOLDER}
hypervisor=xen-hypervisor-4.17-amd64

fail() {
    echo "tests/xen/image/packages.sh: $1" >&2
    exit 1
}

newest_kernel() {
    apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9.]*-[0-9]*-amd64\)$/\1/p' | tail -n 1
}

# Package lists are as old as the machine, or not there at all; root may fetch newer ones.
refresh() { ((EUID == 0)) && apt-get -q=2 update; }

# download PACKAGE FOLDER. As root apt would do so as another user, who may not write there.
download() { (cd "$2" && apt-get -q=2 -o APT::Sandbox::User=root download "$1"); }

# unpack PACKAGE FOLDER
unpack() {
    local scratch=$folder/download
    rm -rf "$scratch" "$2"
    mkdir -p "$scratch" "$2"
    echo "  FETCH $1"
    download "$1" "$scratch" || { refresh && download "$1" "$scratch"; } \
        || fail "cannot download $1; is the package list fresh? try: apt-get update"
    dpkg -x "$scratch"/*.deb "$2"
    rm -rf "$scratch"
}

kernel=$(newest_kernel)
if [[ -z $kernel ]] && refresh; then kernel=$(newest_kernel); fi
[[ -n $kernel ]] || fail "no package names the kernel (linux-image-amd64); try: apt-get update"
mkdir -p "$folder"
unpack "$hypervisor" "$folder/hypervisor"
unpack "$kernel" "$folder/kernel"

# QEMU loads the bare ELF file, not the compressed one.
gunzip -c "$folder"/hypervisor/boot/xen-*-amd64.gz >"$folder/xen"
cp "$folder"/kernel/boot/vmlinuz-* "$folder/vmlinuz"
/sbin/depmod -b "$folder/kernel" "$(ls "$folder/kernel/lib/modules")"
