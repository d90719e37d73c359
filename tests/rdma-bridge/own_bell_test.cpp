#include "rdma-bridge/own_bell.hpp"

#include <gtest/gtest.h>

namespace xylem::bridge {
namespace {

TEST(BridgeBell, of_a_pair_that_has_no_connection_for_a_moment_is_kept) {
    auto made = OwnBell::make(1, {1, 1 << 16});
    ASSERT_TRUE(made);
    OwnBell& bell = **made;
    const unsigned bit = bell.take_bit();
    EXPECT_FALSE(bell.is_unused() || bell.is_idle());
    bell.give_back(bit);
    EXPECT_TRUE(bell.is_unused());
    EXPECT_FALSE(bell.is_idle());
    EXPECT_EQ(bell.take_bit(), bit);
    EXPECT_FALSE(bell.is_unused());
}

}  // namespace
}  // namespace xylem::bridge
