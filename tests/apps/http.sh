#!/bin/bash
# A web server in one domain, curl in another: a file of 1 GB arrives whole, over the ring.
# Functions are called by name, through check and until_true.
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

need curl
size=$((1 << 30))

# Holes with islands of random bytes, so that a lost or doubled piece shows.
make_file() {
    mkdir -p "$scratch/www"
    truncate -s "$size" "$scratch/www/file"
    for at in 0 1 63 500 777 1023; do
        head -c 1048576 /dev/urandom | dd of="$scratch/www/file" bs=1M seek="$at" conv=notrunc status=none
    done
}
cat >"$scratch/fetch" <<'SCRIPT'
#!/bin/bash
# fetch URL FILE OPTION...: fetches and compares.
set -euo pipefail
curl --silent --show-error --fail --noproxy '*' "${@:3}" "$1" | LD_PRELOAD="" cmp - "$2"
SCRIPT
chmod +x "$scratch/fetch"

ls_shows_the_socket() {
    cat "$scratch/ls"
    grep -q curl "$scratch/ls" && grep -q ring "$scratch/ls"
}
report_shows_the_socket() {
    cat "$scratch/sockets"
    grep -q "'transport': 'ring'" "$scratch/sockets" && grep -q "'rx_bytes': [1-9]" "$scratch/sockets" &&
        grep -q "'rx_queued_bytes': [0-9]" "$scratch/sockets"
}

fetch() {
    serves_on "$2"
    carried "$1" 100000000 "$scratch/fetch" "http://127.44.0.1:$2/file" "$scratch/www/file"
    check "$1: the report shows transport, bytes and fill meanwhile" report_shows_the_socket
    if [[ -x $XYLEM_BUILD/xylem ]]; then
        check "$1: xylem ls shows it" ls_shows_the_socket
        sed 's/^/# /' "$scratch/ls"
    fi
    agent_loss "$1" "$scratch/fetch" "http://127.44.0.1:$2/file" "$scratch/www/file" --limit-rate 250M
    serves_on "$2"
    stop_server
}

start_domains --log-level info
make_file
port=$(free_port_below 32000)
serve /usr/bin/python3 -m http.server --directory "$scratch/www" --bind 127.44.0.1 "$port"
fetch "python3 -m http.server" "$port"

nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
if [[ -z $nginx ]]; then
    skipped "nginx" "not installed"
    finish
fi
port=$(free_port_below 32000)
configure_nginx "$port"
serve "$nginx" "${nginx_options[@]}"
stop_server() {
    kill -QUIT "$server"
    wait "$server" 2>/dev/null
}
fetch nginx "$port"
check "no ends are left" until_true 20 has_no_ends 1
check "no ends are left in the other domain" until_true 20 has_no_ends 2
report_row "python3 -m http.server, nginx, curl" "$(version_of python3) $(version_of nginx) $(version_of curl)"
finish
