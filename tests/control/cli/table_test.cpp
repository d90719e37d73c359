// Aligned columns.
#include "control/cli/table.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

TEST(Table, columns_are_as_wide_as_their_widest_cell) {
    Table table({{"A"}, {"NUMBER", Align::right}, {"LAST"}});
    table.add({"longer", "1", "x"});
    table.add({"b", "1234567", "y"});
    EXPECT_EQ(table.text(false),
              "A        NUMBER  LAST\n"
              "longer        1  x\n"
              "b       1234567  y\n");
}

TEST(Table, a_column_without_text_is_left_out) {
    Table table({{"A"}, {"EMPTY"}, {"B"}});
    table.add({"1", "", "2"});
    EXPECT_EQ(table.text(false), "A  B\n1  2\n");
}

TEST(Table, no_line_ends_in_blanks) {
    Table table({{"A"}, {"B"}});
    table.add({"1", ""});
    table.add({"2", "x"});
    EXPECT_EQ(table.text(false), "A  B\n1\n2  x\n");
}

TEST(Table, colours_do_not_change_the_alignment) {
    Table table({{"A"}, {"B"}});
    table.add({Cell("x", Paint::good), "y"});
    EXPECT_EQ(table.text(true), "\033[1mA\033[0m  \033[1mB\033[0m\n\033[32mx\033[0m  y\n");
}

TEST(Terminal, control_characters_of_others_are_not_printed) {
    EXPECT_EQ(printable("a\033[31mb\n\x80"), "a?[31mb??");
}

TEST(Table, columns_that_do_not_fit_whole_are_left_out) {
    Table table({{"NAME"}, {"COUNT", Align::right}, {"WHO"}});
    table.add({"a", "12345k", "root"});
    EXPECT_EQ(table.text(false, 18), "NAME   COUNT  WHO\na     12345k  root\n");
    EXPECT_EQ(table.text(false, 17), "NAME   COUNT\na     12345k\n");
    EXPECT_EQ(table.text(false, 11), "NAME\na\n");
}

}  // namespace
}  // namespace xylem::cli
