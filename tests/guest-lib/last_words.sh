#!/bin/bash
# XYLEM_WHY: a line at the end of a process, measured by what the program counts; and where none may be said.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/watched_runs.sh
source tests/guest-lib/harness/watched_runs.sh
start_domains --log-level info

# last_words COMMAND...: of a process of domain 2 under XYLEM_WHY.
last_words() {
    XYLEM_WHY=1 timeout -k 5 "$patience" "$in_domain" 2 "$@" >"$scratch/out" 2>"$scratch/words" </dev/null
    code=$? words=$(<"$scratch/words")
}
words_are() { echo "$words" && [[ $words =~ ^$1$ ]]; }
listen 1 127.44.0.1
last_words "$transfer" send 127.44.0.1 "$port_file" 3000000
check "XYLEM_WHY: one line at the end of a process" words_are 'xylem: transfer\[[0-9]+\]: 1 over rings \(3000000 bytes sent, 0 received\), 0 on TCP'
listen 1 127.0.0.1
last_words "$transfer" send 127.0.0.1 "$port_file" 1000
check "with the reasons" words_are 'xylem: transfer\[[0-9]+\]: 0 over rings \(0 bytes sent, 0 received\), 1 on TCP: 1 not_mapped'
last_words /usr/bin/python3 -S -c 'import os, socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname())
os._exit(0)'
check "of a process that ends by _exit as well" words_are 'xylem: python3\[[0-9]+\]: .*, 1 on TCP: 1 not_mapped'
talker='import os, socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname())'
XYLEM_WHY=1 "$in_domain" 9 /usr/bin/python3 -S -c "$talker
server.accept()" 2>"$scratch/words"
words=$(<"$scratch/words")
check "both ends of a connection in a domain without an agent" words_are 'xylem: python3\[[0-9]+\]: .*, 2 on TCP: 2 no_agent'
last_words true
check "a process without connections says nothing" words_are ''
last_words /usr/bin/python3 -S -c "$talker
os.close(2)"
check "nor one that has closed standard error" words_are ''
last_words /usr/bin/python3 -S -c "$talker
os.dup2(os.open('$scratch/precious', os.O_RDWR | os.O_CREAT), 2)"
check "nor one that has made it another file" test ! -s "$scratch/precious"
last_words /usr/bin/python3 -S -c "$talker
os.dup2(os.open('/dev/null', os.O_RDWR), 2)"
check "nor a daemon" words_are ''
last_words /usr/bin/python3 -S -c "$talker
reader, writer = os.pipe()
if os.fork() == 0:
    os.dup2(writer, 2)
    os.execv('/usr/bin/python3', ['python3', '-S', '-c', '''$talker
os.read(0, 1)'''])
os.close(reader)
print(os.WTERMSIG(os.wait()[1]))"
check "a pipe that nobody reads costs no process its life" test "$(<"$scratch/out")" = 0
finish
