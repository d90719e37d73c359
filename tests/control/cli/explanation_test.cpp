// An answer of the agent in words. The far end is JSON that the test writes.
#include "control/cli/explanation.hpp"

#include <gtest/gtest.h>

#include "control/cli/hosts_source.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::cli {
namespace {

Json answer(const char* transport, const char* reason) {
    return {{"domain", 2},
            {"agent", true},
            {"file", "/etc/xylem/hosts"},
            {"from_file", true},
            {"target", {{"text", "10.0.0.3:80"}, {"port", 80}}},
            {"entry",
             {{"prefix", "10.0.0.3/32"},
              {"line", 3},
              {"target", "domain"},
              {"domain", 3},
              {"ring_size_bytes", 1 << 20}}},
            {"target_domain", 3},
            {"transport", transport},
            {"reason", reason},
            {"reason_text", "why"},
            {"policy", nullptr}};
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Explanation, a_ring_names_every_step) {
    EXPECT_EQ(explanation_text(answer("ring", "ring"), false),
              "10.0.0.3:80\n"
              "  hosts map  /etc/xylem/hosts:3: 10.0.0.3 dom:3 ring=1M\n"
              "  domain     3, asked from domain 2\n"
              "  agent      answers\n"
              "  listener   a program listens on that port\n"
              "  policy     allows it\n"
              "  transport  ring: why\n");
}

TEST(Explanation, what_lies_behind_the_obstacle_is_not_claimed) {
    const std::string text = explanation_text(answer("tcp", "no_peer_agent"), false);
    EXPECT_TRUE(says(text, "agent      none answers in that domain"));
    EXPECT_TRUE(says(text, "listener   not asked"));
    EXPECT_TRUE(says(text, "to do      start the peer's program"));
}

TEST(Explanation, without_a_port_nothing_is_claimed_of_listener_and_policy) {
    Json address_only = answer("ring", "ring");
    address_only["target"] = {{"text", "10.0.0.3:0"}, {"address", "10.0.0.3"}, {"port", 0}};
    const std::string text = explanation_text(address_only, false);
    EXPECT_TRUE(text.starts_with("10.0.0.3\n"));
    EXPECT_TRUE(says(text, "listener   not asked: no port given"));
    EXPECT_TRUE(says(text, "policy     not asked: no port given"));
    EXPECT_TRUE(says(text, "transport  ring to ports where a program listens"));
}

TEST(Explanation, an_unmapped_address_says_which_file_was_read) {
    Json unmapped = answer("tcp", "not_mapped");
    unmapped["entry"] = nullptr;
    unmapped["target_domain"] = nullptr;
    EXPECT_TRUE(says(explanation_text(unmapped, false), "no line of /etc/xylem/hosts covers the address"));
    unmapped["from_file"] = false;
    EXPECT_TRUE(says(explanation_text(unmapped, false), "/etc/xylem/hosts does not exist"));
}

TEST(Explanation, every_reason_has_words) {
    for (std::uint32_t code = 0; reason_name(code) != std::string("unknown"); ++code) {
        EXPECT_FALSE(explanation_text(answer("tcp", reason_name(code)), false).empty());
    }
}

TEST(Explanation, an_answer_without_fields_is_no_crash) {
    EXPECT_FALSE(explanation_text(Json::object(), false).empty());
    EXPECT_FALSE(explanation_text(Json(nullptr), true).empty());
    Json wrong_types = answer("ring", "ring");
    wrong_types["entry"] = 7;
    wrong_types["target"] = "x";
    wrong_types["domain"] = "y";
    EXPECT_FALSE(explanation_text(wrong_types, false).empty());
}

TEST(HostsSource, entries_read_as_the_file_says_them) {
    auto map =
        HostsMap::parse("10.0.0.3 dom:3 ring=1M spin=50us\nfd00::/8 node:[fd00::1]:7/dom:5\n10.0.0.9 tcp\n");
    ASSERT_TRUE(map);
    const Json json = map_json({std::move(*map), "f", true});
    EXPECT_EQ(entry_text(json["entries"][0]), "10.0.0.3 dom:3 ring=1M spin=50us");
    EXPECT_EQ(entry_text(json["entries"][1]), "fd00::/8 node:[fd00::1]:7/dom:5");
    EXPECT_EQ(entry_text(json["entries"][2]), "10.0.0.9 tcp");
}

}  // namespace
}  // namespace xylem::cli
