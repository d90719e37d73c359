#include "rdma-bridge/pinned_memory.hpp"

#include <gtest/gtest.h>

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t take_all(PinnedMemory& memory, const std::string& node) {
    std::uint64_t taken = 0;
    while (memory.take_ring(node, kMiB)) taken += kMiB;
    return taken;
}

TEST(PinnedMemory, one_node_leaves_a_share_for_the_next_one) {
    PinnedMemory memory(256 * kMiB);
    EXPECT_EQ(take_all(memory, "a"), 204 * kMiB);
    EXPECT_GT(take_all(memory, "b"), 40 * kMiB);
    EXPECT_GT(take_all(memory, "c"), 7 * kMiB);
    EXPECT_FALSE(memory.take_ring("a", kMiB));
}

TEST(PinnedMemory, the_largest_rings_of_a_node_do_not_take_all_either) {
    PinnedMemory memory(256 * kMiB);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(memory.take_ring("a", 64 * kMiB));
    EXPECT_FALSE(memory.take_ring("a", 64 * kMiB));
    EXPECT_TRUE(memory.take_ring("b", 2 * kMiB));
}

TEST(PinnedMemory, what_is_given_back_is_there_again) {
    PinnedMemory memory(256 * kMiB);
    const std::uint64_t first = take_all(memory, "a");
    for (std::uint64_t given = 0; given < first; given += kMiB) memory.give_back_ring("a", kMiB);
    EXPECT_EQ(memory.ring_bytes(), 0U);
    EXPECT_EQ(take_all(memory, "b"), first);
}

TEST(PinnedMemory, of_nothing_nobody_gets_any) {
    PinnedMemory memory(0);
    EXPECT_FALSE(memory.take_ring("a", 1));
}

TEST(PinnedMemory, rings_do_not_take_the_places_of_callers_nor_strangers_more_than_theirs) {
    PinnedMemory memory(kMiB);
    take_all(memory, "a");
    for (unsigned i = 0; i < PinnedMemory::kMostStrangers; ++i) EXPECT_TRUE(memory.take_stranger());
    EXPECT_FALSE(memory.take_stranger());
    memory.leave_stranger();
    EXPECT_TRUE(memory.take_stranger());
}

}  // namespace
}  // namespace xylem::bridge
