#!/bin/bash
# Makes sure that the packages of packages.list are there: as root installs what is missing, otherwise prints
# the one command that does, and exits 2. Quiet when nothing is missing.
#
#   packages.sh          all of them
#   packages.sh build    only those that what gets installed is built with
set -euo pipefail

list=$(dirname "$0")/packages.list
lists_max_age_days=7

if [[ ${1:-} == build ]]; then last='/^# To test/q'; else last=; fi
wanted() { sed -n -e "$last" -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/!p' "$list"; }

installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

apt() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@" >&2; }

lists_are_fresh() {
    [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime "-$lists_max_age_days" -print -quit \
        2>/dev/null) ]]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "packages.sh: this is not a Debian system; provide what packages.list names, then: make PACKAGES=no" >&2
    exit 2
fi

missing=()
while read -r package; do
    installed "$package" || missing+=("$package")
done < <(wanted)
if ((${#missing[@]} == 0)); then
    exit 0
fi

if ((EUID != 0)); then
    echo "packages are missing; install them with:" >&2
    echo "sudo apt-get install ${missing[*]}" >&2
    exit 2
fi

echo "installing: ${missing[*]}" >&2
# Debian starts servers once they are installed, where nobody objects. The tests start their own.
objection=/usr/sbin/policy-rc.d
if [[ ! -e $objection ]]; then
    trap 'rm -f "$objection"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$objection"
    chmod 755 "$objection"
fi
lists_are_fresh || apt update
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    # The lists may name versions that the mirror no longer has.
    apt update
    apt install -y --no-install-recommends "${missing[@]}"
fi
