#!/bin/bash
# Programs whose sockets the library cannot carry are named by `xylem run --why`, with the reason, and by XYLEM_WHY.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/watched_runs.sh
source tests/guest-lib/harness/watched_runs.sh
start_domains --log-level info

cat >"$scratch/static.c" <<'SOURCE'
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    inet_pton(AF_INET, "127.44.0.1", &name.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (count != 4 || connect(fd, (struct sockaddr *)&name, sizeof name) != 0) return 1;
    close(open(words[3], O_CREAT | O_WRONLY, 0600));
    while (access(words[2], F_OK) != 0) usleep(10000);
    return 0;
}
SOURCE
check "a static program compiles" gcc -static -o "$scratch/static-program" "$scratch/static.c"
static_row='/static-program  static_program: the program is statically linked'
: >"$scratch/now"
listen 1 127.44.0.1
why 2 "$scratch/static-program" "$(cat "$port_file")" "$scratch/now" "$scratch/connected-once"
check "a static program runs" exits 0
check "and is named" sums_say "^xylem: +1  .*$static_row.*; link the program dynamically$"
check "and that nothing used the library" sums_do_not_say 'over rings: [0-9]'
listen 1 127.44.0.1
why 2 sh -c "\"$scratch/static-program\" $(cat "$port_file") \"$scratch/now\" /dev/null; :"
check "a static program that a shell starts is named as well" sums_say "^xylem: +1  .*$static_row"
check "by how many there were" sums_say '^xylem: past the library: 1 program$'
listen 1 127.44.0.1
why 2 /usr/bin/python3 -S -c "import subprocess; subprocess.run(['$scratch/static-program', '$(cat "$port_file")', '$scratch/now', '/dev/null'])"
check "and one that Python spawns" sums_say "^xylem: +1  .*$static_row"
listen 1 127.44.0.1
begin_why 2 sh -c "\"$scratch/static-program\" $(cat "$port_file") \"$scratch/end\" \"$scratch/connected\"; :"
check "a static program is connected for some time" until_true 20 test -e "$scratch/connected"
watcher=$(child_of "$begun")
sleeps_of() { sed -nE 's/^voluntary_ctxt_switches:\s*//p' "/proc/$1/status"; }
sleeps=$(sleeps_of "$watcher")
has_slept_more() { (($(sleeps_of "$watcher") >= sleeps + 2)); }
check "meanwhile xylem looks around" until_true 20 has_slept_more
: >"$scratch/end"
end_why
check "and has seen that it has TCP sockets" sums_say "^xylem: +1  .*$static_row; it has TCP sockets"

cat >"$scratch/go.c" <<'SOURCE'
__asm__(".section .note.go.buildid,\"a\",@note\n.long 3, 8, 4\n.asciz \"Go\"\n.byte 0\n.ascii \"build-id\"\n.previous");
int main(void) { return 0; }
SOURCE
check "a program with Go's note compiles" gcc -o "$scratch/go-program" "$scratch/go.c"
why 2 "$scratch/go-program"
check "a Go program is named" sums_say '^xylem: +1  .*/go-program  go_program: '

listen 1 127.44.0.1
why 2 sh -c "env -u LD_PRELOAD $transfer send 127.44.0.1 $port_file 1000"
check "a program that is started without LD_PRELOAD is named" sums_say '^xylem: +1  .*/transfer  not_preloaded: '
check "which env itself is not" sums_do_not_say '/env '
why 2 env -i "$(command -v true)"
check "one that gets no environment at all is named" sums_say '^xylem: +1  .*/true  not_preloaded: '
XYLEM_DISABLE=1 why 2 true
check "XYLEM_DISABLE is named" sums_say '/true  disabled: .*; unset XYLEM_DISABLE'
why 2 true
check "a program without sockets: that nobody used the library" sums_say '^xylem: no program used a TCP socket through the library$'

cat >"$scratch/io_uring.py" <<'SCRIPT'
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
parameters = ctypes.create_string_buffer(120)
fd = libc.syscall(ctypes.c_long(425), ctypes.c_long(4), parameters)
sys.exit(0 if fd >= 0 else 77)
SCRIPT
why 2 /usr/bin/python3 -S "$scratch/io_uring.py"
if [[ $code == 77 ]]; then
    skipped "a program that makes an io_uring is named" "this kernel makes none"
else
    check "a program that makes an io_uring is named" sums_say '^xylem: +1  .*python3.*  io_uring: .*; switch io_uring off'
fi

listen 1 127.44.0.1
XYLEM_WHY=1 "$in_domain" 2 sh -c "\"$scratch/static-program\" $(cat "$port_file") \"$scratch/now\" /dev/null; :" 2>"$scratch/words"
words=$(<"$scratch/words")
words_are() { echo "$words" && [[ $words =~ ^$1$ ]]; }
check "XYLEM_WHY names a static program when it is started" words_are "xylem: sh\[[0-9]+\]: .*/static-program: the program is statically linked: its sockets stay on TCP"
finish
