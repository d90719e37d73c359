# Sourced after domains.sh: commands under `xylem run --why`, and receivers for them to talk to.
# shellcheck shell=bash disable=SC2154,SC2034

transfer=$programs/transfer
patience=60
serial=0
unset XYLEM_RUN XYLEM_WHY

# why DOMAIN COMMAND...: to its end; its output is $out, its exit code $code, the summary $sums.
why() {
    local domain=$1
    shift
    timeout -k 5 "$patience" "$XYLEM_BUILD/xylem" run --domain "$domain" --why -- "$@" \
        >"$scratch/out" 2>"$scratch/sums" </dev/null
    code=$? out=$(<"$scratch/out") sums=$(<"$scratch/sums")
}
# begin_why DOMAIN COMMAND...: in the background; end_why waits for it.
begin_why() {
    local domain=$1
    shift
    : >"$scratch/begun-sums" # before anybody looks for what the one before said
    timeout -k 5 "$patience" "$XYLEM_BUILD/xylem" run --domain "$domain" --why -- "$@" \
        >"$scratch/begun-out" 2>"$scratch/begun-sums" </dev/null &
    begun=$!
    started+=("$begun")
}
end_why() {
    wait "$begun"
    code=$? out=$(<"$scratch/begun-out") sums=$(<"$scratch/begun-sums")
}
sums_say() { echo "$sums" && grep -qE -- "$1" <<<"$sums"; }
sums_do_not_say() { echo "$sums" && ! grep -qE -- "$1" <<<"$sums"; }
exits() { echo "exit code $code" && [[ $code == "$1" ]]; }

# listen DOMAIN ADDRESS: a receiver there; its port file is $port_file.
listen() {
    port_file=$scratch/port$((++serial))
    background "$1" timeout -k 5 "$patience" "$transfer" receive "$2" "$port_file" >"$port_file.received"
    until_true 20 test -s "$port_file"
}
received() { cat "$port_file.received" && grep -q "^$1 [0-9a-f]* end $2$" "$port_file.received"; }
