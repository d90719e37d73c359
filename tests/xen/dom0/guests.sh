# shellcheck shell=dash disable=SC2154
# Guests a and b: created, introduced to each other, destroyed. Sourced by init.
#
# What is known of guest NAME lies in /run/guest/NAME/: `domid` while it exists, `first`: the test that its last life began
# with, `life`: how often it was created since that test began, `test`: the one it runs, `boots`: how often its last life
# was begun, `since`: when that was, or when `beat` was seen to change (run_guest), by `uptime_seconds`.

report() { printf '%s\n' "$*" >&9; }

peer_of() { if [ "$1" = a ]; then echo b; else echo a; fi; }
domid_of() { cat "/run/guest/$1/domid" 2>/dev/null; }
uptime_seconds() {
    read -r up _ </proc/uptime
    echo "${up%.*}"
}
console_of() { echo "/var/log/xen/console/guest-$1.log"; }

# guest_config NAME FIRST_TEST
guest_config() {
    cat <<END
name = "$1"
type = "$(if [ "$1" = a ]; then echo "$kind_a"; else echo "$kind_b"; fi)"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
memory = $memory
vcpus = 1
tsc_mode = "native"
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
$(if [ "$network" = yes ]; then echo 'vif = ["script=vif-bridge"]'; fi)
extra = "console=hvc0 quiet loglevel=4 panic=1 mitigations=off xylem.guest=$1 xylem.life=$(cat "/run/guest/$1/life") xylem.from=$2"
END
}

# create NAME [FIRST_TEST]
create() {
    local state=/run/guest/$1 life
    mkdir -p "$state"
    life=1 # of the test that asked
    if [ -z "${2:-}" ]; then
        life=0
    elif [ "$(cat "$state/first")" = "$2" ]; then
        life=$(cat "$state/life")
    fi
    echo $((life + 1)) >"$state/life"
    echo "${2:-}" >"$state/first"
    rm -f "$state/boots"
    boot "$1"
}

# boots_left NAME: a life is begun three times at most. What falls over or stands still before its first test is the
# emulator's doing, with which a PVH guest's kernel now and then faults three times over where it sets up its memory.
boots_left() { [ "$(wc -l <"/run/guest/$1/boots")" -lt 3 ]; }

# boot NAME: with what `create` has written down.
boot() {
    local state=/run/guest/$1
    rm -f "$state/finished" "$state/test" "$state/up"
    echo "again" >>"$state/boots"
    uptime_seconds >"$state/since"
    : >"$state/beat"
    guest_config "$1" "$(cat "$state/first")" >"$state/config"
    if ! xl create -q "$state/config" >"$state/create.log" 2>&1; then
        report "event|failed to create guest $1: $(tr '\n' ' ' <"$state/create.log")"
        return 1
    fi
    if xl domid "$1" >"$state/domid" 2>/dev/null; then
        report "event|created $1 $(cat "$state/domid")"
    elif rm "$state/domid" && boots_left "$1"; then
        report "event|again $1"
        boot "$1"
    else
        report "event|failed to keep guest $1: it falls over as soon as it is created"
        return 1
    fi
}

# A guest finds the domain id of the other in its node data/peer; 0 while there is no other.
introduce() {
    local name peer
    for name in a b; do
        peer=$(domid_of "$(peer_of "$name")")
        [ -z "$(domid_of "$name")" ] || xenstore-write "/local/domain/$(domid_of "$name")/data/peer" "${peer:-0}"
    done
}

destroy() {
    [ -n "$(domid_of "$1")" ] || return 0
    xl destroy "$1"
    rm "/run/guest/$1/domid"
    report "event|destroyed $1"
}
