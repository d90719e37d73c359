#!/bin/bash
# OpenSSH: sshd with a configuration of its own in one domain, ssh and scp in another. sshd executes itself anew for
# each connection and hands the connection from process to process on the way.
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

PATH=$PATH:/usr/sbin
need sshd ssh scp sftp ssh-keygen
size=$(pick $((64 << 20)) $((1 << 30)))
start_domains --log-level info
remember_agents

port=$(free_port_below 32000)
key=$scratch/key
ssh-keygen -q -t ed25519 -N "" -f "$scratch/host_key"
ssh-keygen -q -t ed25519 -N "" -f "$key"
cp "$key.pub" "$scratch/authorized_keys"
cat >"$scratch/sshd_config" <<CONF
Port $port
ListenAddress 127.44.0.1
HostKey $scratch/host_key
PidFile none
AuthorizedKeysFile $scratch/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
MaxStartups 100
CONF
cat >"$scratch/ssh_config" <<CONF
Host *
    Port $port
    User $(id -un)
    IdentityFile $key
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile $scratch/known_hosts
    StrictHostKeyChecking accept-new
    BatchMode yes
    ControlPath none
    LogLevel error
CONF
# As root it wants an empty folder to lock its unprivileged half into.
if [[ $EUID == 0 && ! -d /run/sshd ]]; then
    mkdir -m 755 /run/sshd
    trap 'rmdir /run/sshd; stop_everything' EXIT
fi

# in_two COMMAND WORD...: ssh, scp or sftp in domain 2.
in_two() {
    local command=$1
    shift
    timeout 300 "$in_domain" 2 "$command" -F "$scratch/ssh_config" "$@"
}
run_commands() {
    [[ $(in_two ssh 127.44.0.1 echo hello from the other side) == "hello from the other side" ]] || return
    in_two ssh 127.44.0.1 exit 42
    [[ $? == 42 ]]
}
# Bytes that would show a lost, doubled or moved piece, without the time that so many random ones take.
make_file() { openssl enc -aes-128-ctr -pass pass:xylem -nosalt -pbkdf2 </dev/zero 2>/dev/null | head -c "$1" >"$2"; }
copy_there_and_back() {
    in_two scp -q "$scratch/file" "127.44.0.1:$scratch/there" && cmp "$scratch/file" "$scratch/there" || return
    in_two scp -q "127.44.0.1:$scratch/there" "$scratch/back" && cmp "$scratch/file" "$scratch/back"
}
# Both only read the file.
# shellcheck disable=SC2094
through_a_pipe() { in_two ssh 127.44.0.1 cat <"$scratch/file" | cmp - "$scratch/file"; }
# A connection inside the connection: sshd connects to its own domain, ssh listens in the other one.
through_a_forwarding() {
    local inner status
    inner=$(free_port_below 32000)
    background 2 ssh -F "$scratch/ssh_config" -N -L "127.44.0.2:$inner:127.44.0.1:$port" 127.44.0.1
    until_true 20 listens 2 "$inner" || return
    [[ $(in_two ssh -p "$inner" -o HostKeyAlias=127.44.0.1 127.44.0.2 echo twice) == twice ]]
    status=$?
    kill "$background_pid" && wait "$background_pid"
    return "$status"
}
# In two connections at once; one is held back to some seconds. The far side counts.
# shellcheck disable=SC2016
copy_slowly() {
    in_two scp -q -l 200000 "$scratch/piece" "127.44.0.1:$scratch/slow" &
    [[ $(in_two ssh 127.44.0.1 'for n in $(seq 40); do echo $n; sleep 0.1; done') == "$(seq 40)" ]] && wait $! &&
        cmp "$scratch/piece" "$scratch/slow"
}
several_at_once() {
    local n pids=()
    for n in 1 2 3 4 5 6; do
        in_two ssh 127.44.0.1 "head -c 3000000 $scratch/file" >"$scratch/several-$n" &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n" || return; done
    for n in 1 2 3 4 5 6; do head -c 3000000 "$scratch/file" | cmp - "$scratch/several-$n" || return; done
}

make_file "$size" "$scratch/file"
serve "$(command -v sshd)" -D -e -f "$scratch/sshd_config"
serves_on "$port"
round "ssh runs commands" 2 5000 run_commands
before=$(program_holds "$server")
round "scp of $((size >> 20)) MB there and back" 2 $((2 * size)) copy_there_and_back
round "$((size >> 20)) MB through ssh and cat" 1 $((2 * size)) through_a_pipe
round "six at once" 6 18000000 several_at_once
round "ssh through a forwarded port" 3 10000 through_a_forwarding
check "sshd holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
head -c $((64 << 20)) "$scratch/file" >"$scratch/piece"
agent_loss "ssh and scp" copy_slowly
check "sshd is offered again" until_true 20 listens 1 "$port"
round "ssh, afterwards" 2 5000 run_commands
kill -TERM "$server"
wait "$server"
check_leaks
if ((tap_failed > 0)); then sed 's/^/# /' "$scratch/server.log" | tail -n 40; fi
report_row "sshd, ssh, scp" "$(version_of openssh-server)"
finish
