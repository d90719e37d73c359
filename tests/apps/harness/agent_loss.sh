# Sourced after programs.sh: programs whose agents are killed and started again under them.
# shellcheck shell=bash disable=SC2154

# lose_agents PID [SECONDS]: kills the domains' agents in turn, each for a while, until the process has ended; between
# two losses they live for so long. Counts in $losses.
lose_agents() {
    local domain counted n lives=${2:-1}
    losses=0
    while kill -0 "$1" 2>/dev/null; do
        for domain in "${!agent_pid[@]}"; do
            sleep "$lives"
            read -r -a counted < <(counted_by "$domain")
            stop_agent "$domain" KILL
            for n in 0 1 2; do lost_totals[n]=$((lost_totals[n] + counted[n])); done
            losses=$((losses + 1))
            sleep 0.4
            # shellcheck disable=SC2086
            start_agent "$domain" ${agent_options[$domain]}
        done
    done
}

# agent_loss NAME COMMAND...: a shell function or command, and one connection of it at least lasts as long as it does.
# It ends well although each agent is lost meanwhile: what is established goes on, what is new goes over rings, or over
# TCP while there is no agent.
agent_loss() {
    local name=$1 losses=0 pid
    shift
    "$@" >"$scratch/loss.log" 2>&1 &
    pid=$!
    lose_agents "$pid"
    if wait "$pid"; then
        passed "$name while agents are killed"
    else
        failed "$name while agents are killed: ends with $?"
        tail -n 20 "$scratch/loss.log" | sed 's/^/#   /'
    fi
    note "$name: agents were killed $losses times"
    check "$name: each agent was killed" test "$losses" -ge "${#agent_pid[@]}"
}
