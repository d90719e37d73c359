#!/bin/bash
# TLS: openssl s_server in one domain, curl and openssl s_client in another.
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

need openssl curl
size=$(pick $((32 << 20)) $((1 << 30)))
start_domains --log-level info
remember_agents

port=$(free_port_below 32000)
mkdir "$scratch/www"
openssl enc -aes-128-ctr -pass pass:xylem -nosalt -pbkdf2 </dev/zero 2>/dev/null | head -c "$size" >"$scratch/www/file"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.44.0.1 \
    -addext subjectAltName=IP:127.44.0.1 -keyout "$scratch/key" -out "$scratch/certificate" 2>"$scratch/openssl.log"

fetch() {
    timeout 300 "$in_domain" 2 curl --silent --show-error --fail --noproxy '*' --cacert "$scratch/certificate" "$@" \
        "https://127.44.0.1:$port/file" | cmp - "$scratch/www/file"
}
fetch_in_turn() {
    local n
    for ((n = 0; n < 10; ++n)); do fetch --tlsv1.3 --max-time 60 || return; done
}
# What s_client asks for is answered with a file, and the end of it by an end of the connection.
ask_with_s_client() {
    printf 'GET /file HTTP/1.0\r\n\r\n' >"$scratch/request"
    timeout 300 "$in_domain" 2 openssl s_client -connect "127.44.0.1:$port" -CAfile "$scratch/certificate" \
        -verify_return_error -quiet <"$scratch/request" 2>"$scratch/client.err" | tail -c "$size" | cmp - "$scratch/www/file"
}
is_refused_without_certificate() { ! "$in_domain" 2 curl --silent --noproxy '*' "https://127.44.0.1:$port/file" >"$scratch/refused"; }

serve env -C "$scratch/www" openssl s_server -accept "127.44.0.1:$port" -cert "$scratch/certificate" \
    -key "$scratch/key" -WWW -quiet
serves_on "$port"
round "curl, TLS 1.3" 1 "$size" fetch --tlsv1.3
round "curl, TLS 1.2" 1 "$size" fetch --tls-max 1.2
before=$(program_holds "$server")
round "s_client" 1 "$size" ask_with_s_client
round "a client that does not trust the server leaves" 1 1000 is_refused_without_certificate
if ! is_full; then
    truncate -s 1000000 "$scratch/www/file"
    size=1000000
fi
round "ten in turn" 10 $((10 * size)) fetch_in_turn
agent_loss "curl" fetch --limit-rate $((size / 4))
check "the server is offered again" until_true 20 listens 1 "$port"
round "curl, afterwards" 1 "$size" fetch
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
stop_server
check_leaks
report_row "openssl s_server, s_client, curl" "$(version_of openssl) $(version_of curl)"
finish
