/* Using a connection again (vsock-transport/stream/reuse.cpp), on a machine with store buffers (store_buffers.pml): the
 * caller begins the next use, while the keeper, which closed a moment ago, first shows that it keeps its end, and then
 * waits for a caller, or leaves. A caller that believes to have begun must be accepted; one that is not seen waits for
 * ever. reuse_model.sh takes out one step at a time:
 *
 *   NO_CALLER_FENCE  (K1) between beginning and looking for the waiter and at the keeper
 *   NO_SECOND_LOOK   of the caller, whether the keeper has left
 *   NO_KEEPER_FENCE  (W1) between showing the waiter and looking for a caller
 *   NO_LEAVER_FENCE  between leaving and looking for a caller
 *   NO_STEP_BACK     the leaver does not look for a caller
 */
#define CPUS 2
#define CALLER 0
#define KEEPER 1

#define CALLERS_STATE 0
#define KEEPERS_STATE 1
#define SLOT 2
#define WORDS 3

/* States; FIN, KEPT and LEFT are of the use before. */
#define FIN 0
#define KEPT 1
#define LEFT 2
#define OPEN 3
#define RESET 4

#include "store_buffers.pml"

bit has_begun;
bit has_accepted;

proctype caller() {
    byte far, slot;
    bit done, looked_early;
    do
    :: load(CALLER, KEEPERS_STATE, far);
       if
       :: far == KEPT -> break
       :: far == LEFT -> goto given_up
       :: far == FIN
       fi
    od;
#ifdef NO_CALLER_FENCE
    if
    :: load(CALLER, SLOT, slot); load(CALLER, KEEPERS_STATE, far); looked_early = 1
    :: skip
    fi;
#endif
    compare_exchange(CALLER, CALLERS_STATE, KEPT, OPEN, done);
#ifndef NO_CALLER_FENCE
    full_fence(CALLER);
#endif
    if
    :: looked_early
    :: else -> load(CALLER, SLOT, slot)
    fi;
    if
    :: slot != 0 -> kick()
    :: else
    fi;
#ifndef NO_SECOND_LOOK
    if
    :: looked_early
    :: else -> load(CALLER, KEEPERS_STATE, far)
    fi;
#endif
    if
    :: far == KEPT || far == OPEN -> has_begun = 1
    :: else -> store(CALLER, CALLERS_STATE, RESET)
    fi;
given_up:
    skip
}

proctype keeper() {
    byte far;
    bit done, looked_early;
    store(KEEPER, KEEPERS_STATE, KEPT);
    store(KEEPER, SLOT, 1);
#ifndef NO_KEEPER_FENCE
    full_fence(KEEPER);
#endif
look:
    load(KEEPER, CALLERS_STATE, far);
    if
    :: far >= OPEN ->
        compare_exchange(KEEPER, KEEPERS_STATE, KEPT, OPEN, done);
        assert(done);
        has_accepted = 1
    :: else ->
        if
        :: goto end_asleep
        :: skip
        fi;
#ifdef NO_LEAVER_FENCE
        if
        :: load(KEEPER, CALLERS_STATE, far); looked_early = 1
        :: skip
        fi;
#endif
        compare_exchange(KEEPER, KEEPERS_STATE, KEPT, LEFT, done);
        assert(done);
#ifndef NO_LEAVER_FENCE
        full_fence(KEEPER);
#endif
#ifndef NO_STEP_BACK
        if
        :: looked_early
        :: else -> load(KEEPER, CALLERS_STATE, far)
        fi;
#endif
        if
        :: far >= OPEN -> compare_exchange(KEEPER, KEEPERS_STATE, LEFT, KEPT, done); goto look
        :: else
        fi
    fi;
    goto done_with_it;
end_asleep:
    kicks?_;
    goto look;
done_with_it:
    skip
}

/* When nothing moves any more. */
proctype judge() {
end:
    timeout -> assert(!has_begun || has_accepted)
}

init {
    atomic {
        memory[CALLERS_STATE] = KEPT;
        run flusher(CALLER);
        run flusher(KEEPER);
        run caller();
        run keeper();
        run judge()
    }
}
