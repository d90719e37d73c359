// Offers of other domains: which names an agent takes from them.
#include <gtest/gtest.h>

#include "control/protocol/remote_domain.hpp"
#include "control/protocol/socket_names.hpp"
#include "tests/control/far_agent.hpp"
#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {
namespace {

class OfferedNames : public testing::Test {
  protected:
    OfferedNames() {
        program_.bind(vsock_name(VMADDR_CID_ANY, 80), 2);
        EXPECT_NE(program_.listen(vsock_name(VMADDR_CID_ANY, 80), 2), 0U);
        EXPECT_NE(program_.listen(name_of("0.0.0.0", 80), 1), 0U);
    }
    static Reason answer(std::uint32_t domain, const SocketName& source, const SocketName& destination) {
        FarAgent far(domain);
        const UniqueFd link = far.dial_agent(1);
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 5);
        message.source = source;
        message.destination = destination;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = 4096;
        message.flags = kConnectDryRun;
        Received told;
        EXPECT_TRUE(FarAgent::ask(link.get(), message, told));
        ::unlink(link_socket(domain).text);
        const auto* connected = told.as<LinkConnectedMessage>();
        return connected != nullptr ? static_cast<Reason>(connected->reason) : Reason::none;
    }

    const SocketName inet_source_ = name_of("127.44.0.2", 40000);
    const SocketName inet_ = name_of("127.44.0.1", 80);
    const SocketName vsock_source_ = vsock_name(2, 0x0100007F);
    const SocketName vsock_ = vsock_name(1, 80);
    RuntimeScratch scratch_;
    AgentProcess agent_{1};
    bool serving_ = agent_.is_serving();
    Program program_{1};
};

TEST_F(OfferedNames, are_of_one_family_or_refused) {
    EXPECT_EQ(answer(2, inet_source_, inet_), Reason::ring);
    EXPECT_EQ(answer(2, as_ipv4_mapped(inet_source_), inet_), Reason::ring);
    EXPECT_EQ(answer(2, inet_source_, as_ipv4_mapped(inet_)), Reason::ring);
    EXPECT_EQ(answer(2, vsock_source_, vsock_), Reason::ring);
    EXPECT_EQ(answer(2, vsock_source_, inet_), Reason::bad_request);
    EXPECT_EQ(answer(2, inet_source_, vsock_), Reason::bad_request);
    EXPECT_EQ(answer(2, SocketName{}, SocketName{}), Reason::bad_request);
}

TEST_F(OfferedNames, of_other_nodes_are_no_cids) {
    const std::uint32_t remote = remote_domain(number_of_node("192.0.2.1"), 2);
    EXPECT_EQ(answer(remote, vsock_source_, vsock_), Reason::bad_request);
    EXPECT_EQ(answer(remote, inet_source_, inet_), Reason::no_source_address);
}

}  // namespace
}  // namespace xylem::agent_test
