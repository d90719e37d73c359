#!/bin/bash
# in_domain.sh DOMAIN COMMAND...: becomes COMMAND, with the guest library, as a program of DOMAIN.
# The runtime directory is the caller's. Domain `tcp`: without the library.
domain=$1
shift
if [[ $domain == tcp ]]; then exec "$@"; fi
runtime=${XYLEM_SANITIZER_RUNTIME:+$XYLEM_SANITIZER_RUNTIME:}
# What leaks is the program's own, since the library does not allocate; and the runtime's signal handlers would count
# as the program's. A crash is then a plain one, which every test notices.
if [[ -n $runtime ]]; then
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0
    export ASAN_OPTIONS
fi
exec env LD_PRELOAD="$runtime$XYLEM_BUILD/libxylem.so" XYLEM_DOMAIN="$domain" "$@"
