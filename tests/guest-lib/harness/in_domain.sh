#!/bin/bash
# in_domain.sh DOMAIN COMMAND...: becomes COMMAND, with the guest library, as a program of DOMAIN.
# The runtime directory is the caller's. Domain `tcp`: without the library. Domain `default`: a program that names none.
domain=$1
shift
preload=${XYLEM_SANITIZER_RUNTIME:-}
if [[ -n $preload ]]; then
    # Programs of domain `tcp` have the runtime as well: it is to make no difference between the transports.
    # What leaks is the program's own, since the library does not allocate; and the runtime's signal handlers would
    # count as the program's. A crash is then a plain one, which every test notices. A cancelled thread leaves frames
    # on its stack without the runtime's knowledge, so these must not mark the stack: fake stacks hold their locals.
    # A runtime that forbids core dumps does it through the library's setrlimit(), before the shadow memory is there.
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:disable_coredump=0:detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0
    export ASAN_OPTIONS=$ASAN_OPTIONS:detect_stack_use_after_return=1
fi
if [[ $domain == tcp ]]; then exec env ${preload:+LD_PRELOAD="$preload"} "$@"; fi
domain_setting=(XYLEM_DOMAIN="$domain")
if [[ $domain == default ]]; then domain_setting=(-u XYLEM_DOMAIN); fi
exec env "${domain_setting[@]}" LD_PRELOAD="${preload:+$preload:}$XYLEM_BUILD/libxylem.so" "$@"
