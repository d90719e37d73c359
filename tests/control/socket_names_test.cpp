// Names that programs and agents speak of.
#include "control/protocol/socket_names.hpp"

#include <gtest/gtest.h>
#include <linux/vm_sockets.h>

#include <cstring>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {
namespace {

bool same(const SocketName& a, const SocketName& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST(SocketNames, an_ipv4_name_is_the_same_after_it_was_mapped) {
    const SocketName plain = name_of("127.44.0.1", 80);
    const SocketName mapped = as_ipv4_mapped(plain);
    EXPECT_TRUE(same(mapped, name_of("::ffff:127.44.0.1", 80)));
    EXPECT_TRUE(same(unmapped(mapped), plain));
}

TEST(SocketNames, other_names_are_neither_mapped_nor_unmapped) {
    for (const SocketName& name : {name_of("fd00::7", 80), name_of("::", 80), vsock_name(3, 1024)}) {
        EXPECT_TRUE(same(as_ipv4_mapped(name), name));
        EXPECT_TRUE(same(unmapped(name), name));
    }
    EXPECT_TRUE(same(unmapped(name_of("127.44.0.1", 80)), name_of("127.44.0.1", 80)));
    EXPECT_TRUE(same(unmapped(name_of("::fffe:7f2c:1", 80)), name_of("::fffe:7f2c:1", 80)));
}

TEST(SocketNames, each_family_has_its_wildcard) {
    EXPECT_TRUE(is_wildcard(name_of("0.0.0.0", 80)));
    EXPECT_TRUE(is_wildcard(name_of("::", 80)));
    EXPECT_TRUE(is_wildcard(vsock_name(VMADDR_CID_ANY, 80)));
    EXPECT_FALSE(is_wildcard(name_of("0.0.0.1", 80)));
    EXPECT_FALSE(is_wildcard(name_of("::1", 80)));
    EXPECT_FALSE(is_wildcard(vsock_name(0, 80)));
}

TEST(SocketNames, only_the_address_of_the_family_counts) {
    SocketName name = name_of("0.0.0.0", 80);
    name.address[4] = 1;
    EXPECT_TRUE(is_wildcard(name));
    EXPECT_EQ(address_bytes(name), 4U);
    name.family = AF_INET6;
    EXPECT_FALSE(is_wildcard(name));
    EXPECT_EQ(address_bytes(name), 16U);
    name.family = AF_UNIX;
    EXPECT_EQ(address_bytes(name), 0U);
}

TEST(SocketNames, a_cid_keeps_all_its_bits) {
    EXPECT_EQ(cid_of(vsock_name(0xFEDCBA98, 1)), 0xFEDCBA98U);
    EXPECT_EQ(address_bytes(vsock_name(0, 1)), 4U);
}

}  // namespace
}  // namespace xylem::agent_test
