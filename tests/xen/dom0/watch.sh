# shellcheck shell=dash
# shellcheck disable=SC2154  # nap comes from /settings
# Runs the guests until both have finished their tests, and does what their tests ask for. Sourced by init.
#
# All is said on the guests' consoles, which xenconsoled writes to files. Each line goes to the runner, and these
# mean something here:
#   xylem: up              the guest has booted: from here on it keeps its domain id until a test has it created again
#   xylem: begin TEST      what a guest asks for below belongs to that test
#   xylem: recreate NAME   destroys that guest and creates it again, to begin with the test that asked; the other sees
#                          its data/peer change
#   xylem: destroy NAME    the same, but it stays away: data/peer becomes 0
#   xylem: measure LABEL SECONDS    reports the processor times of all domains for so long a time, in which dom0 does nothing
#   xylem: count NAME TURN  writes `TURN GRANTS CHANNELS` into the guest's data/count: how many of its pages other guests
#                          have mapped, and how many of its event channels are bound to other guests
#   xylem: show guests     dom0 shows the guests' names to all of them, with control/dom0/xylem-guests
#   xylem: finished        the guest has run all its tests
looks_between_polls_of_xenstore=10
longest_boot_seconds=120 # a quarter of that is usual
longest_still_seconds=180 # run_guest changes data/beat every ten
carriage_return=$(printf '\r')
rest_a=
rest_b=

finished() { [ -e /run/guest/a/finished ] && [ -e /run/guest/b/finished ]; }

cpu_times() { xl list | awk 'NR > 1 { print $1, $6 }'; }

# measure "LABEL SECONDS"
uptime_with_fraction() { cut -d ' ' -f 1 /proc/uptime; }
measure() {
    local before after began seconds
    before=$(cpu_times)
    began=$(uptime_with_fraction)
    sleep "${1##* }"
    after=$(cpu_times)
    seconds=$(awk -v began="$began" -v ended="$(uptime_with_fraction)" 'BEGIN { printf "%.1f", ended - began }')  # asking takes long, too
    printf '%s\nafter\n%s\n' "$before" "$after" | awk -v label="${1%% *}" -v seconds="$seconds" '
        /^after/ { after = 1; next }
        !after { before[$1] = $2 }
        after { print label, $1, seconds, before[$1], $2 }' | while IFS= read -r line; do report "cpu|$line"; done
}

# grant_tables: as the hypervisor prints them.
grant_tables() {
    xl dmesg -c >/dev/null
    xl debug-keys g
    xl dmesg
}
# mapped_of DOMID: pages of it that other guests have mapped.
mapped_of() {
    grant_tables | awk -v domid="$1" '
        /grant-table for remote d/ { mine = $0 ~ "remote d" domid " " }
        mine && /\[0x[0-9a-f]+\] / && $3 != 0 { count++ }
        END { print count + 0 }'
}
# bound_of DOMID: its event channels that are bound to other guests.
bound_of() { lsevtchn "$1" | grep "Interdomain (Connected)" | grep -vc "Remote Domain 0"; }
# count_for NAME TURN
count_for() {
    local domid
    domid=$(domid_of "$1")
    xenstore-write "/local/domain/$domid/data/count" "$2 $(mapped_of "$domid") $(bound_of "$domid")"
}

# obey NAME LINE
obey() {
    local other=${2##* }
    case $2 in
        *"xylem: up"*) : >"/run/guest/$1/up" ;;
        *"xylem: begin "*) echo "$other" >"/run/guest/$1/test" ;;
        *"xylem: finished"*) : >"/run/guest/$1/finished" ;;
        *"xylem: count "[ab]" "*) count_for "$1" "$other" ;;
        *"xylem: show guests") xylem-guests --once ;;
        *"xylem: measure "*) measure "${2#*xylem: measure }" ;;
        *"xylem: recreate "[ab]) echo "recreate $other $(cat "/run/guest/$1/test")" >>/run/guest/wishes ;;
        *"xylem: destroy "[ab]) echo "destroy $other" >>/run/guest/wishes ;;
    esac
}

# Guests are introduced when all that there are have booted: one that fell over is another domain then.
introduce_soon() { : >/run/guest/introduce; }
introduce_if_up() {
    local name
    [ -e /run/guest/introduce ] || return 0
    for name in a b; do
        [ -z "$(domid_of "$name")" ] || [ -e "/run/guest/$name/up" ] || return 0
    done
    introduce
    rm /run/guest/introduce
}

# Not while lines are read: first all that the guest has said until its end must be passed on.
fulfil_wishes() {
    local wish name test
    [ -e /run/guest/wishes ] || return 0
    mv /run/guest/wishes /run/guest/wishes.taken
    while read -r wish name test; do
        destroy "$name"
        sleep 1
        follow_both
        if [ "$wish" = recreate ]; then create "$name" "$test"; else : >"/run/guest/$name/finished"; fi
        introduce_soon
    done </run/guest/wishes.taken
}

# follow NAME FD REST: passes on the lines that came since. REST of a line that is not complete comes back in $rest.
follow() {
    rest=$3
    while IFS= read -r line <&"$2"; do
        line=$rest${line%"$carriage_return"}
        rest=
        report "$1|$line"
        obey "$1" "$line"
    done
    rest=$rest$line
}

follow_both() {
    follow a 3 "$rest_a"
    rest_a=$rest
    follow b 4 "$rest_b"
    rest_b=$rest
}

# still_seconds NAME: for how long it has been as it is, booting or with the same beat.
still_seconds() {
    local state=/run/guest/$1 beat
    beat=$(xenstore-read "/local/domain/$(domid_of "$1")/data/beat" 2>/dev/null)
    if [ "$beat" != "$(cat "$state/beat")" ]; then
        echo "$beat" >"$state/beat"
        uptime_seconds >"$state/since"
    fi
    echo $(($(uptime_seconds) - $(cat "$state/since")))
}

# why_down NAME: in words, if it is gone; or if it fell over as it booted, or stands still, and stays for whoever looks after it.
why_down() {
    local domid longest=$longest_still_seconds still
    domid=$(domid_of "$1")
    if ! xenstore-exists "/local/domain/$domid"; then
        echo "crashed or went down by itself"
        return
    fi
    still=$(still_seconds "$1")
    [ -e "/run/guest/$1/test" ] || longest=$longest_boot_seconds
    if [ "$still" -gt "$longest" ] && [ ! -e "/run/guest/$1/finished" ]; then
        echo "stood still for $still s, its clock too"
    elif [ ! -e "/run/guest/$1/test" ] && xl list "$domid" | awk 'NR == 2 { exit $5 ~ /[scd]/ ? 0 : 1 }'; then
        echo "fell over as it booted"
    fi
}

# A guest that is gone, though nobody asked for it, has crashed. Before its first test it gets another start.
look_for_lost() {
    local name why
    for name in a b; do
        [ -n "$(domid_of "$name")" ] || continue
        why=$(why_down "$name")
        [ -n "$why" ] || continue
        xl destroy "$name" 2>/dev/null
        rm "/run/guest/$name/domid"
        if [ ! -e "/run/guest/$name/test" ] && boots_left "$name"; then
            report "event|again $name"
            boot "$name"
            introduce_soon
        else
            report "event|lost $name $why"
        fi
    done
}

report_grants() { grant_tables | while IFS= read -r line; do report "grants|$line"; done; }

watch_guests() {
    local looks=0
    while :; do
        # Before the last lines are read, so that none is missed.
        over=$(finished && echo yes)
        follow_both
        fulfil_wishes
        introduce_if_up
        [ -z "$over" ] || break
        looks=$((looks + 1))
        [ $((looks % looks_between_polls_of_xenstore)) -ne 0 ] || look_for_lost
        sleep "$nap"
    done
}

: >"$(console_of a)"
: >"$(console_of b)"
exec 3<"$(console_of a)" 4<"$(console_of b)"
if create a && create b; then
    introduce_soon
    watch_guests
    report_grants
    destroy a
    destroy b
    report "event|done"
fi
