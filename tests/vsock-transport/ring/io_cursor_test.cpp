#include "vsock-transport/ring/io_cursor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace xylem {
namespace {

iovec vector_of(std::string& text) { return {text.data(), text.size()}; }
const std::byte* bytes_of(const std::string& text) { return reinterpret_cast<const std::byte*>(text.data()); }
std::byte* bytes_of(std::string& text) { return reinterpret_cast<std::byte*>(text.data()); }

TEST(io_cursor, of_no_vectors_has_nothing_left) {
    IoCursor cursor(nullptr, 0);
    EXPECT_EQ(cursor.remaining(), 0U);
    cursor.copy_out(nullptr, 0);
    cursor.skip(0);
}

TEST(io_cursor, steps_over_empty_vectors) {
    std::string one = "ab", two = "cde";
    const std::array<iovec, 6> vectors{
        {{nullptr, 0}, vector_of(one), {nullptr, 0}, {nullptr, 0}, vector_of(two), {nullptr, 0}}};
    IoCursor cursor(vectors.data(), vectors.size());
    ASSERT_EQ(cursor.remaining(), 5U);
    std::string out(5, '.');
    cursor.copy_out(bytes_of(out), 3);
    EXPECT_EQ(cursor.remaining(), 2U);
    cursor.copy_out(bytes_of(out) + 3, 2);
    EXPECT_EQ(out, "abcde");
    EXPECT_EQ(cursor.remaining(), 0U);
}

TEST(io_cursor, walks_over_a_thousand_vectors_in_steps_of_any_length) {
    for (std::size_t step = 1; step < 40; ++step) {
        std::vector<std::string> pieces;
        std::string whole;
        for (std::size_t i = 0; i < 1'000; ++i) pieces.emplace_back(i % 7, static_cast<char>('a' + i % 26));
        for (const std::string& piece : pieces) whole += piece;
        std::vector<iovec> vectors(pieces.size());
        std::transform(pieces.begin(), pieces.end(), vectors.begin(), vector_of);
        IoCursor cursor(vectors.data(), vectors.size());
        std::string out(whole.size(), '.');
        for (std::size_t at = 0; cursor.remaining() > 0;) {
            const std::size_t n = std::min(step, cursor.remaining());
            cursor.copy_out(bytes_of(out) + at, n);
            at += n;
        }
        EXPECT_EQ(out, whole);
    }
}

TEST(io_cursor, scatters_and_skips) {
    std::string one = "....", two = "....";
    const std::array<iovec, 2> vectors{{vector_of(one), vector_of(two)}};
    IoCursor cursor(vectors.data(), vectors.size());
    const std::string source = "123456";
    cursor.copy_in(bytes_of(source), 1);
    cursor.skip(2);
    cursor.copy_in(bytes_of(source) + 1, 3);
    EXPECT_EQ(one + two, "1..234..");
    EXPECT_EQ(cursor.remaining(), 2U);
}

}  // namespace
}  // namespace xylem
