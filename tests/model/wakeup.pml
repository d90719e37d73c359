/* The wake-up recipe of vsock-transport/wakeup/recipe.hpp on a machine with store buffers.
 *
 * Every processor has a buffer of stores that the others do not see yet; a flusher empties it, in order, at
 * any time. A load takes the newest own buffered value, else memory. A full fence waits for an empty buffer.
 * A read-modify-write waits for an empty buffer, too (it releases), and works on memory; a later load may be
 * done before it, as on processors where it only acquires and releases, unless a fence stands in between.
 *
 * Default: one thread that sleeps by a slot (stream/blocking.hpp) against one kicker (Stream::kick and
 * Doorbell::ring without an area). -DAREA: the owner of an epoll set (ReadyArea) against two kickers, whose
 * connections share a word of the bitmap. Sleeps are not bounded here: a lost wake-up is a deadlock, which
 * spin reports as an invalid end state. wakeup_model.sh takes out one step at a time:
 *
 *   NO_WAITER_FENCE   (W1) between arming and the re-check
 *   NO_KICKER_FENCE   (K1) between publishing and looking for waiters
 *   NO_RECHECK        the second look after arming
 *   NO_RING_FENCE     AREA: between setting the bits and looking at `sleeping`
 *   NO_COLLECT_FENCE  AREA: between taking a word of bits and looking at its connections
 *   NO_SUMMARY        AREA: the kicker sets the bit, and forgets the summary
 */
#define PROGRESS 2 /* what each kicker publishes; 3 finds no more and takes a minute */

#ifdef AREA
#define KICKERS 2
#else
#define KICKERS 1
#endif
#define CPUS (KICKERS + 1)
#define WAITER KICKERS

#define CURSOR(k) (k) /* of kicker k's connection */
#define SLOT 2        /* the waiter's token, 0 if it is awake */
#define WORD 3
#define SUMMARY 4
#define SLEEPING 5
#define WORDS 6

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

#ifndef AREA

proctype kicker(byte me) {
    byte published, token, last_rung;
    do
    :: published < PROGRESS ->
        published++;
        store(me, CURSOR(me), published);
#ifndef NO_KICKER_FENCE
        full_fence(me);
#endif
        load(me, SLOT, token);
        if
        :: token != 0 && token != last_rung -> last_rung = token; kick()
        :: else
        fi
    :: else -> break
    od
}

proctype waiter() {
    byte seen, now, epoch;
    do
    :: seen < PROGRESS ->
        load(WAITER, CURSOR(0), now);
        if
        :: now > seen -> seen = now
        :: else ->
            epoch++;
            store(WAITER, SLOT, epoch);
#ifndef NO_WAITER_FENCE
            full_fence(WAITER);
#endif
#ifndef NO_RECHECK
            load(WAITER, CURSOR(0), now);
#endif
            if
            :: now > seen
            :: else -> kicks?_
            fi;
            store(WAITER, SLOT, 0)
        fi
    :: else -> break
    od
}

#else

proctype kicker(byte me) {
    byte published, bits, sleeping;
    bit looked_early;
    do
    :: published < PROGRESS ->
        published++;
        store(me, CURSOR(me), published);
#ifndef NO_KICKER_FENCE
        full_fence(me);
#endif
        load(me, WORD, bits);
        if
        :: (bits & (1 << me)) != 0
        :: else ->
#ifdef NO_RING_FENCE
            looked_early = 0;
            if
            :: load(me, SLEEPING, sleeping); looked_early = 1
            :: skip
            fi;
#endif
            fetch_or(me, WORD, (1 << me));
#ifndef NO_SUMMARY
            fetch_or(me, SUMMARY, 1);
#endif
#ifndef NO_RING_FENCE
            full_fence(me);
#endif
            if
            :: looked_early
            :: else -> load(me, SLEEPING, sleeping)
            fi;
            if
            :: sleeping != 0 ->
                exchange_zero(me, SLEEPING, sleeping);
                if
                :: sleeping != 0 -> kick()
                :: else
                fi
            :: else
            fi
        fi
    :: else -> break
    od
}

/* Takes all bits, and looks at the connection of each. */
inline collect() {
    load(WAITER, SUMMARY, bits);
    if
    :: bits != 0 ->
        exchange_zero(WAITER, SUMMARY, bits);
        load(WAITER, WORD, bits);
        if
        :: bits != 0 ->
#ifdef NO_COLLECT_FENCE
            looked_early = 0;
            if
            :: load(WAITER, CURSOR(0), now[0]); load(WAITER, CURSOR(1), now[1]); looked_early = 1
            :: skip
            fi;
#endif
            exchange_zero(WAITER, WORD, bits);
#ifndef NO_COLLECT_FENCE
            full_fence(WAITER);
#endif
            if
            :: looked_early
            :: else -> load(WAITER, CURSOR(0), now[0]); load(WAITER, CURSOR(1), now[1])
            fi;
            if
            :: (bits & 1) != 0 -> seen[0] = now[0]
            :: else
            fi;
            if
            :: (bits & 2) != 0 -> seen[1] = now[1]
            :: else
            fi
        :: else
        fi
    :: else
    fi
}

proctype waiter() {
    byte seen[2], now[2], bits;
    bit looked_early;
    do
    :: seen[0] < PROGRESS || seen[1] < PROGRESS ->
        store(WAITER, SLEEPING, 1);
#ifndef NO_WAITER_FENCE
        full_fence(WAITER);
#endif
#ifndef NO_RECHECK
        load(WAITER, SUMMARY, bits);
#else
        bits = 0;
#endif
        if
        :: bits != 0
        :: else -> kicks?_
        fi;
        store(WAITER, SLEEPING, 0);
        collect()
    :: else -> break
    od
}

#endif

init {
    byte cpu;
    atomic {
        for (cpu : 0 .. CPUS - 1) { run flusher(cpu) }
        for (cpu : 0 .. KICKERS - 1) { run kicker(cpu) }
        run waiter()
    }
}
