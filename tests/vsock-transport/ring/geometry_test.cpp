#include "vsock-transport/ring/geometry.hpp"

#include <gtest/gtest.h>

namespace xylem {
namespace {

constexpr Cursor kLast = ~Cursor{0};

TEST(geometry, a_ring_size_is_a_power_of_two_between_a_page_and_64_mib) {
    for (std::uint64_t size = kMinRingSizeBytes; size <= kMaxRingSizeBytes; size *= 2) {
        EXPECT_TRUE(is_valid_ring_size(size)) << size;
        EXPECT_FALSE(is_valid_ring_size(size + 1)) << size;
        EXPECT_FALSE(is_valid_ring_size(size - 1)) << size;
    }
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2048}, 2 * kMaxRingSizeBytes,
          std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{3 * 4096}}) {
        EXPECT_FALSE(is_valid_ring_size(size)) << size;
    }
    static_assert(is_valid_ring_size(kDefaultRingSizeBytes));
}

TEST(geometry, cursors_count_modulo_two_to_the_64) {
    EXPECT_EQ(used_bytes(5, kLast - 4), 10U);
    EXPECT_EQ(free_bytes(5, kLast - 4, 4096), 4086U);
    EXPECT_EQ(free_bytes(4095, kLast, 4096), 0U);
    EXPECT_EQ(index_of(kLast, 0, 4096), 4095U);
    EXPECT_EQ(index_of(kLast + 1, 0, 4096), 0U);
    EXPECT_EQ(index_of(kLast + 3, kLast - 1, 4096), 4U);
    EXPECT_EQ(used_bytes(0, 1), kLast) << "more than any ring: a lie";
}

TEST(geometry, a_stretch_is_split_where_the_ring_ends) {
    const auto expect = [](Cursor cursor, std::size_t length, std::size_t offset, std::size_t first,
                           std::size_t second) {
        const Span2 span = split_at_wrap(index_of(cursor, 0, 4096), length, 4096);
        EXPECT_EQ(span.first_offset, offset);
        EXPECT_EQ(span.first_length, first);
        EXPECT_EQ(span.second_length, second);
    };
    expect(0, 4096, 0, 4096, 0);
    expect(4096, 0, 0, 0, 0);
    expect(4095, 1, 4095, 1, 0);
    expect(4095, 2, 4095, 1, 1);
    expect(1, 4096, 1, 4095, 1);
    expect(kLast, 2, 4095, 1, 1);
    expect(kLast - 4095, 4096, 0, 4096, 0);
}

TEST(geometry, only_cursors_between_the_last_one_and_the_limit_are_believed) {
    for (const Cursor base : {Cursor{0}, Cursor{1'000}, kLast, kLast - 50, kLast - 4095}) {
        EXPECT_TRUE(is_believable(base, base, base, 4096));
        EXPECT_TRUE(is_believable(base, base, base + 4096, 4096));
        EXPECT_FALSE(is_believable(base, base, base + 4097, 4096)) << "beyond";
        EXPECT_FALSE(is_believable(base, base, base - 1, 4096)) << "backwards";
        EXPECT_TRUE(is_believable(base, base + 100, base + 100, 4096));
        EXPECT_FALSE(is_believable(base, base + 100, base + 99, 4096)) << "behind the last one";
        EXPECT_FALSE(is_believable(base, base, base + (Cursor{1} << 63), 4096));
        EXPECT_TRUE(is_believable(base, base, base, 0));
        EXPECT_FALSE(is_believable(base, base, base + 1, 0));
    }
}

TEST(geometry, small_messages_far_from_the_origin_are_worth_a_look_once_in_a_while) {
    EXPECT_FALSE(is_worth_rewinding(kRewindBytes - 1, 0, 64)) << "still near";
    EXPECT_TRUE(is_worth_rewinding(kRewindBytes, 0, 64));
    EXPECT_TRUE(is_worth_rewinding(kRewindBytes + 63, 0, 64));
    EXPECT_FALSE(is_worth_rewinding(kRewindBytes + 64, 0, 64)) << "the one before has looked";
    EXPECT_TRUE(is_worth_rewinding(kRewindBytes + kRewindLookBytes, 0, 64));
    EXPECT_TRUE(is_worth_rewinding(kRewindBytes + 100, 0, kRewindLookBytes)) << "each long one looks";
    EXPECT_FALSE(is_worth_rewinding(kRewindBytes, 0, kRewindBytes + 1)) << "bulk";
    EXPECT_TRUE(is_worth_rewinding(kRewindBytes - 11, kLast - 10, 64)) << "modulo 2^64";
}

TEST(geometry, half_free_is_exactly_half) {
    EXPECT_TRUE(is_half_free(2048, 0, 4096));
    EXPECT_FALSE(is_half_free(2049, 0, 4096));
    EXPECT_TRUE(is_half_free(10, kLast - 10, 4096));
}

}  // namespace
}  // namespace xylem
