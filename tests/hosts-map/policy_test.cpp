#include "hosts-map/policy.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xylem {
namespace {

Policy policy_of(std::string_view text) {
    auto policy = Policy::parse(text);
    if (policy) return std::move(*policy);
    ADD_FAILURE() << to_string(policy.error().front(), "policy");
    return {};
}

std::string policy_error(std::string_view text) {
    auto rule = parse_policy_line(text, 5);
    return rule ? "no error" : to_string(rule.error(), "policy");
}

TEST(HostsMapPolicy, what_no_line_matches_is_allowed) {
    Policy policy = policy_of("# nothing here\n\n");
    EXPECT_TRUE(policy.allows(7, 80));
    EXPECT_EQ(policy.deciding_rule(7, 80), nullptr);
    EXPECT_TRUE(Policy().allows(0, 0));
}

TEST(HostsMapPolicy, the_first_line_that_matches_decides) {
    Policy policy = policy_of(
        "allow from dom:7 to port 22\n"
        "deny from dom:7 to port any\r\n"
        "allow from any to port 8000-8999 # the services\n"
        "deny from any to port any\n");
    EXPECT_TRUE(policy.allows(7, 22));
    EXPECT_EQ(policy.deciding_rule(7, 22)->line, 1U);
    EXPECT_FALSE(policy.allows(7, 8000));
    EXPECT_EQ(policy.deciding_rule(7, 8000)->line, 2U);
    EXPECT_TRUE(policy.allows(8, 8000));
    EXPECT_TRUE(policy.allows(8, 8999));
    EXPECT_EQ(policy.deciding_rule(8, 8999)->line, 3U);
    EXPECT_FALSE(policy.allows(8, 7999));
    EXPECT_FALSE(policy.allows(8, 9000));
    EXPECT_EQ(policy.deciding_rule(8, 9000)->line, 4U);
}

TEST(HostsMapPolicy, a_single_port_is_only_that_port) {
    Policy policy = policy_of("deny from any to port 80");
    EXPECT_FALSE(policy.allows(1, 80));
    EXPECT_TRUE(policy.allows(1, 79));
    EXPECT_TRUE(policy.allows(1, 81));
}

TEST(HostsMapPolicy, any_port_covers_the_32_bit_ports_of_vsock) {
    Policy policy = policy_of("deny from dom:3 to port any");
    EXPECT_FALSE(policy.allows(3, 0));
    EXPECT_FALSE(policy.allows(3, 4'000'000'000U));
    EXPECT_TRUE(policy.allows(4, 4'000'000'000U));
    EXPECT_TRUE(policy_of("deny from any to port 1-65535").allows(3, 65536));
    EXPECT_FALSE(policy_of("deny from any to port 70000").allows(3, 70'000));
}

TEST(HostsMapPolicy, domains_of_other_machines_are_named_by_their_node) {
    Policy policy = policy_of(
        "deny from node:10.0.0.9/dom:3 to port any\n"
        "allow from node:10.0.0.9 to port 80\n"
        "deny from node:[fd00::9]:7000 to port any\n"
        "deny from dom:4 to port any\n");
    EXPECT_FALSE(policy.allows({3, "10.0.0.9"}, 80));
    EXPECT_EQ(policy.deciding_rule({4, "10.0.0.9"}, 80)->line, 2U);
    EXPECT_EQ(policy.deciding_rule({4, "10.0.0.9"}, 81), nullptr);  // nor is it dom:4 of this machine
    EXPECT_FALSE(policy.allows({3, "10.0.0.9:7000"}, 80));          // a bridge says itself which port it has
    EXPECT_TRUE(policy.allows({3, "10.0.0.99"}, 80));
    EXPECT_FALSE(policy_of("deny from node:10.0.0.9:7480 to port any").allows({1, "10.0.0.9"}, 80));
    EXPECT_TRUE(policy.allows({1, "[fd00::9]:7001"}, 80));
    EXPECT_FALSE(policy_of("deny from node:[fd00::9] to port any").allows({1, "[fd00::9]:7001"}, 80));
    EXPECT_FALSE(policy_of("deny from node:[fd00::9] to port any").allows({1, "fd00::9"}, 80));
    EXPECT_TRUE(policy.allows(3, 80));
    EXPECT_FALSE(policy.allows({1, "[fd00::9]:7000"}, 80));
    EXPECT_FALSE(policy.allows(4, 80));
    EXPECT_FALSE(policy_of("deny from any to port 80").allows({1, "10.0.0.9"}, 80));
}

TEST(HostsMapPolicy, a_rule_prints_in_the_files_grammar) {
    for (std::string_view text :
         {"allow from any to port any", "deny from dom:65535 to port 1", "allow from dom:0 to port 1-65535",
          "deny from node:10.0.0.9 to port any", "deny from node:10.0.0.9:7000/dom:3 to port 1",
          "allow from node:[fd00::9]/dom:3 to port 1", "allow from node:[fd00::9]:7000 to port 1"}) {
        EXPECT_EQ(to_string(policy_of(text).rules().front()), text);
    }
    EXPECT_EQ(to_string(policy_of(" deny\tfrom any to port 80-80").rules().front()),
              "deny from any to port 80");
}

TEST(HostsMapPolicy, each_wrong_word_is_refused_at_its_column) {
    EXPECT_EQ(policy_error("permit from any to port 1"),
              "policy:5:1: unexpected word 'permit'; expected allow or deny");
    EXPECT_EQ(policy_error("allow by any to port 1"), "policy:5:7: unexpected word 'by'; expected from");
    EXPECT_EQ(policy_error("allow from 7 to port 1"),
              "policy:5:12: '7' is not a source; expected dom:N, node:ADDRESS[:PORT][/dom:N] or any");
    EXPECT_EQ(policy_error("allow from dom:70000 to port 1"),
              "policy:5:16: '70000' is not a domain's number; expected dom:N with N from 0 to 65535");
    EXPECT_EQ(
        policy_error("allow from node:10.0.0.x/dom:1 to port 1"),
        "policy:5:17: '10.0.0.x' is not the address of a node; expected an IPv4 address, or an IPv6 address "
        "in brackets");
    EXPECT_EQ(policy_error("allow from node:10.0.0.9/7 to port 1"),
              "policy:5:26: '7' is not a domain; expected dom:N with N from 0 to 65535");
    EXPECT_EQ(policy_error("allow from any on port 1"), "policy:5:16: unexpected word 'on'; expected to");
    EXPECT_EQ(policy_error("allow from any to 80"), "policy:5:19: unexpected word '80'; expected port");
    EXPECT_EQ(policy_error("allow from any to port 1 2"),
              "policy:5:26: unexpected word '2'; expected the end of the line");
}

TEST(HostsMapPolicy, each_missing_word_is_refused_where_it_should_have_been) {
    const std::string early = "the line ends too early; expected ";
    EXPECT_EQ(policy_error("deny  # x"), "policy:5:5: " + early + "from");
    EXPECT_EQ(policy_error("deny from"),
              "policy:5:10: " + early + "dom:N, node:ADDRESS[:PORT][/dom:N] or any");
    EXPECT_EQ(policy_error("deny from any"), "policy:5:14: " + early + "to");
    EXPECT_EQ(policy_error("deny from any to"), "policy:5:17: " + early + "port");
    EXPECT_EQ(policy_error("deny from any to port"),
              "policy:5:22: " + early + "a port from 1 to 4294967294, a range such as 8000-8999, or any");
}

TEST(HostsMapPolicy, a_bad_port_or_range_is_refused_at_its_column) {
    const std::string tail = "; expected a port from 1 to 4294967294, a range such as 8000-8999, or any";
    EXPECT_EQ(policy_error("deny from any to port 0"), "policy:5:23: '0' is not a port" + tail);
    EXPECT_EQ(policy_error("deny from any to port http"), "policy:5:23: 'http' is not a port" + tail);
    EXPECT_EQ(policy_error("deny from any to port -80"), "policy:5:23: '' is not a port" + tail);
    EXPECT_EQ(policy_error("deny from any to port 80-"), "policy:5:26: '' is not a port" + tail);
    EXPECT_EQ(policy_error("deny from any to port 80-4294967295"),
              "policy:5:26: '4294967295' is not a port" + tail);
    EXPECT_EQ(policy_error("deny from any to port 90-80"),
              "policy:5:23: the range '90-80' runs backwards; expected 80-90");
}

TEST(HostsMapPolicy, nul_bytes_and_overlong_lines_are_refused) {
    EXPECT_EQ(policy_error(std::string_view("#\0", 2)), "policy:5:2: NUL byte; expected plain text");
    EXPECT_EQ(policy_error("#" + std::string(4096, 'x')),
              "policy:5:4097: the line is too long; expected at most 4096 bytes");
}

TEST(HostsMapPolicy, every_bad_line_is_reported_up_to_a_hundred) {
    auto policy = Policy::parse("permit\nallow from any to port 1\ndeny\n");
    ASSERT_FALSE(policy);
    ASSERT_EQ(policy.error().size(), 2U);
    EXPECT_EQ(policy.error()[1].line, 3U);
    std::string text;
    for (int i = 0; i < 250; ++i) text += "bad\n";
    EXPECT_EQ(Policy::parse(text).error().size(), 100U);
}

}  // namespace
}  // namespace xylem
