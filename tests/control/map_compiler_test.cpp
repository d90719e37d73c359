#include "control/agent/map_compiler.hpp"

#include <gtest/gtest.h>

#include "control/protocol/map_table.hpp"
#include "control/protocol/session_protocol.h"
#include "tests/control/scripted_client.hpp"

namespace xylem::agent {
namespace {

using namespace agent_test;

HostsRow row(const char* address, unsigned bits, HostsTarget target, std::uint32_t domain = 0,
             std::uint32_t line = 1) {
    const SocketName name = name_of(address, 0);
    HostsRow made{};
    made.family = static_cast<int>(name.family);
    std::copy(std::begin(name.address), std::end(name.address), made.address.begin());
    made.prefix_bits = bits;
    made.target = target;
    made.domain = domain;
    made.line = line;
    return made;
}

class MapCompiler : public testing::Test {
  protected:
    const MapTableHeader& compile(const std::vector<HostsRow>& rows, std::uint32_t own_domain = 2) {
        bytes_ = compile_map(rows, own_domain);
        EXPECT_TRUE(is_map_table(bytes_.data(), bytes_.size()));
        return *reinterpret_cast<const MapTableHeader*>(bytes_.data());
    }
    std::vector<std::byte> bytes_;
};

TEST_F(MapCompiler, an_empty_map_covers_nothing) {
    EXPECT_FALSE(look_up(compile({}), name_of("10.0.0.1", 1)).mapped);
}

TEST_F(MapCompiler, every_row_is_found_and_longer_prefixes_come_first) {
    std::vector<HostsRow> rows{row("10.0.0.0", 8, HostsTarget::tcp),
                               row("0.0.0.0", 0, HostsTarget::domain, 99),
                               row("fd00::", 16, HostsTarget::domain, 6)};
    for (unsigned i = 0; i < 200; ++i) {
        rows.push_back(row(("10.1.0." + std::to_string(i)).c_str(), 32, HostsTarget::domain, i));
    }
    const MapTableHeader& table = compile(rows);
    for (unsigned i = 0; i < 200; ++i) {
        EXPECT_EQ(look_up(table, name_of("10.1.0." + std::to_string(i), 1)).domain, i);
    }
    EXPECT_EQ(look_up(table, name_of("10.1.0.200", 1)).target, MapTarget::tcp);
    EXPECT_EQ(look_up(table, name_of("11.0.0.0", 1)).domain, 99U);
    EXPECT_EQ(look_up(table, name_of("fd00:1::", 1)).domain, 6U);
    EXPECT_FALSE(look_up(table, name_of("fe00::", 1)).mapped);
}

TEST_F(MapCompiler, a_domains_address_is_that_of_its_first_line_with_a_single_address) {
    const MapTableHeader& table = compile(
        {row("10.0.0.9", 32, HostsTarget::domain, 2, 7), row("10.0.0.5", 32, HostsTarget::domain, 2, 3),
         row("10.0.0.1", 32, HostsTarget::node, 2, 1), row("10.2.0.0", 16, HostsTarget::domain, 2, 2)});
    EXPECT_EQ(text_of(address_of(table, 2, AF_INET)), "10.0.0.5 0");
    EXPECT_EQ(address_of(table, 2, AF_INET6).family, 0U);
    EXPECT_EQ(address_of(table, 3, AF_INET).family, 0U);
    EXPECT_EQ(text_of(table.own_address[0]), "10.0.0.5 0");
}

TEST_F(MapCompiler, numbered_domains_have_numbered_addresses) {
    const MapTableHeader& table = compile({row("127.44.0.0", 16, HostsTarget::domain_low16, 0, 0)}, 513);
    EXPECT_EQ(text_of(table.own_address[0]), "127.44.2.1 0");
    EXPECT_EQ(look_up(table, name_of("127.44.2.1", 1)).domain, 513U);
    EXPECT_EQ(address_of(table, 70'000, AF_INET).family, 0U);
}

TEST_F(MapCompiler, what_a_line_does_not_say_is_left_to_defaults) {
    HostsRow said = row("10.0.0.2", 32, HostsTarget::domain, 2);
    said.ring_size_bytes = 4096;
    said.spin_ns = 0;
    const MapTableHeader& table = compile({said, row("10.0.0.3", 32, HostsTarget::domain, 3)});
    EXPECT_EQ(look_up(table, name_of("10.0.0.2", 1)).entry->ring_size_bytes, 4096U);
    EXPECT_EQ(look_up(table, name_of("10.0.0.2", 1)).entry->spin_ns, 0U);
    EXPECT_EQ(look_up(table, name_of("10.0.0.3", 1)).entry->ring_size_bytes, 0U);
    EXPECT_EQ(look_up(table, name_of("10.0.0.3", 1)).entry->spin_ns, kUnsetSpinNs);
}

}  // namespace
}  // namespace xylem::agent
