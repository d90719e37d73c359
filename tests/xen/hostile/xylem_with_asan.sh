#!/bin/sh
# `xylem` in a payload whose library is built with AddressSanitizer: the runtime has to stand before the library, and what
# else in_domain.sh of tests/guest-lib/harness says holds here as well. Only `run --domain N -- COMMAND...` is another.
if [ "$1" = run ]; then
    while [ "$1" != -- ]; do
        if [ "$1" = --domain ]; then export XYLEM_DOMAIN="$2"; fi
        shift
    done
    shift
    export ASAN_OPTIONS=disable_coredump=0:detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0
    export LD_PRELOAD=/payload/lib/libasan.so.8:/payload/bin/libxylem.so
    exec "$@"
fi
exec /payload/bin/xylem-plain "$@"
