#include "guest-lib/spin_limit.hpp"

#include <gtest/gtest.h>

namespace xylem {
namespace {

TEST(spin_limit, is_zero_before_the_first_ring_socket_and_then_the_longest) {
    longest_spin_ns.store_relaxed(0);
    WaitPolicy policy;
    keep_to_longest_spin(policy);
    EXPECT_EQ(policy.next_budget_ns(), 0U);
    raise_longest_spin(20'000);
    raise_longest_spin(5'000);
    keep_to_longest_spin(policy);
    EXPECT_EQ(policy.next_budget_ns(), 20'000U);
}

// Else each wait would begin with a full budget.
TEST(spin_limit, a_policy_that_keeps_to_it_already_goes_on_as_it_was) {
    longest_spin_ns.store_relaxed(20'000);
    WaitPolicy policy;
    keep_to_longest_spin(policy);
    policy.lost();
    keep_to_longest_spin(policy);
    EXPECT_EQ(policy.next_budget_ns(), 10'000U);
}

}  // namespace
}  // namespace xylem
