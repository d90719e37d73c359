# Sourced after domains.sh: transfers (tests/programs/transfer.cpp) between domains, in the background.
# shellcheck shell=bash disable=SC2154

transfer=$programs/transfer
patience=60

# begin_transfer RECEIVING_DOMAIN SENDING_DOMAIN ADDRESS BYTES|FILE [-p MILLISECONDS]: in the background;
# results will be in $where/receive and $where/send.
begin_transfer() {
    where=$(mktemp -d "$scratch/transfer-XXXXXX") # its own, also in a subshell
    background "$1" timeout -k 5 "$patience" "$transfer" receive "$3" "$where/port" >"$where/receive" 2>&1
    receiver=$background_pid
    background "$2" timeout -k 5 "$patience" "$transfer" send "$3" "$where/port" "${@:4}" >"$where/send" 2>&1
    sender=$background_pid
}
end_transfer() {
    wait "$sender" 2>"$where/wait"
    sender_code=$?
    wait "$receiver" 2>"$where/wait"
    receiver_code=$?
}

# Both sides saw the same bytes, to the end, over that transport.
went_well() {
    local sent received
    sent=$(cat "$where/send")
    received=$(cat "$where/receive")
    echo "sent: $sent (exit code $sender_code); received: $received (exit code $receiver_code)"
    [[ $sent == "$received" && $sent == *" end $1" ]] && ((sender_code == 0 && receiver_code == 0))
}
over() {
    local transport=$1 name=$2
    shift 2
    begin_transfer "$@"
    end_transfer
    check "$name" went_well "$transport"
}

bytes_moved() { (($(ring_bytes "$1") > $2)); }
