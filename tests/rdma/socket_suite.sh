#!/bin/bash
# The socket suite with its two domains on two nodes: what goes over rings within a node goes over rings and bridges here,
# and the transcripts are those of kernel TCP all the same.
XYLEM_TEST_NODES=yes exec "$(dirname "$0")/../conformance/socket_suite/compare.sh" "$@"
