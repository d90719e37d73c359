#!/bin/bash
# std::atomic appears in one header, vsock-transport/base/atomic.hpp, so that a checker can replace it.
set -euo pipefail

found=$(git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' '*.h' ':!tests/' ':!vsock-transport/base/atomic.hpp' \
    | while read -r file; do
        [[ ! -e $file ]] || grep -HnE 'std::atomic|std::memory_order|#include <atomic>' "$file" \
            | grep -vE '^[^:]*:[0-9]+:[[:space:]]*//' || true
    done)
if [[ -n $found ]]; then
    echo "use xylem::Atomic of vsock-transport/base/atomic.hpp instead of:"
    echo "$found"
    exit 1
fi
