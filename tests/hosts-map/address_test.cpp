#include "hosts-map/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace xylem {
namespace {

TEST(HostsMapAddress, both_families_are_parsed_and_printed_back) {
    for (const char* text : {"0.0.0.0", "10.0.0.2", "255.255.255.255", "::", "::1", "fd00::7",
                             "2001:db8:1:2:3:4:5:6", "::ffff:10.0.0.2"}) {
        auto address = Address::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_string(*address), text);
    }
}

TEST(HostsMapAddress, the_longest_ipv6_spelling_is_parsed) {
    auto address = Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
    ASSERT_TRUE(address);
    EXPECT_EQ(to_string(*address), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(HostsMapAddress, what_inet_pton_refuses_is_refused) {
    for (const char* text : {"", "10.0.0", "10.0.0.256", "10.0.0.02", "10.0.0.2 ", "fd00:::7", "fe80::1%eth0",
                             "[::1]", "host", "1111111111111111111111111111111111111111111111111111"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
    EXPECT_FALSE(Address::parse(std::string_view("10.0.0.2\0", 9)));
}

TEST(HostsMapAddress, the_kernels_structures_become_addresses) {
    in_addr ipv4{};
    in6_addr ipv6{};
    ASSERT_EQ(::inet_pton(AF_INET, "10.0.0.2", &ipv4), 1);
    ASSERT_EQ(::inet_pton(AF_INET6, "fd00::7", &ipv6), 1);
    EXPECT_EQ(Address::from(ipv4), Address::parse("10.0.0.2"));
    EXPECT_EQ(Address::from(ipv6), Address::parse("fd00::7"));
}

TEST(HostsMapAddress, only_a_mapped_address_changes_family_when_unmapped) {
    EXPECT_TRUE(Address::parse("::ffff:10.0.0.2")->is_ipv4_mapped());
    EXPECT_EQ(Address::parse("::ffff:10.0.0.2")->unmapped(), Address::parse("10.0.0.2"));
    for (const char* text : {"10.0.0.2", "::10.0.0.2", "fd00::ffff:10.0.0.2", "::fffe:10.0.0.2"}) {
        EXPECT_FALSE(Address::parse(text)->is_ipv4_mapped()) << text;
        EXPECT_EQ(Address::parse(text)->unmapped(), Address::parse(text)) << text;
    }
}

TEST(HostsMapAddress, the_unspecified_addresses_of_the_two_families_differ) {
    EXPECT_NE(*Address::parse("0.0.0.0"), *Address::parse("::"));
}

}  // namespace
}  // namespace xylem
