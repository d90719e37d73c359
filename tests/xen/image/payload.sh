#!/bin/bash
# Makes a payload of programs of this machine:  payload.sh FOLDER TESTS FILE... [-- PATH...]
#   TESTS    folder whose files become the payload's tests
#   FILE...  programs and libraries: FOLDER/bin, without debug information; what they need: FOLDER/lib
#   PATH...  files and whole folders, as they are, but without compiled Python: FOLDER/files/PATH
set -euo pipefail

folder=${1:?usage: payload.sh FOLDER TESTS FILE... [-- PATH...]}
tests=${2:?usage: payload.sh FOLDER TESTS FILE... [-- PATH...]}
shift 2

rm -rf "$folder"
mkdir -p "$folder"/{bin,lib,tests}
install "$tests"/* "$folder/tests"
while (($# > 0)) && [[ $1 != -- ]]; do
    file=$1
    shift
    strip -o "$folder/bin/${file##*/}" "$file"
    chmod 755 "$folder/bin/${file##*/}"
    # The loader itself is at its own path in every guest.
    while read -r library; do
        cp -uL "$library" "$folder/lib/"
    done < <(ldd "$file" | sed -nE 's,^[^/]*=> (/[^ ]+) \(0x.*,\1,p')
done
if (($# > 1)); then
    shift
    mkdir "$folder/files"
    cp -rL --parents "$@" "$folder/files"
    find "$folder/files" -name __pycache__ -prune -exec rm -r {} +
fi
