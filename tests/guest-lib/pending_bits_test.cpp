// Two-level bit sets: finding, skipping, forgetting, growing.
#include "guest-lib/pending_bits.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace xylem {
namespace {

struct Bits {
    explicit Bits(int capacity)
        : memory(PendingBits::size_bytes(capacity) / sizeof(std::uint64_t)), bits(memory.data(), capacity) {}
    std::vector<std::uint64_t> memory;
    PendingBits bits;
};

std::vector<int> all_of(const PendingBits& bits, int from, int to) {
    std::vector<int> found;
    for (int i = bits.next(from, to); i >= 0; i = bits.next(i + 1, to)) found.push_back(i);
    return found;
}

TEST(PendingBitsTest, an_empty_set_has_nothing) {
    const Bits some(64), many(1 << 14);
    EXPECT_EQ(some.bits.next(0, 64), -1);
    EXPECT_EQ(many.bits.next(0, 1 << 14), -1);
    EXPECT_EQ(some.bits.next(64, 64), -1);
    EXPECT_EQ(PendingBits().next(0, 0), -1);
}

TEST(PendingBitsTest, numbers_are_found_within_bounds_and_in_order) {
    constexpr int kCapacity = 1 << 14;
    Bits set(kCapacity);
    for (int number : {0, 63, 64, 4095, 4096, kCapacity - 1}) set.bits.set(number);
    EXPECT_EQ(all_of(set.bits, 0, kCapacity), (std::vector<int>{0, 63, 64, 4095, 4096, kCapacity - 1}));
    EXPECT_EQ(all_of(set.bits, 1, 4096), (std::vector<int>{63, 64, 4095}));
    EXPECT_EQ(all_of(set.bits, 64, 64), std::vector<int>{});
    EXPECT_EQ(all_of(set.bits, 4097, kCapacity - 1), std::vector<int>{});
}

TEST(PendingBitsTest, it_agrees_with_a_set_of_numbers) {
    constexpr int kCapacity = 1 << 13;
    Bits set(kCapacity);
    std::set<int> model;
    std::minstd_rand random(7);
    for (int step = 0; step < 20'000; ++step) {
        const int number = static_cast<int>(random() % kCapacity);
        if (random() % 3 == 0) {
            set.bits.set(number);
            model.insert(number);
        } else {
            set.bits.clear(number);
            model.erase(number);
        }
        const int from = static_cast<int>(random() % kCapacity);
        const auto expected = model.lower_bound(from);
        ASSERT_EQ(set.bits.next(from, kCapacity), expected != model.end() ? *expected : -1) << from;
    }
    EXPECT_EQ(all_of(set.bits, 0, kCapacity), std::vector<int>(model.begin(), model.end()));
}

TEST(PendingBitsTest, a_larger_set_takes_over) {
    Bits small(64), large(128), largest(1 << 14);
    small.bits.set(5);
    large.bits.copy_from(small.bits);
    large.bits.set(127);
    largest.bits.copy_from(large.bits);
    EXPECT_EQ(all_of(largest.bits, 0, 1 << 14), (std::vector<int>{5, 127}));
}

}  // namespace
}  // namespace xylem
