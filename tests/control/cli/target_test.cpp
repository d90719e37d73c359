// ADDRESS[:PORT] as people type it.
#include "control/cli/target.hpp"

#include <gtest/gtest.h>

namespace xylem::cli {
namespace {

TEST(Target, every_form_reads_back_as_it_was_typed) {
    for (const char* text : {"127.44.0.1", "127.44.0.1:80", "fd00::7", "[fd00::7]:80", "::", "vsock:3",
                             "vsock:3:1024", "vsock:4294967295:4294967295", "0.0.0.0:65535"}) {
        auto target = parse_target(text);
        ASSERT_TRUE(target) << text;
        EXPECT_EQ(target_text(target->name), text);
        EXPECT_TRUE(target->resolved_by.empty());
    }
}

TEST(Target, brackets_without_a_port_are_an_address) {
    auto target = parse_target("[fd00::7]");
    ASSERT_TRUE(target);
    EXPECT_EQ(target_text(target->name), "fd00::7");
}

TEST(Target, what_is_no_address_is_wrong_usage_and_never_resolved) {
    for (const char* text :
         {"", ":80", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "[::1", "[::1]80", "[::1]:", "::1::2", "a b",
          "10.0.0.0/8", "vsock:", "vsock:x", "vsock:1:", "vsock:4294967296"}) {
        auto target = parse_target(text);
        ASSERT_FALSE(target) << text;
        EXPECT_EQ(target.error().exit_code, kUsage) << text;
    }
}

TEST(Target, a_host_name_is_resolved_and_remembered) {
    auto target = parse_target("localhost:80");
    if (!target) GTEST_SKIP() << "localhost does not resolve here";
    EXPECT_EQ(target->resolved_by, "localhost");
    EXPECT_EQ(target->name.port, 80U);
}

TEST(Target, a_vsock_name_has_no_ip_address) {
    EXPECT_FALSE(address_of(parse_target("vsock:3")->name));
    EXPECT_EQ(address_of(parse_target("10.0.0.2:1")->name), Address::parse("10.0.0.2"));
}

}  // namespace
}  // namespace xylem::cli
