#!/bin/bash
# libxylem.so lives inside other people's programs: it needs libc.so.6 only, exports exactly the calls of
# intercepted_calls.def, and takes only versioned glibc symbols.
set -euo pipefail

library=$XYLEM_BUILD/libxylem.so
calls=guest-lib/intercepted_calls.def
if [[ ! -e $calls ]]; then
    echo "no $calls yet"
    exit 77
fi
status=0

needed=$(readelf -dW "$library" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
if [[ $needed != libc.so.6 ]]; then
    printf '%s needs more than libc.so.6:\n%s\n' "$library" "$needed"
    status=1
fi

exported=$(nm -D --defined-only "$library" | awk '{print $NF}' | sort -u)
listed=$(guest-lib/intercepted_names.sh "$calls")
if ! diff <(echo "$listed") <(echo "$exported"); then
    echo "left: in $calls but not exported; right: exported but not there"
    status=1
fi

undefined=$(nm -D --undefined-only --with-symbol-versions "$library")
foreign=$(awk '$1 == "U" && $2 !~ /@GLIBC_[0-9.]+$/ {print $2}' <<<"$undefined")
if [[ -n $foreign ]]; then
    printf 'undefined symbols that are not versioned glibc ones:\n%s\n' "$foreign"
    status=1
fi
echo "exports $(grep -c . <<<"$exported" || true) names," \
    "needs glibc $(grep -oE 'GLIBC_[0-9.]+' <<<"$undefined" | sort -uV | tail -n 1)"
exit "$status"
