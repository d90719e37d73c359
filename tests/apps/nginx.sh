#!/bin/bash
# nginx with two workers and keep-alive in one domain, wrk in another, while nginx reloads its configuration every two
# seconds: no request fails, and nothing is left of the workers that went. Then connections of one request each.
# Functions are called by name, through check, round and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/agent_loss.sh
source tests/apps/harness/agent_loss.sh
# shellcheck source=tests/apps/harness/nginx.sh
source tests/apps/harness/nginx.sh

PATH=$PATH:/usr/sbin
need nginx wrk
seconds=$(pick 5 60)
start_domains --log-level info
remember_agents

port=$(free_port_below 32000)
configure_nginx "$port"
mkdir "$scratch/www"
head -c 4096 /dev/urandom >"$scratch/www/small"
head -c 3000017 /dev/urandom >"$scratch/www/large"

url() { echo "http://127.44.0.1:$port/$1"; }
# load DOMAIN SECONDS FILE OPTION...: wrk there; says what it says.
load() {
    local domain=$1 seconds=$2 file=$3
    shift 3
    timeout $((seconds + 60)) "$in_domain" "$domain" wrk -t 2 -c 20 -d "${seconds}s" "$@" "$(url "$file")"
}
# What went wrong by wrk's own count: "connect read write timeout status".
errors_in() {
    awk '/Socket errors/ { gsub(",", ""); split($0, w, " "); c = w[4]; r = w[6]; s = w[8]; t = w[10] }
         /Non-2xx/ { n = $NF } END { print c + 0, r + 0, s + 0, t + 0, n + 0 }' "$1"
}
answered() { awk '/requests in/ { print $1 }' "$1"; }
went_without_error() {
    cat "$1"
    [[ $(errors_in "$1") == "0 0 0 0 0" && $(answered "$1") -gt 0 ]]
}
load_without_error() {
    load "$@" >"$scratch/wrk.log" 2>&1
    went_without_error "$scratch/wrk.log"
}
reload() { "$in_domain" 1 nginx "${nginx_options[@]}" -s reload; }
children() { pgrep -P "$server" | wc -l; }
# curl on one connection as long as it lives; what it fetched is compared. It connects anew where the server closed the
# connection between two requests, and fails where a request was lost.
fetch_again_and_again() {
    local rounds=0
    seq 200 | sed "s|.*|url = $(url small)|" >"$scratch/many"
    for ((n = 0; n < 200; ++n)); do echo "$scratch/www/small"; done | xargs cat >"$scratch/many-expected"
    while ((rounds == 0)) || [[ ! -e $scratch/enough ]]; do
        "$in_domain" 2 curl --silent --show-error --fail --noproxy '*' -K "$scratch/many" >"$scratch/many-got" || return
        cmp "$scratch/many-got" "$scratch/many-expected" || return
        rounds=$((rounds + 1))
    done
    echo "$((rounds * 200)) requests of curl"
}
# A reload closes each idle connection once, and wrk may have sent a request into it: over kernel TCP too. wrk counts
# that as an error of reading and connects anew. Nothing else may go wrong, and nothing at all for curl.
load_while_reloading() {
    local client reloads=0 checker
    fetch_again_and_again &
    checker=$!
    load 2 "$seconds" small >"$scratch/wrk.log" 2>&1 &
    client=$!
    while kill -0 "$client" 2>/dev/null; do
        sleep 2
        kill -0 "$client" 2>/dev/null && reload && reloads=$((reloads + 1))
    done
    touch "$scratch/enough"
    wait "$checker" || return
    wait "$client" || return
    cat "$scratch/wrk.log"
    read -r connect read write timeout status < <(errors_in "$scratch/wrk.log")
    echo "$reloads reloads; errors: connect $connect read $read write $write timeout $timeout status $status" | tee "$scratch/reloads"
    ((connect + write + timeout + status == 0 && reloads >= seconds / 4 && read <= 20 * reloads))
}
load_and_connect() {
    rm -f "$scratch/enough"
    fetch_again_and_again &
    local checker=$!
    load_without_error 2 5 small
    local status=$?
    touch "$scratch/enough"
    wait "$checker" && return "$status"
}
fetch_and_compare() {
    local file
    for file in small large; do
        "$in_domain" 2 curl --silent --show-error --fail --noproxy '*' "$(url "$file")" | cmp - "$scratch/www/$file" || return
    done
}
only_two_workers() { [[ $(children) == 2 ]]; }

serve nginx "${nginx_options[@]}"
serves_on "$port"
round "files arrive whole" 2 3000000 fetch_and_compare
before=$(program_holds "$server")
round "wrk with keep-alive" 20 1000000 load_without_error 2 2 small
round "wrk with a connection for each request" 100 100000 load_without_error 2 2 small -H "Connection: close"
round "wrk while nginx reloads" 20 1000000 load_while_reloading
note "$(cat "$scratch/reloads")"
note "$(answered "$scratch/wrk.log") requests"
check "the workers of before are gone" until_true 20 only_two_workers
check "files still arrive whole" fetch_and_compare
agent_loss "wrk and curl" load_and_connect
check "nginx is offered again" until_true 20 listens 1 "$port"
round "files arrive whole, afterwards" 2 3000000 fetch_and_compare
check "nginx holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
check "domain 1 has no ends" until_true 20 has_no_ends 1
check "nginx has nothing to complain about" test "$(grep -cE '\[(crit|alert|emerg|error)\]' "$scratch/nginx.log")" -eq 0

# What is left of it between two requests is measured by wrk itself.
keep_alive_rate() { load "$1" 5 small | awk '/Requests\/sec/ { print $2 }'; }
connection_rate() { load "$1" 5 small -H "Connection: close" | awk '/Requests\/sec/ { print $2 }'; }
if is_full; then
    ratio "nginx and wrk, 20 connections, 4 KB" requests/s keep_alive_rate
    ratio "nginx and wrk, a connection for each request" requests/s connection_rate
fi
kill -QUIT "$server"
wait "$server"
check "nginx ends well" test $? -eq 0
check_leaks
report_row "nginx, wrk" "$(version_of nginx) $(version_of wrk)"
finish
