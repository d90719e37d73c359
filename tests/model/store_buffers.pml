/* A machine of CPUS processors and WORDS words of memory, both defined by who includes this.
 *
 * Every processor has a buffer of stores that the others do not see yet; a flusher empties it, in order, at
 * any time. A load takes the newest own buffered value, else memory. A full fence waits for an empty buffer.
 * A read-modify-write waits for an empty buffer, too (it releases), and works on memory; a later load may be
 * done before it, as on processors where it only acquires and releases, unless a fence stands in between.
 */
byte memory[WORDS];
chan buffer[CPUS] = [3] of { byte, byte };
byte waiting[CPUS * WORDS]; /* stores to a word that are still in the buffer */
byte newest[CPUS * WORDS];  /* the last of them */
chan kicks = [1] of { bit }; /* the socket that the waiter polls; a second kick is not queued */

inline store(cpu, word, value) {
    atomic {
        nfull(buffer[cpu]);
        newest[cpu * WORDS + word] = value;
        waiting[cpu * WORDS + word]++;
        buffer[cpu]!word, value;
    }
}

inline load(cpu, word, into) {
    atomic {
        if
        :: waiting[cpu * WORDS + word] > 0 -> into = newest[cpu * WORDS + word]
        :: else -> into = memory[word]
        fi
    }
}

inline full_fence(cpu) { empty(buffer[cpu]) }

inline compare_exchange(cpu, word, from, to, done) {
    atomic {
        empty(buffer[cpu]);
        done = (memory[word] == from);
        if
        :: done -> memory[word] = to
        :: else
        fi
    }
}

inline exchange_zero(cpu, word, into) {
    atomic { empty(buffer[cpu]); into = memory[word]; memory[word] = 0 }
}

inline fetch_or(cpu, word, bits) {
    atomic { empty(buffer[cpu]); memory[word] = memory[word] | bits }
}

inline kick() {
    atomic {
        if
        :: nfull(kicks) -> kicks!1
        :: full(kicks)
        fi
    }
}

proctype flusher(byte cpu) {
    byte word, value;
end:
    do
    :: atomic {
        buffer[cpu]?word, value;
        memory[word] = value;
        waiting[cpu * WORDS + word]--;
        word = 0;
        value = 0
    }
    od
}
