#!/bin/bash
# PostgreSQL, a process for each connection, in one domain; pgbench, psql and pg_dump in another. The server refuses to
# run as root: then all of this runs as the user of the package.
# Functions are called by name, through check, round and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh

PATH=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1):$PATH
need postgres initdb pgbench psql pg_dump

# The same script as another user; its rows of the table are handed on, as the file is its caller's.
as_user() {
    local folder status
    folder=$(mktemp -d "${TMPDIR:-/tmp}/xylem-postgresql-XXXXXX")
    chown "$1" "$folder"
    setpriv --reuid="$1" --regid="$1" --init-groups env -u XDG_RUNTIME_DIR HOME="$folder" TMPDIR="$folder" \
        XYLEM_APPS_TABLE="$folder/table" bash tests/apps/postgresql.sh
    status=$?
    if [[ -n ${XYLEM_APPS_TABLE:-} ]]; then
        cat "$folder/table" >>"$XYLEM_APPS_TABLE"
        if [[ -e $folder/table.ratios ]]; then cat "$folder/table.ratios" >>"$XYLEM_APPS_TABLE.ratios"; fi
    fi
    rm -rf "$folder"
    exit "$status"
}
: "${XYLEM_BUILD:=build/release}"
if ((EUID == 0)); then
    if ! setpriv --reuid=postgres --regid=postgres --init-groups test -x "$XYLEM_BUILD/xylemd"; then
        echo "the user postgres cannot reach $XYLEM_BUILD"
        exit 77
    fi
    as_user postgres
fi

# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/agent_loss.sh
source tests/apps/harness/agent_loss.sh

seconds=$(pick 3 20)
start_domains --log-level info
remember_agents
port=$(free_port_below 32000)

# client DOMAIN COMMAND...
client() {
    local domain=$1 command=$2
    shift 2
    timeout 300 "$in_domain" "$domain" "$command" -h 127.44.0.1 -p "$port" -U bench "$@"
}
is_up() { client tcp pg_isready >"$scratch/ready"; }
bench() { client "$1" pgbench -n -j 2 -T "$seconds" "${@:2}" bench; }
no_transaction_fails() { bench 2 "$@" | tee "$scratch/bench" | grep -q '^number of failed transactions: 0 ' || { cat "$scratch/bench"; return 1; }; }
dump_is_the_same() {
    local domain
    for domain in tcp 2; do client "$domain" pg_dump -d bench | grep -v -e '^--' -e '^\\.*restrict' >"$scratch/dump.$domain"; done
    [[ $(wc -c <"$scratch/dump.2") -gt 10000000 ]] && cmp "$scratch/dump.tcp" "$scratch/dump.2"
}
# The request to cancel comes on a connection of its own.
a_query_is_cancelled() {
    local query
    client 2 psql -d bench -c 'select pg_sleep(60)' >"$scratch/sleeper" 2>&1 &
    query=$!
    until_true 20 sleeper_is_there || return
    client 2 psql -d bench -tA -c "select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)' and pid <> pg_backend_pid()" || return
    ! wait "$query" && grep 'canceling statement due to user request' "$scratch/sleeper"
}
sleeper_is_there() { [[ $(client tcp psql -d bench -tA -c "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'") == 1 ]]; }

check "the database is made" initdb -D "$scratch/db" -A trust -U bench --no-sync
echo 'host all all 127.44.0.0/16 trust' >>"$scratch/db/pg_hba.conf"
serve postgres -D "$scratch/db" -h 127.44.0.1 -p "$port" -k "$scratch" -c fsync=off
serves_on "$port"
check "the server takes connections" until_true 60 is_up
round "createdb" 1 500 client 2 createdb bench
round "pgbench --initialize" 1 1000000 client 2 pgbench -i -s 2 -q bench
round "pgbench, 20 clients" 20 100000 no_transaction_fails -c 20
round "pgbench, a connection for each transaction" 20 10000 no_transaction_fails -c 4 -S -C
round "pg_dump" 1 10000000 dump_is_the_same
round "a query is cancelled" 2 500 a_query_is_cancelled
agent_loss "pgbench" no_transaction_fails -c 10
check "the server is offered again" until_true 20 listens 1 "$port"
round "pgbench, afterwards" 20 100000 no_transaction_fails -c 20

once() { bench "$1" -c "$clients" -S | awk '/^tps/ { print $3 }'; }
if is_full; then
    seconds=5
    for clients in 1 20; do ratio "pgbench -S, $clients clients" transactions/s once; done
fi
kill -INT "$server"
wait "$server"
check_leaks
report_row "postgresql, pgbench" "$(version_of postgresql-15)"
finish
