#include "hosts-map/word.hpp"

#include <gtest/gtest.h>

#include <array>

namespace xylem::text {
namespace {

TEST(HostsMapWord, words_know_their_line_and_column) {
    auto words = words_of({"\t10.0.0.2  dom:2# dom:3", 7});
    ASSERT_TRUE(words);
    ASSERT_EQ(words->size(), 2U);
    EXPECT_EQ((*words)[0].text, "10.0.0.2");
    EXPECT_EQ((*words)[0].column, 2U);
    EXPECT_EQ((*words)[1].text, "dom:2");
    EXPECT_EQ((*words)[1].column, 12U);
    EXPECT_EQ((*words)[1].line, 7U);
    EXPECT_EQ((*words)[1].end().column, 17U);
}

TEST(HostsMapWord, a_carriage_return_ends_a_line_but_is_no_blank_inside_one) {
    EXPECT_EQ(words_of({"a b\r", 1})->size(), 2U);
    EXPECT_EQ(words_of({"a\rb\r", 1})->size(), 1U);
    EXPECT_TRUE(words_of({"\r", 1})->empty());
}

TEST(HostsMapWord, lines_are_numbered_with_and_without_a_last_line_feed) {
    for (std::string_view text : {"a\n\nb", "a\n\nb\n"}) {
        LineReader lines(text);
        EXPECT_EQ(lines.next()->number, 1U);
        EXPECT_EQ(lines.next()->text, "");
        auto last = lines.next();
        EXPECT_EQ(last->text, "b");
        EXPECT_EQ(last->number, 3U);
        EXPECT_FALSE(lines.next());
    }
}

TEST(HostsMapWord, quoting_hides_nothing_and_is_bounded) {
    EXPECT_EQ(in_quotes("abc"), "'abc'");
    EXPECT_EQ(in_quotes("a\x1b[2J\xc3\xa4"), "'a\\x1b[2J\\xc3\\xa4'");
    EXPECT_EQ(in_quotes(std::string(65, 'x')), "'" + std::string(64, 'x') + "...'");
}

TEST(HostsMapWord, numbers_are_plain_decimal_and_bounded) {
    EXPECT_EQ(number("0", 9), 0U);
    EXPECT_EQ(number("18446744073709551615", UINT64_MAX), UINT64_MAX);
    for (const char* text : {"", "10", "-1", "+1", "01", "0x1", "1 ", "1.5", "18446744073709551616"}) {
        EXPECT_FALSE(number(text, 9)) << text;
    }
}

TEST(HostsMapWord, the_nearest_known_word_is_within_two_slips) {
    constexpr std::array<std::string_view, 2> kKnown{"ring", "spin"};
    EXPECT_EQ(nearest("rnig", kKnown), "ring");
    EXPECT_EQ(nearest("spinn", kKnown), "spin");
    EXPECT_EQ(nearest("ring-size", kKnown), std::nullopt);
    EXPECT_EQ(nearest("", kKnown), std::nullopt);
    EXPECT_EQ(nearest(std::string(5000, 'r'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace xylem::text
