#include "hosts-map/line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace xylem {
namespace {

HostsEntry entry_of(std::string_view text) {
    auto parsed = parse_hosts_line(text, 1);
    if (!parsed) {
        ADD_FAILURE() << to_string(parsed.error(), "hosts");
        return {};
    }
    EXPECT_TRUE(parsed->has_value()) << text;
    return parsed->value_or(HostsEntry{});
}

// The whole printed diagnostic, or "no error".
std::string error_of(std::string_view text) {
    auto parsed = parse_hosts_line(text, 3);
    return parsed ? "no error" : to_string(parsed.error(), "hosts");
}

bool is_blank(std::string_view text) {
    auto parsed = parse_hosts_line(text, 1);
    return parsed && !parsed->has_value();
}

TEST(HostsMapLine, an_ipv4_address_names_a_domain) {
    HostsEntry entry = entry_of("10.0.0.2                dom:2");
    EXPECT_EQ(entry.prefix, Prefix::of(*Address::parse("10.0.0.2"), 32));
    EXPECT_EQ(entry.place.kind, PlaceKind::domain);
    EXPECT_EQ(entry.place.domain, 2U);
    EXPECT_EQ(entry.options, HostsOptions{});
}

TEST(HostsMapLine, an_ipv6_address_names_a_domain) {
    HostsEntry entry = entry_of("fd00::7 dom:7");
    EXPECT_EQ(entry.prefix, Prefix::of(*Address::parse("fd00::7"), 128));
    EXPECT_EQ(entry.place.domain, 7U);
}

TEST(HostsMapLine, prefixes_of_both_families_are_taken) {
    EXPECT_EQ(entry_of("10.0.9.0/24 tcp").prefix.length_bits, 24U);
    EXPECT_EQ(entry_of("fd00:1::/32 tcp").prefix.length_bits, 32U);
    EXPECT_EQ(entry_of("0.0.0.0/0 tcp").prefix.length_bits, 0U);
    EXPECT_EQ(entry_of("::/0 tcp").prefix.length_bits, 0U);
    EXPECT_EQ(entry_of("10.0.0.2/32 tcp").prefix, entry_of("10.0.0.2 tcp").prefix);
}

TEST(HostsMapLine, a_guest_has_a_name_or_a_uuid) {
    EXPECT_EQ(entry_of("10.0.0.4 vm:data.base-1 ring=1M").place.kind, PlaceKind::guest);
    EXPECT_EQ(entry_of("10.0.0.4 vm:data.base-1 ring=1M").place.guest, "data.base-1");
    EXPECT_EQ(entry_of("10.0.0.4 vm:Web").place.guest, "Web");
    EXPECT_EQ(entry_of("10.0.0.4 vm:0C8E1F9A-1111-2222-3333-0123456789AB").place.guest,
              "0c8e1f9a-1111-2222-3333-0123456789ab");
    EXPECT_EQ(to_string(entry_of("10.0.0.4 vm:Web")), "10.0.0.4 vm:Web");
    EXPECT_EQ(
        error_of("10.0.0.4 vm:"),
        "hosts:3:13: '' is not the name of a guest; expected a guest's name as xl list has it, or its UUID");
    EXPECT_NE(error_of("10.0.0.4 vm:" + std::string(kMaxGuestNameBytes + 1, 'x')), "no error");
    EXPECT_NE(error_of("10.0.0.4 vm:a/b"), "no error");
}

TEST(HostsMapLine, a_node_is_an_address_and_a_domain_on_it) {
    Place place = entry_of("10.0.9.0/24 node:192.168.7.2/dom:4 # on another machine").place;
    EXPECT_EQ(place.kind, PlaceKind::node);
    EXPECT_EQ(place.node, *Address::parse("192.168.7.2"));
    EXPECT_EQ(place.node_port, 0U);
    EXPECT_EQ(place.domain, 4U);
}

TEST(HostsMapLine, a_node_may_have_a_port_and_an_ipv6_address_in_brackets) {
    EXPECT_EQ(entry_of("10.0.0.9 node:192.168.7.2:7471/dom:4").place.node_port, 7471U);
    Place place = entry_of("10.0.0.9 node:[fd00::2]:7471/dom:4").place;
    EXPECT_EQ(place.node, *Address::parse("fd00::2"));
    EXPECT_EQ(place.node_port, 7471U);
    EXPECT_EQ(entry_of("10.0.0.9 node:[fd00::2]/dom:4").place.node_port, 0U);
}

TEST(HostsMapLine, tcp_means_never_accelerate) {
    EXPECT_EQ(entry_of("10.0.0.250 tcp # never").place.kind, PlaceKind::tcp);
}

TEST(HostsMapLine, options_give_ring_size_in_bytes_and_spin_time_in_nanoseconds) {
    HostsOptions options = entry_of("10.0.0.3 dom:3 ring=1M spin=50us").options;
    EXPECT_EQ(options.ring_size_bytes, 1048576U);
    EXPECT_EQ(options.spin_ns, 50'000U);
    EXPECT_EQ(entry_of("10.0.0.3 dom:3 spin=1ms ring=512K").options.spin_ns, 1'000'000U);
}

TEST(HostsMapLine, the_limits_of_the_options_are_inside) {
    EXPECT_EQ(entry_of("::1 dom:1 ring=4096").options.ring_size_bytes, 4096U);
    EXPECT_EQ(entry_of("::1 dom:1 ring=4K").options.ring_size_bytes, 4096U);
    EXPECT_EQ(entry_of("::1 dom:1 ring=64M").options.ring_size_bytes, 67108864U);
    EXPECT_EQ(entry_of("::1 dom:1 spin=0").options.spin_ns, 0U);
    EXPECT_EQ(entry_of("::1 dom:1 spin=10ms").options.spin_ns, 10'000'000U);
    EXPECT_EQ(entry_of("::1 dom:1 spin=10000us").options.spin_ns, 10'000'000U);
}

TEST(HostsMapLine, the_limits_of_domains_are_inside) {
    EXPECT_EQ(entry_of("::1 dom:0").place.domain, 0U);
    EXPECT_EQ(entry_of("::1 dom:65535").place.domain, 65535U);
}

TEST(HostsMapLine, blank_lines_comments_and_carriage_returns_say_nothing) {
    for (const char* text : {"", " \t ", "# 10.0.0.2 dom:2", "   #", "\r", "  # text\r"}) {
        EXPECT_TRUE(is_blank(text)) << text;
    }
    EXPECT_EQ(entry_of("10.0.0.2 dom:2#comment").place.domain, 2U);
    EXPECT_EQ(entry_of("10.0.0.2 dom:2\r").place.domain, 2U);
}

TEST(HostsMapLine, an_entry_knows_its_line_and_column) {
    auto parsed = parse_hosts_line("  10.0.0.2 dom:2", 12);
    ASSERT_TRUE(parsed && parsed->has_value());
    EXPECT_EQ((*parsed)->line, 12U);
    EXPECT_EQ((*parsed)->column, 3U);
}

TEST(HostsMapLine, an_entry_prints_in_its_shortest_form_and_parses_back) {
    for (std::string_view text :
         {"10.0.0.2 dom:2", "10.0.9.0/24 node:192.168.7.2/dom:4", "fd00::7 node:[fd00::2]:99/dom:7 ring=4K",
          "::/0 tcp", "10.0.0.3 dom:3 ring=1M spin=50us", "10.0.0.3 dom:3 spin=0",
          "10.0.0.3 dom:3 spin=2ms"}) {
        EXPECT_EQ(to_string(entry_of(text)), text);
    }
    EXPECT_EQ(to_string(entry_of("10.0.0.2/32 dom:2 spin=2000us ring=1024K")),
              "10.0.0.2 dom:2 ring=1M spin=2ms");
}

TEST(HostsMapLine, a_word_that_is_no_address_is_refused) {
    const std::string tail = "; expected an IPv4 or IPv6 address or prefix";
    EXPECT_EQ(error_of("myhost dom:2"), "hosts:3:1: 'myhost' is not an address" + tail);
    EXPECT_EQ(error_of("  10.0.0 dom:2"), "hosts:3:3: '10.0.0' is not an address" + tail);
    EXPECT_EQ(error_of("10.0.0.300/24 dom:2"), "hosts:3:1: '10.0.0.300' is not an address" + tail);
    EXPECT_EQ(error_of("/24 dom:2"), "hosts:3:1: '' is not an address" + tail);
    EXPECT_EQ(error_of("\x1b[2J dom:2"), "hosts:3:1: '\\x1b[2J' is not an address" + tail);
}

TEST(HostsMapLine, a_prefix_length_that_does_not_exist_is_refused) {
    EXPECT_EQ(error_of("10.0.0.0/33 tcp"),
              "hosts:3:10: '33' is not a prefix length; expected a number from 0 to 32 after 10.0.0.0/");
    EXPECT_EQ(error_of("fd00::/129 tcp"),
              "hosts:3:8: '129' is not a prefix length; expected a number from 0 to 128 after fd00::/");
    EXPECT_EQ(error_of("10.0.0.0/ tcp"),
              "hosts:3:10: '' is not a prefix length; expected a number from 0 to 32 after 10.0.0.0/");
}

TEST(HostsMapLine, a_prefix_with_host_bits_set_is_refused_with_the_right_prefix) {
    EXPECT_EQ(error_of("10.0.9.1/24 dom:2"),
              "hosts:3:1: '10.0.9.1/24' has bits set beyond the first 24; expected 10.0.9.0/24");
    EXPECT_EQ(error_of("10.0.9.1/0 dom:2"),
              "hosts:3:1: '10.0.9.1/0' has bits set beyond the first 0; expected 0.0.0.0/0");
    EXPECT_EQ(error_of("10.0.9.255/31 dom:2"),
              "hosts:3:1: '10.0.9.255/31' has bits set beyond the first 31; expected 10.0.9.254/31");
    EXPECT_EQ(error_of("fd00::1/9 dom:2"),
              "hosts:3:1: 'fd00::1/9' has bits set beyond the first 9; expected fd00::/9");
}

TEST(HostsMapLine, an_ipv4_mapped_address_is_refused_with_the_ipv4_spelling) {
    EXPECT_EQ(error_of("::ffff:10.0.0.2 dom:2"),
              "hosts:3:1: '::ffff:10.0.0.2' is IPv4 written as IPv6; expected 10.0.0.2");
    EXPECT_EQ(error_of("::ffff:10.0.0.0/104 dom:2"),
              "hosts:3:1: '::ffff:10.0.0.0/104' is IPv4 written as IPv6; expected 10.0.0.0/8");
}

TEST(HostsMapLine, a_line_without_a_place_is_refused_where_it_is_missing) {
    EXPECT_EQ(error_of("10.0.0.2  # dom:2"),
              "hosts:3:9: the line does not say where 10.0.0.2 is; "
              "expected dom:N, vm:NAME, node:ADDRESS[:PORT]/dom:N or tcp");
}

TEST(HostsMapLine, an_unknown_place_is_refused) {
    EXPECT_EQ(
        error_of("10.0.0.2 domain:2"),
        "hosts:3:10: 'domain:2' is not a place; expected dom:N, vm:NAME, node:ADDRESS[:PORT]/dom:N or tcp");
    EXPECT_EQ(error_of("10.0.0.2 TCP"),
              "hosts:3:10: 'TCP' is not a place; expected dom:N, vm:NAME, node:ADDRESS[:PORT]/dom:N or tcp");
}

TEST(HostsMapLine, a_domain_that_is_no_number_or_too_large_is_refused) {
    const std::string tail = " is not a domain's number; expected dom:N with N from 0 to 65535";
    for (std::string number : {"65536", "x", "", "-1", "007", "99999999999999999999"}) {
        EXPECT_EQ(error_of("10.0.0.2 dom:" + number), "hosts:3:14: '" + number + "'" + tail);
    }
}

TEST(HostsMapLine, each_part_of_a_node_is_checked_at_its_own_column) {
    EXPECT_EQ(error_of("::1 node:10.0.0.1"),
              "hosts:3:18: the node has no domain; expected node:ADDRESS[:PORT]/dom:N");
    EXPECT_EQ(error_of("::1 node:other/dom:1"),
              "hosts:3:10: 'other' is not the address of a node; expected an IPv4 address, "
              "or an IPv6 address in brackets");
    EXPECT_EQ(error_of("::1 node:10.0.0.1:0/dom:1"),
              "hosts:3:19: '0' is not a port; expected a number from 1 to 65535");
    EXPECT_EQ(error_of("::1 node:10.0.0.1:65536/dom:1"),
              "hosts:3:19: '65536' is not a port; expected a number from 1 to 65535");
    EXPECT_EQ(error_of("::1 node:[fd00::2]:/dom:1"),
              "hosts:3:20: '' is not a port; expected a number from 1 to 65535");
    EXPECT_EQ(error_of("::1 node:10.0.0.1/4"),
              "hosts:3:19: '4' is not a domain; expected dom:N with N from 0 to 65535");
    EXPECT_EQ(error_of("::1 node:10.0.0.1/dom:x"),
              "hosts:3:23: 'x' is not a domain's number; expected dom:N with N from 0 to 65535");
}

TEST(HostsMapLine, an_ipv6_node_needs_both_brackets_and_an_ipv6_address) {
    EXPECT_EQ(error_of("::1 node:fd00::2/dom:1"),
              "hosts:3:10: IPv6 address of a node without brackets; expected node:[fd00::2]/dom:N");
    EXPECT_EQ(error_of("::1 node:[fd00::2/dom:1"),
              "hosts:3:18: the bracket before the node's address is not closed; expected ]");
    EXPECT_EQ(error_of("::1 node:[10.0.0.1]/dom:1"),
              "hosts:3:11: '10.0.0.1' is not an IPv6 address; expected an IPv6 address between the brackets");
    EXPECT_EQ(error_of("::1 node:[fd00::2]99/dom:1"),
              "hosts:3:19: '99' after the node's address; expected :PORT or /dom:N");
}

TEST(HostsMapLine, an_unknown_option_is_refused_with_the_nearest_known) {
    EXPECT_EQ(error_of("::1 dom:1 rnig=1M"),
              "hosts:3:11: unknown option 'rnig'; expected ring=SIZE, spin=TIME or over=ORDER (did you mean "
              "ring?)");
    EXPECT_EQ(error_of("::1 dom:1 ring=1M  spni=0"),
              "hosts:3:20: unknown option 'spni'; expected ring=SIZE, spin=TIME or over=ORDER (did you mean "
              "spin?)");
    EXPECT_EQ(error_of("::1 dom:1 colour=blue"),
              "hosts:3:11: unknown option 'colour'; expected ring=SIZE, spin=TIME or over=ORDER");
    EXPECT_EQ(error_of("::1 dom:1 =1M"),
              "hosts:3:11: unknown option ''; expected ring=SIZE, spin=TIME or over=ORDER");
}

TEST(HostsMapLine, an_option_given_twice_is_refused) {
    EXPECT_EQ(error_of("::1 dom:1 ring=1M ring=1M"),
              "hosts:3:19: option 'ring' is given twice; expected ring=SIZE once");
    EXPECT_EQ(error_of("::1 dom:1 spin=0 ring=1M spin=0"),
              "hosts:3:26: option 'spin' is given twice; expected spin=TIME once");
}

TEST(HostsMapLine, an_option_without_a_value_is_refused) {
    EXPECT_EQ(error_of("::1 dom:1 ring"), "hosts:3:15: option 'ring' has no value; expected ring=SIZE");
    EXPECT_EQ(error_of("::1 dom:1 spin="), "hosts:3:16: option 'spin' has no value; expected spin=TIME");
}

TEST(HostsMapLine, a_bad_ring_size_is_refused_for_its_own_reason) {
    const std::string tail = "; expected a power of two from 4K to 64M, such as 512K";
    auto ring = [](std::string value) { return error_of("::1 dom:1 ring=" + value); };
    EXPECT_EQ(ring("big"), "hosts:3:16: 'big' is not a ring size" + tail);
    EXPECT_EQ(ring("1G"), "hosts:3:16: '1G' is not a ring size" + tail);
    EXPECT_EQ(ring("K"), "hosts:3:16: 'K' is not a ring size" + tail);
    EXPECT_EQ(ring("5000"), "hosts:3:16: ring size '5000' is not a power of two" + tail);
    EXPECT_EQ(ring("0"), "hosts:3:16: ring size '0' is not a power of two" + tail);
    EXPECT_EQ(ring("2K"), "hosts:3:16: ring size '2K' is too small" + tail);
    EXPECT_EQ(ring("128M"), "hosts:3:16: ring size '128M' is too large" + tail);
    EXPECT_EQ(ring("99999999999999999999M"), "hosts:3:16: '99999999999999999999M' is not a ring size" + tail);
}

TEST(HostsMapLine, a_bad_spin_time_is_refused_for_its_own_reason) {
    const std::string tail = "; expected 0, or a number with us or ms, at most 10ms";
    auto spin = [](std::string value) { return error_of("::1 dom:1 spin=" + value); };
    EXPECT_EQ(spin("50"), "hosts:3:16: '50' is not a time" + tail);
    EXPECT_EQ(spin("50s"), "hosts:3:16: '50s' is not a time" + tail);
    EXPECT_EQ(spin("us"), "hosts:3:16: 'us' is not a time" + tail);
    EXPECT_EQ(spin("11ms"), "hosts:3:16: spin time '11ms' is too long" + tail);
    EXPECT_EQ(spin("10001us"), "hosts:3:16: spin time '10001us' is too long" + tail);
}

TEST(HostsMapLine, a_nul_byte_is_refused_even_in_a_comment) {
    EXPECT_EQ(error_of(std::string_view("10.0.0.2 \0dom:2", 15)),
              "hosts:3:10: NUL byte; expected plain text");
    EXPECT_EQ(error_of(std::string_view("# \0", 3)), "hosts:3:3: NUL byte; expected plain text");
}

TEST(HostsMapLine, a_line_of_4096_bytes_is_taken_and_a_longer_one_refused) {
    std::string line = "10.0.0.2 dom:2";
    line.resize(4096, ' ');
    EXPECT_EQ(error_of(line), "no error");
    EXPECT_EQ(error_of(line + "\r"), "no error");
    EXPECT_EQ(error_of(line + " "), "hosts:3:4097: the line is too long; expected at most 4096 bytes");
}

}  // namespace
}  // namespace xylem
