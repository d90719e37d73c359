// Which words are options, which belong to the verb, and which to the command behind `run`.
#include "control/cli/arguments.hpp"

#include <gtest/gtest.h>

#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

using Words = std::vector<std::string>;

Words command_of(const Words& words) {
    auto arguments = Arguments::parse(kRunVerb, words);
    EXPECT_TRUE(arguments);
    return arguments ? arguments->rest() : Words{};
}

std::string mistake_of(const Verb& verb, const Words& words) {
    auto arguments = Arguments::parse(verb, words);
    EXPECT_FALSE(arguments);
    if (arguments) return {};
    EXPECT_EQ(arguments.error().exit_code, kUsage);
    return arguments.error().wrong;
}

TEST(Arguments, a_command_begins_behind_the_dashes) {
    EXPECT_EQ(command_of({"--domain", "2", "--", "ls", "-l"}), (Words{"ls", "-l"}));
    EXPECT_EQ(command_of({"--", "--domain", "2"}), (Words{"--domain", "2"}));
}

TEST(Arguments, a_command_begins_at_the_first_word_that_is_no_option) {
    EXPECT_EQ(command_of({"ls", "-l", "--domain", "2"}), (Words{"ls", "-l", "--domain", "2"}));
    EXPECT_EQ(command_of({"--domain=2", "-v", "ls", "--"}), (Words{"ls", "--"}));
    EXPECT_EQ(command_of({"-v"}), Words{});
}

TEST(Arguments, the_value_of_an_option_is_not_the_command) {
    auto arguments = Arguments::parse(kRunVerb, {"--domain", "2", "--ring-size", "1M", "true"});
    ASSERT_TRUE(arguments);
    EXPECT_EQ(arguments->value("domain"), "2");
    EXPECT_EQ(arguments->value("ring-size"), "1M");
    EXPECT_EQ(arguments->value("spin"), std::nullopt);
    EXPECT_EQ(arguments->rest(), Words{"true"});
}

TEST(Arguments, other_verbs_take_options_anywhere) {
    auto arguments = Arguments::parse(kExplainVerb, {"127.44.0.1:80", "--domain", "2", "--json"});
    ASSERT_TRUE(arguments);
    EXPECT_TRUE(arguments->has("json"));
    EXPECT_EQ(arguments->rest(), Words{"127.44.0.1:80"});
}

TEST(Arguments, behind_the_dashes_there_are_no_options) {
    auto arguments = Arguments::parse(kExplainVerb, {"--", "--json"});
    ASSERT_TRUE(arguments);
    EXPECT_FALSE(arguments->has("json"));
    EXPECT_EQ(arguments->rest(), Words{"--json"});
}

TEST(Arguments, an_unknown_option_suggests_the_nearest) {
    EXPECT_EQ(mistake_of(kLsVerb, {"--al"}), "ls has no option '--al'; did you mean '--all'?");
    EXPECT_EQ(mistake_of(kLsVerb, {"--nothing-like-it"}), "ls has no option '--nothing-like-it'");
}

TEST(Arguments, a_word_too_many_is_named) {
    EXPECT_EQ(mistake_of(kLsVerb, {"x"}), "ls: 'x' is one word too many");
    EXPECT_EQ(mistake_of(kHostsVerb, {"show", "a", "b"}), "hosts: 'b' is one word too many");
}

TEST(Arguments, an_option_given_twice_is_a_mistake) {
    EXPECT_NE(mistake_of(kLsVerb, {"--domain", "1", "--domain", "2"}), "");
}

TEST(Verb, every_verb_is_found_by_its_name_and_has_a_page) {
    for (const Verb* verb : all_verbs()) {
        EXPECT_EQ(find_verb(verb->name), verb);
        EXPECT_NE(help_text(*verb).find("xylem " + std::string(verb->name)), std::string::npos);
    }
    EXPECT_EQ(find_verb("nothing"), nullptr);
}

}  // namespace
}  // namespace xylem::cli
