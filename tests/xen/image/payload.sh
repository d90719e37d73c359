#!/bin/bash
# Makes a payload of programs of this machine:  payload.sh FOLDER TESTS FILE...
#   TESTS    folder whose files become the payload's tests
#   FILE...  programs and libraries: FOLDER/bin, without debug information; what they need: FOLDER/lib
set -euo pipefail

folder=${1:?usage: payload.sh FOLDER TESTS FILE...}
tests=${2:?usage: payload.sh FOLDER TESTS FILE...}
shift 2

rm -rf "$folder"
mkdir -p "$folder"/{bin,lib,tests}
install "$tests"/* "$folder/tests"
for file in "$@"; do
    strip -o "$folder/bin/${file##*/}" "$file"
    chmod 755 "$folder/bin/${file##*/}"
    # The loader itself is at its own path in every guest.
    while read -r library; do
        cp -uL "$library" "$folder/lib/"
    done < <(ldd "$file" | sed -nE 's,^[^/]*=> (/[^ ]+) \(0x.*,\1,p')
done
