#include "rdma-bridge/node_name.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/node_protocol.h"
#include "tests/support/scratch_directory.hpp"

namespace xylem::bridge {
namespace {

TEST(NodeName, has_an_address_and_perhaps_a_port) {
    EXPECT_EQ(node_address("192.168.7.2")->port(), kNodePort);
    EXPECT_EQ(node_address("192.168.7.2:7000")->port(), 7000);
    EXPECT_EQ(node_address("fd00::2")->port(), kNodePort);
    EXPECT_EQ(node_address("[fd00::2]:7000")->port(), 7000);
    EXPECT_EQ(node_address("[fd00::2]:7000")->storage.ss_family, AF_INET6);
}

TEST(NodeName, is_refused_if_it_is_none) {
    for (const char* text : {"", "node", "1.2.3", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:7x",
                             "[fd00::2]", "[fd00::2]:", "fd00::2:x"}) {
        EXPECT_FALSE(node_address(text)) << text;
    }
}

TEST(NodeName, is_what_hosts_maps_call_it) {
    const auto text = [](const char* node) {
        return std::string(node_text(name_of(*node_address(node))).text);
    };
    EXPECT_EQ(text("192.168.7.2:7480"), "192.168.7.2");
    EXPECT_EQ(text("192.168.7.2:7000"), "192.168.7.2:7000");
    EXPECT_EQ(text("[fd00:0::2]:7000"), "[fd00::2]:7000");
    EXPECT_EQ(text("::ffff:192.168.7.2"), "192.168.7.2");
}

TEST(RemoteDomain, is_above_all_domains_of_this_node) {
    EXPECT_FALSE(is_remote_domain(65535));
    const std::uint32_t id = remote_domain(1, 0);
    EXPECT_TRUE(is_remote_domain(id));
    EXPECT_EQ(node_number_of(remote_domain(7, 65535)), 7U);
    EXPECT_EQ(domain_on_node(remote_domain(7, 65535)), 65535U);
}

TEST(RemoteDomain, names_nodes_as_the_hosts_map_does) {
    SocketName name{};
    name.family = AF_INET;
    ::inet_pton(AF_INET, "192.168.7.2", name.address);
    EXPECT_STREQ(node_text(name).text, "192.168.7.2");
    name.port = 7000;
    EXPECT_STREQ(node_text(name).text, "192.168.7.2:7000");
    name.family = AF_INET6;
    ::inet_pton(AF_INET6, "fd00::2", name.address);
    EXPECT_STREQ(node_text(name).text, "[fd00::2]:7000");
    name.family = 99;
    EXPECT_STREQ(node_text(name).text, "");
}

TEST(RemoteDomain, keeps_the_order_of_transports_beside_the_number) {
    const ScratchDirectory scratch;
    ::setenv("XYLEM_FABRIC_DIR", scratch.path().c_str(), 1);
    const std::uint32_t number = number_of_node("192.168.7.2");
    EXPECT_STREQ(order_of_node(number).text, "");
    set_order_of_node(number, "verbs,tcp");
    EXPECT_STREQ(order_of_node(number).text, "verbs,tcp");
    set_order_of_node(number, "tcp");
    EXPECT_STREQ(order_of_node(number).text, "tcp");
    EXPECT_STREQ(order_of_node(number + 1).text, "");
    EXPECT_EQ(number_of_node("192.168.7.3"), number + 1);
    set_order_of_node(number, "");
    EXPECT_STREQ(order_of_node(number).text, "");
    EXPECT_STREQ(numbered_node(number).text, "192.168.7.2");
}

TEST(RemoteDomain, gives_a_node_the_same_number_each_time) {
    const ScratchDirectory scratch;
    ::setenv("XYLEM_FABRIC_DIR", scratch.path().c_str(), 1);
    EXPECT_EQ(number_of_node("192.168.7.2"), 1U);
    EXPECT_EQ(number_of_node("192.168.7.3:7000"), 2U);
    EXPECT_EQ(number_of_node("192.168.7.2"), 1U);
    EXPECT_STREQ(numbered_node(2).text, "192.168.7.3:7000");
    EXPECT_STREQ(numbered_node(3).text, "");
    EXPECT_STREQ(own_node().text, "");
    EXPECT_TRUE(name_own_node("192.168.7.9"));
    EXPECT_TRUE(name_own_node("192.168.7.2"));
    EXPECT_STREQ(own_node().text, "192.168.7.2");
    const std::string folder = scratch.path() + "/nodes";
    ::chmod(folder.c_str(), 0777);  // anybody's
    EXPECT_STREQ(own_node().text, "");
    EXPECT_STREQ(numbered_node(2).text, "");
    EXPECT_EQ(number_of_node("192.168.7.2"), 0U);
    EXPECT_FALSE(name_own_node("192.168.7.2"));
    ::chmod(folder.c_str(), 0755);
    EXPECT_EQ(number_of_node("192.168.7.2"), 1U);
    ::setenv("XYLEM_FABRIC_DIR", "/nonexistent", 1);
    EXPECT_FALSE(name_own_node("192.168.7.2"));
    EXPECT_EQ(number_of_node("192.168.7.2"), 0U);
    ::unsetenv("XYLEM_FABRIC_DIR");
}

}  // namespace
}  // namespace xylem::bridge
