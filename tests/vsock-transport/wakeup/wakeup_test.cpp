// Tokens, slots, the recipe and the spin budget.
#include <gtest/gtest.h>
#include <sched.h>
#include <time.h>

#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "vsock-transport/wakeup/recipe.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"
#include "vsock-transport/wakeup/waiter_slots.hpp"

namespace xylem {
namespace {

TEST(wait_token, keeps_its_three_parts_apart) {
    constexpr WaitToken kToken(0xDEAD'BEEF, 0x1234, 0xABCD);
    static_assert(kToken.doorbell_id() == 0xDEAD'BEEF && kToken.index() == 0x1234 &&
                  kToken.epoch() == 0xABCD);
    EXPECT_EQ(WaitToken(kToken.bits()).bits(), kToken.bits());
    EXPECT_FALSE(WaitToken());
    EXPECT_FALSE(WaitToken(0, 5, 6)) << "doorbell 0 is nobody";
    EXPECT_NE(WaitToken(1, 0, 0xFFFF).bits(), WaitToken(1, 0, 0).bits());
}

class Slots : public testing::Test {
  protected:
    AtomicU64 owned_[kWaiterSlots];
    AtomicU64 shown_[kWaiterSlots];
    WaiterSlots slots_{owned_, shown_};
};

TEST_F(Slots, are_claimed_shown_and_given_back) {
    std::set<int> claimed;
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        const int slot = slots_.claim(WaitToken(i + 1, 0, 0));
        ASSERT_NE(slot, WaiterSlots::kNone);
        EXPECT_EQ(WaitToken(shown_[slot].load_acquire()).doorbell_id(), i + 1);
        claimed.insert(slot);
    }
    EXPECT_EQ(claimed.size(), kWaiterSlots);
    EXPECT_EQ(slots_.claim(WaitToken(9, 0, 0)), WaiterSlots::kNone);
    slots_.update(2, WaitToken(3, 0, 77));
    EXPECT_EQ(WaitToken(shown_[2].load_acquire()).epoch(), 77U);
    slots_.release(2);
    EXPECT_EQ(shown_[2].load_acquire(), 0U);
    EXPECT_EQ(slots_.claim(WaitToken(9, 0, 0)), 2);
    slots_.update(WaiterSlots::kNone, WaitToken(1, 0, 0));
    slots_.release(WaiterSlots::kNone);
}

TEST_F(Slots, of_a_dead_process_are_freed_by_its_doorbell_and_others_stay) {
    (void)slots_.claim(WaitToken(7, 1, 1));
    const int kept = slots_.claim(WaitToken(8, 1, 1));
    (void)slots_.claim(WaitToken(7, 2, 5));
    slots_.release_doorbell(7);
    for (int i = 0; i < static_cast<int>(kWaiterSlots); ++i) {
        EXPECT_EQ(owned_[i].load_acquire() != 0, i == kept);
        EXPECT_EQ(shown_[i].load_acquire() != 0, i == kept);
    }
}

TEST_F(Slots, do_not_read_back_what_the_peer_can_write) {
    shown_[0].store_release(~0ULL);
    EXPECT_EQ(slots_.claim(WaitToken(1, 0, 0)), 0);
    shown_[0].store_release(0);
    EXPECT_EQ(slots_.claim(WaitToken(2, 0, 0)), 1) << "slot 0 is still taken";
}

TEST_F(Slots, have_one_owner_each_however_many_threads_want_them) {
    std::vector<std::thread> threads;
    AtomicU32 inside[kWaiterSlots];
    for (std::uint32_t id = 1; id <= 6; ++id) {
        threads.emplace_back([&, id] {
            for (std::uint16_t epoch = 0; epoch < 20'000; ++epoch) {
                const int slot = slots_.claim(WaitToken(id, 0, epoch));
                if (slot == WaiterSlots::kNone) continue;
                EXPECT_EQ(inside[slot].fetch_add(1), 0U);
                EXPECT_EQ(shown_[slot].load_acquire(), WaitToken(id, 0, epoch).bits());
                inside[slot].fetch_sub(1);
                slots_.release(slot);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const AtomicU64& slot : owned_) EXPECT_EQ(slot.load_acquire(), 0U);
}

TEST(recipe, sleeps_only_if_the_second_look_finds_nothing) {
    std::string steps;
    const auto run = [&](bool ready) {
        steps.clear();
        return sleep_unless(
            1, [&] { steps += "arm "; }, [&] { return steps += "look ", ready; },
            [&] { return steps += "sleep ", 2; }, [&] { steps += "disarm"; });
    };
    EXPECT_EQ(run(true), 1);
    EXPECT_EQ(steps, "arm look disarm");
    EXPECT_EQ(run(false), 2);
    EXPECT_EQ(steps, "arm look sleep disarm");
}

TEST(wait_policy, halves_its_budget_until_it_is_zero_and_a_win_brings_it_back) {
    WaitPolicy policy;
    policy.set_max_ns(8'000);
    for (const std::uint32_t expected : {8'000U, 4'000U, 2'000U}) {
        EXPECT_EQ(policy.next_budget_ns(), expected);
        policy.lost();
    }
    EXPECT_EQ(policy.next_budget_ns(), 0U);
    policy.won();
    EXPECT_EQ(policy.next_budget_ns(), 8'000U);
}

// How many waits pass until one may spin again.
unsigned waits_until_a_probe(WaitPolicy& policy, std::uint32_t& budget_ns) {
    unsigned waits = 0;
    do {
        budget_ns = policy.next_budget_ns();
        ++waits;
    } while (budget_ns == 0);
    return waits;
}

TEST(wait_policy, probes_ever_less_while_probes_lose) {
    WaitPolicy policy;
    policy.set_max_ns(2'000);
    policy.lost();
    std::uint32_t budget_ns = 0;
    for (unsigned expected = WaitPolicy::kProbeFirst; expected <= WaitPolicy::kProbeLast; expected *= 2) {
        EXPECT_EQ(waits_until_a_probe(policy, budget_ns), expected);
        EXPECT_EQ(budget_ns, policy.probe_ns());
        policy.lost();
    }
    EXPECT_EQ(waits_until_a_probe(policy, budget_ns), WaitPolicy::kProbeLast);
    policy.won();
    EXPECT_EQ(policy.next_budget_ns(), 2'000U);
}

TEST(wait_policy, a_probe_is_longer_than_a_wake_up) {
    WaitPolicy policy;
    policy.lost_the_core();
    std::uint32_t budget_ns = 0;
    EXPECT_EQ(waits_until_a_probe(policy, budget_ns), 2 * WaitPolicy::kProbeFirst);
    EXPECT_EQ(budget_ns, policy.probe_ns());
}

TEST(wait_policy, gives_up_at_once_when_the_core_is_taken_away) {
    WaitPolicy policy;
    policy.set_max_ns(kMaxSpinNs);
    const timespec away = to_timespec(2 * policy.stolen_ns());
    EXPECT_FALSE(policy.spin([&away] {
        ::nanosleep(&away, nullptr);
        return false;
    }));
    EXPECT_EQ(policy.next_budget_ns(), 0U);
}

// Somebody keeps this core busy: it gets the core with the spin's first yield, and keeps it for a slice.
TEST(wait_policy, what_came_true_while_the_core_was_taken_away_is_no_win) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    AtomicU32 is_over;
    const auto pinned = [&one](auto work) {
        ::sched_setaffinity(0, sizeof one, &one);
        work();
    };
    std::thread busy(pinned, [&is_over] {
        while (is_over.load_relaxed() == 0) cpu_relax();
    });
    bool gave_up = false;
    std::thread waiter(pinned, [&gave_up] {
        for (int attempt = 0; attempt < 200 && !gave_up; ++attempt) {
            WaitPolicy policy;
            std::uint64_t last_ns = now_ns();
            const bool was_ready = policy.spin([&] {
                const std::uint64_t before_ns = last_ns;
                last_ns = now_ns();
                return last_ns - before_ns >= policy.stolen_ns();
            });
            gave_up = was_ready && policy.next_budget_ns() == 0;
        }
    });
    waiter.join();
    is_over.store_relaxed(1);
    busy.join();
    EXPECT_TRUE(gave_up);
}

// Two threads on one core, each waiting for the other: without giving the core away, every spin is in vain.
TEST(wait_policy, a_peer_on_the_same_core_gets_to_answer_while_one_spins) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    AtomicU32 turn;
    constexpr std::uint32_t kTurns = 2'000;
    const auto play = [&turn, &one](std::uint32_t mine) {
        ::sched_setaffinity(0, sizeof one, &one);
        WaitPolicy policy;
        unsigned won = 0;
        for (std::uint32_t i = mine; i < kTurns; i += 2) {
            const auto is_my_turn = [&turn, i] { return turn.load_acquire() == i; };
            won += is_my_turn() || policy.spin(is_my_turn) ? 1 : 0;
            while (!is_my_turn()) ::sched_yield();
            turn.store_release(i + 1);
        }
        return won;
    };
    unsigned other_won = 0;
    std::thread other([&] { other_won = play(1); });
    unsigned own_won = 0;
    std::thread own([&] { own_won = play(0); });
    other.join();
    own.join();
    EXPECT_GT(own_won + other_won, kTurns / 10);
}

TEST(wait_policy, with_a_maximum_of_zero_never_spins) {
    WaitPolicy policy;
    policy.set_max_ns(0);
    for (unsigned i = 0; i < 3 * WaitPolicy::kProbeFirst; ++i) {
        EXPECT_FALSE(policy.spin([]() -> bool { throw std::runtime_error("must not look"); }));
    }
}

TEST(wait_policy, spins_until_ready_or_for_its_budget) {
    WaitPolicy policy;
    int looks = 0;
    EXPECT_TRUE(policy.spin([&] { return ++looks == 100; }));
    // A spin that another process interrupts ends early, and is no example.
    std::uint64_t spent_ns = 0;
    for (int attempt = 0; attempt < 10'000; ++attempt) {
        policy.won();
        const std::uint64_t start_ns = now_ns();
        EXPECT_FALSE(policy.spin([] { return false; }));
        spent_ns = now_ns() - start_ns;
        if (policy.next_budget_ns() != 0) break;
    }
    EXPECT_GE(spent_ns, kDefaultSpinNs);
    EXPECT_EQ(policy.next_budget_ns(), kDefaultSpinNs / 2);
}

}  // namespace
}  // namespace xylem
