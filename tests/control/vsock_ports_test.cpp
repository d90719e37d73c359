// AF_VSOCK ports, which the agent owns: binding, holders, and what a connect and `explain` make of them.
#include "control/agent/vsock_ports.hpp"

#include <gtest/gtest.h>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent {
namespace {

using namespace agent_test;

const SocketName kAnyPort = vsock_name(VMADDR_CID_ANY, VMADDR_PORT_ANY);

TEST(VsockPortTable, automatic_ports_are_free_and_not_reserved) {
    VsockPorts ports(100);
    std::set<std::uint32_t> seen;
    for (std::uint64_t cookie = 1; cookie <= 100; ++cookie) {
        const auto bound = ports.bind(cookie, kAnyPort);
        ASSERT_TRUE(bound);
        EXPECT_GE((*bound)->local.port, 1024U);
        EXPECT_NE((*bound)->local.port, VMADDR_PORT_ANY);
        EXPECT_TRUE(seen.insert((*bound)->local.port).second);
    }
}

TEST(VsockPortTable, a_port_has_one_socket_whatever_its_cid) {
    VsockPorts ports(8);
    ASSERT_TRUE(ports.bind(1, vsock_name(3, 80)));
    const auto again = ports.bind(2, vsock_name(VMADDR_CID_ANY, 80));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().sys_errno, EADDRINUSE);
    ports.erase(80);
    EXPECT_TRUE(ports.bind(2, vsock_name(VMADDR_CID_ANY, 80)));
    EXPECT_EQ(ports.find_cookie(1), nullptr);
}

TEST(VsockPortTable, port_zero_is_a_port_like_others) {
    VsockPorts ports(8);
    const auto bound = ports.bind(1, vsock_name(VMADDR_CID_ANY, 0));
    ASSERT_TRUE(bound);
    EXPECT_EQ((*bound)->local.port, 0U);
}

TEST(VsockPortTable, the_quota_bounds_their_number) {
    VsockPorts ports(1);
    ASSERT_TRUE(ports.bind(1, kAnyPort));
    const auto refused = ports.bind(2, kAnyPort);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sys_errno, EADDRNOTAVAIL);
}

class AgentVsockPorts : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(agent_.is_serving()); }

    RuntimeScratch runtime_;
    AgentProcess agent_{3};
};

TEST_F(AgentVsockPorts, only_the_domains_own_cid_and_any_can_be_bound) {
    Program program(3);
    EXPECT_TRUE(program.bind(vsock_name(3, 100), 1));
    EXPECT_TRUE(program.bind(vsock_name(VMADDR_CID_ANY, 101), 2));
    EXPECT_FALSE(program.bind(vsock_name(4, 102), 3));
    EXPECT_EQ(program.last_errno, EADDRNOTAVAIL);
    EXPECT_FALSE(program.bind(vsock_name(VMADDR_CID_LOCAL, 102), 3));
    EXPECT_EQ(program.last_errno, EADDRNOTAVAIL);
    EXPECT_FALSE(program.bind(vsock_name(VMADDR_CID_ANY, 100), 3));
    EXPECT_EQ(program.last_errno, EADDRINUSE);
}

TEST_F(AgentVsockPorts, a_port_is_free_when_its_last_holder_is_gone) {
    auto first = std::make_unique<Program>(3);
    Program second(3);
    ASSERT_TRUE(first->bind(vsock_name(3, 100), 1));
    ASSERT_TRUE(
        second.bind(vsock_name(VMADDR_CID_ANY, 0), 1, kBindRecall));  // the same socket, by its cookie
    first->tell(SessionMessage::unbind, 1);
    first->settle();
    EXPECT_FALSE(second.bind(vsock_name(3, 100), 2));
    EXPECT_EQ(second.last_errno, EADDRINUSE);
    second.tell(SessionMessage::unbind, 1);
    EXPECT_TRUE(second.bind(vsock_name(3, 100), 2));
}

TEST_F(AgentVsockPorts, recalling_tells_the_name_and_binds_nothing) {
    Program program(3);
    EXPECT_FALSE(program.bind(vsock_name(3, 100), 1, kBindRecall));
    EXPECT_EQ(program.last_errno, ENOENT);
    const auto bound = program.bind(kAnyPort, 1);
    ASSERT_TRUE(bound);
    const auto recalled = program.bind(kAnyPort, 1, kBindRecall);
    ASSERT_TRUE(recalled);
    EXPECT_EQ(recalled->port, bound->port);
}

TEST_F(AgentVsockPorts, who_unbinds_what_it_does_not_hold_changes_nothing) {
    Program owner(3);
    Program stranger(3);
    ASSERT_TRUE(owner.bind(vsock_name(3, 100), 1));
    stranger.tell(SessionMessage::unbind, 1);
    stranger.settle();
    EXPECT_FALSE(stranger.bind(vsock_name(3, 100), 2));
}

TEST_F(AgentVsockPorts, listening_needs_the_port) {
    Program program(3);
    auto message = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
    message.cookie = 1;
    message.local = vsock_name(VMADDR_CID_ANY, 100);
    message.backlog = 4;
    EXPECT_TRUE(ScriptedClient::as<FailedMessage>(program.ask(message), SessionMessage::failed));
    ASSERT_TRUE(program.bind(message.local, 1));
    EXPECT_NE(program.listen(message.local, 1), 0U);
}

TEST_F(AgentVsockPorts, connects_reach_the_own_domain_by_its_cid_and_nobody_by_others) {
    Program program(3);
    const SocketName any = vsock_name(VMADDR_CID_ANY, 0);
    ASSERT_TRUE(program.bind(any, 1));
    ASSERT_NE(program.listen(any, 1), 0U);
    EXPECT_TRUE(program.connect(vsock_name(VMADDR_CID_ANY, 5000), vsock_name(3, 0)));
    EXPECT_EQ(program.dry_run(vsock_name(3, 1)), Reason::no_listener);
    EXPECT_EQ(program.dry_run(vsock_name(4, 0)), Reason::no_peer_agent);
    EXPECT_EQ(program.dry_run(vsock_name(3, VMADDR_PORT_ANY)), Reason::bad_request);
}

}  // namespace
}  // namespace xylem::agent
