#!/bin/bash
# in_domain.sh DOMAIN COMMAND...: becomes COMMAND, with the guest library, as a program of DOMAIN.
# The runtime directory is the caller's. Domain `tcp`: without the library.
domain=$1
shift
if [[ $domain == tcp ]]; then exec "$@"; fi
runtime=${XYLEM_SANITIZER_RUNTIME:+$XYLEM_SANITIZER_RUNTIME:}
exec env LD_PRELOAD="$runtime$XYLEM_BUILD/libxylem.so" XYLEM_DOMAIN="$domain" "$@"
