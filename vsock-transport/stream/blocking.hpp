// Waiting for one stream: spin for a while, then sleep by the recipe until the direction is ready, the
// deadline has passed or a signal came. A Sleeper is the calling thread's doorbell; it is asked for only when
// the spin was in vain.
//
//   struct Sleeper {
//       WaitToken next_token();                      // this thread's doorbell, a new epoch each time
//       WaitResult sleep(std::uint64_t deadline_ns);  // returns at a kick, at the deadline, or at a signal
//   };
#pragma once

#include <algorithm>

#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/recipe.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

enum class WaitResult : std::uint8_t { ready, timed_out, interrupted };

template <class Sleeper>
WaitResult sleep_for(Stream& stream, Direction direction, std::uint64_t seen_bytes, Sleeper& sleeper,
                     SleepBound& bound, std::uint64_t deadline_ns) {
    WaiterSlots slots = stream.waiters(direction);
    int slot = WaiterSlots::kNone;
    count(stream.page().counters.sleeps);
    return sleep_unless(
        WaitResult::ready, [&] { slot = slots.claim(sleeper.next_token()); },
        [&] { return stream.is_ready(direction, seen_bytes); },
        [&] {
            const std::uint64_t longest_ns = bound.next_ns(slot != WaiterSlots::kNone);
            return sleeper.sleep(std::min(deadline_ns, deadline_after(longest_ns)));
        },
        [&] { slots.release(slot); });
}

// Waits until is_ready(direction, seen_bytes). deadline_ns on now_ns()'s clock, kForever for none.
// MakeSleeper: () -> Sleeper.
template <class MakeSleeper>
WaitResult wait_until_ready(Stream& stream, Direction direction, WaitPolicy& policy,
                            std::uint64_t deadline_ns, MakeSleeper make_sleeper,
                            std::uint64_t seen_bytes = 0) {
    const auto is_ready = [&] { return stream.is_ready(direction, seen_bytes); };
    if (is_ready()) return WaitResult::ready;
    if (policy.spin(is_ready)) {
        count(stream.page().counters.spins_won);
        return WaitResult::ready;
    }
    count(stream.page().counters.spins_lost);
    auto&& sleeper = make_sleeper();
    SleepBound bound;
    while (!is_ready()) {
        if (now_ns() >= deadline_ns) return WaitResult::timed_out;
        if (sleep_for(stream, direction, seen_bytes, sleeper, bound, deadline_ns) == WaitResult::interrupted)
            return is_ready() ? WaitResult::ready : WaitResult::interrupted;
    }
    return WaitResult::ready;
}

}  // namespace xylem
