/* The wake-up recipe of vsock-transport/wakeup/recipe.hpp on a machine with store buffers
 * (store_buffers.pml).
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

#include "store_buffers.pml"

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
