#include "hosts-map/map.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xylem {
namespace {

HostsMap map_of(std::string_view text) {
    auto map = HostsMap::parse(text);
    if (map) return std::move(*map);
    ADD_FAILURE() << to_string(map.error().front(), "hosts");
    return {};
}

std::vector<std::string> errors_of(std::string_view text) {
    std::vector<std::string> printed;
    auto map = HostsMap::parse(text);
    if (map) return printed;
    for (const Diagnostic& diagnostic : map.error()) printed.push_back(to_string(diagnostic, "hosts"));
    return printed;
}

// "where (line)" or "nowhere".
std::string where(const HostsMap& map, std::string_view address) {
    auto match = map.find(*Address::parse(address));
    if (!match) return "nowhere";
    return to_string(match->place) + " (" + std::to_string(match->entry->line) + ")";
}

std::string address_of(const HostsMap& map, std::uint32_t domain, int family) {
    auto address = map.address_of(domain, family);
    return address ? to_string(*address) : "none";
}

TEST(HostsMapMap, an_empty_text_maps_nothing) {
    EXPECT_EQ(where(map_of(""), "10.0.0.2"), "nowhere");
    EXPECT_EQ(where(map_of("# nothing\n\n"), "::1"), "nowhere");
    EXPECT_EQ(address_of(map_of(""), 0, AF_INET), "none");
}

TEST(HostsMapMap, the_example_of_the_design_is_understood) {
    HostsMap map = map_of(
        "# address or prefix     where                          options\n"
        "10.0.0.2                dom:2\n"
        "10.0.0.3                dom:3                          ring=1M spin=50us\n"
        "fd00::7                 dom:7\n"
        "10.0.9.0/24             node:192.168.7.2/dom:4         # on another machine\n"
        "10.0.0.250              tcp                            # never accelerate\n");
    EXPECT_EQ(map.entries().size(), 5U);
    EXPECT_EQ(where(map, "10.0.0.2"), "dom:2 (2)");
    EXPECT_EQ(map.find(*Address::parse("10.0.0.3"))->entry->options.ring_size_bytes, 1048576U);
    EXPECT_EQ(where(map, "fd00::7"), "dom:7 (4)");
    EXPECT_EQ(where(map, "10.0.9.77"), "node:192.168.7.2/dom:4 (5)");
    EXPECT_EQ(where(map, "10.0.0.250"), "tcp (6)");
    EXPECT_EQ(where(map, "10.0.0.4"), "nowhere");
    EXPECT_EQ(where(map, "fd00::8"), "nowhere");
}

TEST(HostsMapMap, the_longest_prefix_wins_whatever_the_order_of_lines) {
    for (std::string_view text : {"0.0.0.0/0 dom:1\n10.0.0.0/8 dom:2\n10.1.0.0/16 tcp\n10.1.2.3 dom:4\n",
                                  "10.1.2.3 dom:4\n10.1.0.0/16 tcp\n10.0.0.0/8 dom:2\n0.0.0.0/0 dom:1\n"}) {
        HostsMap map = map_of(text);
        EXPECT_EQ(map.find(*Address::parse("10.1.2.3"))->place.domain, 4U);
        EXPECT_EQ(map.find(*Address::parse("10.1.2.4"))->place.kind, PlaceKind::tcp);
        EXPECT_EQ(map.find(*Address::parse("10.2.0.0"))->place.domain, 2U);
        EXPECT_EQ(map.find(*Address::parse("11.0.0.0"))->place.domain, 1U);
    }
}

TEST(HostsMapMap, the_longest_ipv6_prefix_wins) {
    HostsMap map = map_of("::/0 dom:1\nfd00::/8 dom:2\nfd00:1::/33 dom:3\nfd00:1::7 dom:4\n");
    EXPECT_EQ(where(map, "fd00:1::7"), "dom:4 (4)");
    EXPECT_EQ(where(map, "fd00:1:7fff::"), "dom:3 (3)");
    EXPECT_EQ(where(map, "fd00:1:8000::"), "dom:2 (2)");
    EXPECT_EQ(where(map, "::1"), "dom:1 (1)");
}

TEST(HostsMapMap, the_families_do_not_mix) {
    HostsMap map = map_of("0.0.0.0/0 dom:4\n");
    EXPECT_EQ(where(map, "::1"), "nowhere");
    EXPECT_EQ(where(map_of("::/0 dom:6\n"), "10.0.0.2"), "nowhere");
}

TEST(HostsMapMap, an_ipv4_mapped_address_is_looked_up_as_ipv4) {
    HostsMap map = map_of("10.0.0.2 dom:2\n::/0 dom:6\n");
    EXPECT_EQ(where(map, "::ffff:10.0.0.2"), "dom:2 (1)");
    EXPECT_EQ(where(map, "::ffff:10.0.0.3"), "nowhere");
}

TEST(HostsMapMap, every_bad_line_is_reported_in_order) {
    EXPECT_EQ(errors_of("10.0.0.2 dom:2\nhost dom:3\r\n\n10.0.0.4\n10.0.0.5 dom:5\n10.0.0.6 dom:6 x=1"),
              (std::vector<std::string>{
                  "hosts:2:1: 'host' is not an address; expected an IPv4 or IPv6 address or prefix",
                  "hosts:4:9: the line does not say where 10.0.0.4 is; "
                  "expected dom:N, vm:NAME, node:ADDRESS[:PORT]/dom:N or tcp",
                  "hosts:6:16: unknown option 'x'; expected ring=SIZE, spin=TIME or over=ORDER"}));
}

TEST(HostsMapMap, reading_stops_at_a_hundred_bad_lines) {
    std::string text;
    for (int i = 0; i < 250; ++i) text += "bad\n";
    auto errors = errors_of(text);
    ASSERT_EQ(errors.size(), 100U);
    EXPECT_TRUE(errors.back().starts_with("hosts:100:1: "));
}

TEST(HostsMapMap, a_prefix_given_twice_is_refused_with_the_first_line) {
    EXPECT_EQ(errors_of("10.0.0.2 dom:2\n# x\n\t10.0.0.2/32 tcp\nfd00::/8 tcp\nfd00::/8 tcp\n"),
              (std::vector<std::string>{
                  "hosts:3:2: 10.0.0.2 is already on line 1; expected one line for each address or prefix",
                  "hosts:5:1: fd00::/8 is already on line 4; expected one line for each address or prefix"}));
}

TEST(HostsMapMap, the_same_network_with_two_lengths_is_no_duplicate) {
    EXPECT_EQ(map_of("10.0.0.0/8 dom:1\n10.0.0.0/16 dom:2\n10.0.0.0 dom:3\n").entries().size(), 3U);
}

TEST(HostsMapMap, a_domains_address_is_that_of_its_first_line_in_each_family) {
    HostsMap map = map_of("10.0.0.2 dom:2\nfd00::2 dom:2\n10.0.0.22 dom:2\nfd00::22 dom:2\n");
    EXPECT_EQ(address_of(map, 2, AF_INET), "10.0.0.2");
    EXPECT_EQ(address_of(map, 2, AF_INET6), "fd00::2");
    EXPECT_EQ(address_of(map, 3, AF_INET), "none");
}

TEST(HostsMapMap, a_prefix_a_node_and_tcp_give_a_domain_no_address) {
    HostsMap map = map_of("10.0.0.0/24 dom:2\n10.0.0.9 node:10.9.9.9/dom:2\n10.0.0.8 tcp\n");
    EXPECT_EQ(address_of(map, 2, AF_INET), "none");
    EXPECT_EQ(address_of(map, 0, AF_INET), "none");
    EXPECT_EQ(address_of(map_of("10.0.0.0/24 dom:2\n10.0.0.7/32 dom:2\n"), 2, AF_INET), "10.0.0.7");
}

TEST(HostsMapMap, zero_configuration_numbers_domains_by_the_low_16_bits) {
    HostsMap map = HostsMap::zero_configuration();
    EXPECT_EQ(where(map, "127.44.0.0"), "dom:0 (0)");
    EXPECT_EQ(where(map, "127.44.0.1"), "dom:1 (0)");
    EXPECT_EQ(where(map, "127.44.3.7"), "dom:775 (0)");
    EXPECT_EQ(where(map, "127.44.255.255"), "dom:65535 (0)");
    EXPECT_EQ(where(map, "::ffff:127.44.0.2"), "dom:2 (0)");
    for (const char* outside : {"127.43.255.255", "127.45.0.0", "127.0.0.1", "10.44.0.1", "::1"}) {
        EXPECT_EQ(where(map, outside), "nowhere") << outside;
    }
}

TEST(HostsMapMap, zero_configuration_knows_every_domains_address_with_one_entry) {
    HostsMap map = HostsMap::zero_configuration();
    EXPECT_EQ(map.entries().size(), 1U);
    EXPECT_EQ(map.entries().front().line, 0U);
    EXPECT_EQ(address_of(map, 0, AF_INET), "127.44.0.0");
    EXPECT_EQ(address_of(map, 1, AF_INET), "127.44.0.1");
    EXPECT_EQ(address_of(map, 65535, AF_INET), "127.44.255.255");
    EXPECT_EQ(address_of(map, 65536, AF_INET), "none");
    EXPECT_EQ(address_of(map, 1, AF_INET6), "none");
    for (std::uint32_t domain = 0; domain <= kMaxDomain; ++domain) {
        ASSERT_EQ(map.find(*map.address_of(domain, AF_INET))->place.domain, domain);
    }
}

TEST(HostsMapMap, zero_configuration_has_no_spelling_in_the_file) {
    const HostsMap map = HostsMap::zero_configuration();
    EXPECT_FALSE(HostsMap::parse(to_string(map.entries().front())));
    EXPECT_EQ(where(map_of("127.44.0.0/16 dom:9\n"), "127.44.0.1"), "dom:9 (1)");
}

TEST(HostsMapMap, a_large_map_is_looked_up_correctly) {
    std::string text;
    for (std::uint32_t i = 0; i < 50'000; ++i) {
        text += "10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256) +
                " dom:" + std::to_string(i) + "\n";
    }
    HostsMap map = map_of(text);
    EXPECT_EQ(where(map, "10.1.195.79"), "dom:49999 (50000)");
    EXPECT_EQ(where(map, "10.1.195.80"), "nowhere");
    EXPECT_EQ(address_of(map, 49'999, AF_INET), "10.1.195.79");
}

}  // namespace
}  // namespace xylem
