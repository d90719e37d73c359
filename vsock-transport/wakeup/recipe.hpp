// The one wake-up recipe. Whoever sleeps or wakes goes through these two functions; tests/model/wakeup.pml
// models them and loses a wake-up as soon as a fence or the re-check is taken out.
//
//   waiter                                  kicker
//   arm       name oneself in the slots     publish   store the cursor, state or ready bit
//   full fence                              full fence
//   re-check  look again, now visibly       test      load the slots
//   sleep     bounded                       kick      whoever they name
//   disarm
#pragma once

#include "vsock-transport/base/atomic.hpp"

namespace xylem {

// Returns sleep()'s answer, or `ready_answer` if ready() was true after arming.
template <class Answer, class Arm, class Ready, class Sleep, class Disarm>
inline Answer sleep_unless(Answer ready_answer, Arm arm, Ready ready, Sleep sleep, Disarm disarm) {
    arm();
    full_fence();  // (W1) pairs with publish_and_kick()
    const Answer answer = ready() ? ready_answer : sleep();
    disarm();
    return answer;
}

template <class Publish, class TestAndKick>
inline void publish_and_kick(Publish publish, TestAndKick test_and_kick) {
    publish();
    full_fence();  // (K1) pairs with sleep_unless()
    test_and_kick();
}

}  // namespace xylem
