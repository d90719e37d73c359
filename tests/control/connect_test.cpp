// The main path, against real agents: two domains, or one with itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/control/scripted_client.hpp"
#include "tests/control/two_domains.hpp"

namespace xylem::agent_test {
namespace {

class AgentConnect : public TwoDomains {
  protected:
    // A connection of domain 2 with domain 1's port 5201.
    void connect_both() {
        listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
        client_end_ = client_.connect(name_of("127.44.0.1", 5201));
        ASSERT_TRUE(client_end_) << reason_name(static_cast<std::uint32_t>(client_.last_reason));
        server_end_ = server_.accept(listener_);
        ASSERT_TRUE(server_end_);
    }

    Program server_{1};
    Program client_{2};
    std::uint64_t listener_ = 0;
    std::unique_ptr<AttachedEnd> client_end_;
    std::unique_ptr<AttachedEnd> server_end_;
};

TEST_F(AgentConnect, two_domains_exchange_bytes_over_the_slab_that_their_agents_handed_out) {
    ASSERT_TRUE(serving_);
    connect_both();
    EXPECT_TRUE(client_end_->send("ping"));
    EXPECT_EQ(server_end_->receive(), "ping");
    EXPECT_TRUE(server_end_->send("pong"));
    EXPECT_EQ(client_end_->receive(), "pong");
}

TEST_F(AgentConnect, both_ends_know_domains_and_names) {
    connect_both();
    EXPECT_EQ(client_end_->page().own_domain, 2U);
    EXPECT_EQ(client_end_->page().peer_domain, 1U);
    EXPECT_EQ(server_end_->page().own_domain, 1U);
    EXPECT_EQ(server_end_->page().peer_domain, 2U);
    EXPECT_EQ(text_of(client_end_->page().local), "127.44.0.2 40000");
    EXPECT_EQ(text_of(client_end_->page().peer), "127.44.0.1 5201");
    EXPECT_EQ(text_of(server_end_->page().local), "127.44.0.1 5201");
    EXPECT_EQ(text_of(server_end_->page().peer), "127.44.0.2 40000");
    EXPECT_EQ(client_end_->page().connection_id, server_end_->page().connection_id);
    EXPECT_EQ(client_end_->page().holders.load_acquire(), 1U);
}

TEST_F(AgentConnect, a_claimed_source_that_is_not_the_domains_is_replaced_by_its_own) {
    listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
    client_end_ = client_.connect(name_of("10.9.9.9", 40000), name_of("127.44.0.1", 5201));
    server_end_ = server_.accept(listener_);
    ASSERT_TRUE(server_end_);
    EXPECT_EQ(text_of(server_end_->page().peer), "127.44.0.2 40000");
}

TEST_F(AgentConnect, the_queue_is_readable_while_a_connection_waits) {
    listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
    EXPECT_FALSE(is_readable(server_.queue.get()));
    auto first = client_.connect(name_of("127.44.0.1", 5201));
    auto second = client_.connect(name_of("127.44.0.1", 5201));
    EXPECT_TRUE(is_readable(server_.queue.get()));
    EXPECT_TRUE(server_.accept(listener_));
    EXPECT_TRUE(is_readable(server_.queue.get()));
    EXPECT_TRUE(server_.accept(listener_));
    EXPECT_FALSE(is_readable(server_.queue.get()));
    EXPECT_FALSE(server_.accept(listener_));
}

TEST_F(AgentConnect, a_program_that_meddles_with_its_queue_loses_its_own_connections_only) {
    listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
    const int queue = server_.queue.get();
    ASSERT_EQ(::fcntl(queue, F_SETFL, 0), 0);  // blocking from now on, for the agent too
    while (::send(queue, "?", 1, MSG_DONTWAIT) == 1) {
    }
    EXPECT_FALSE(client_.connect(name_of("127.44.0.1", 5201)));
    EXPECT_EQ(client_.last_reason, Reason::backlog_full);
    char byte;
    while (::recv(queue, &byte, 1, MSG_DONTWAIT) == 1) {
    }
    const sockaddr nowhere{};
    ASSERT_EQ(::connect(queue, &nowhere, sizeof nowhere), 0);
    EXPECT_FALSE(client_.connect(name_of("127.44.0.1", 5201)));
    EXPECT_TRUE(server_.settle());
}

TEST_F(AgentConnect, an_orderly_release_shows_the_peer_an_end_after_the_data) {
    connect_both();
    EXPECT_TRUE(client_end_->send("last words"));
    client_.release(client_end_->id);
    ASSERT_TRUE(client_.settle());
    EXPECT_EQ(server_end_->receive(), "last words");
    EXPECT_EQ(server_end_->receive(), "(end)");
}

TEST_F(AgentConnect, a_release_that_aborts_shows_the_peer_a_reset) {
    connect_both();
    client_.release(client_end_->id, ReleaseMode::abort);
    ASSERT_TRUE(client_.settle());
    EXPECT_EQ(server_end_->receive(), "(reset)");
}

TEST_F(AgentConnect, a_domain_connects_to_itself_without_a_link) {
    listener_ = server_.listen(name_of("127.44.0.1", 80), 1);
    Program other(1);
    auto end = other.connect(name_of("127.44.0.1", 80));
    ASSERT_TRUE(end);
    server_end_ = server_.accept(listener_);
    ASSERT_TRUE(server_end_);
    EXPECT_NE(end->id, server_end_->id);
    EXPECT_TRUE(end->send("to myself"));
    EXPECT_EQ(server_end_->receive(), "to myself");
    EXPECT_EQ(server_end_->page().peer_domain, 1U);
    other.release(end->id);
    ASSERT_TRUE(other.settle());
    EXPECT_EQ(server_end_->receive(), "(end)");
}

TEST_F(AgentConnect, every_refusal_has_its_reason) {
    listener_ = server_.listen(name_of("127.0.0.1", 22), 1);
    const auto reason = [&](const char* address, std::uint32_t port) {
        EXPECT_FALSE(client_.connect(name_of(address, port)));
        EXPECT_EQ(client_.dry_run(name_of(address, port)), client_.last_reason);
        return client_.last_reason;
    };
    EXPECT_EQ(reason("192.0.2.1", 80), Reason::not_mapped);
    EXPECT_EQ(reason("127.44.0.9", 80), Reason::no_peer_agent);
    EXPECT_EQ(reason("127.44.0.1", 80), Reason::no_listener);
    EXPECT_EQ(reason("127.44.0.2", 80), Reason::no_listener);
}

TEST_F(AgentConnect, a_listener_on_an_address_of_nobody_is_private) {
    listener_ = server_.listen(name_of("127.0.0.1", 22), 1);
    EXPECT_EQ(client_.dry_run(name_of("127.44.0.1", 22)), Reason::no_listener);
    EXPECT_EQ(server_.dry_run(name_of("127.0.0.1", 22)), Reason::not_mapped);
}

TEST_F(AgentConnect, a_full_queue_refuses_until_there_is_room) {
    listener_ = server_.listen(name_of("0.0.0.0", 5201), 1, 2);
    auto first = client_.connect(name_of("127.44.0.1", 5201));
    auto second = client_.connect(name_of("127.44.0.1", 5201));
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(client_.connect(name_of("127.44.0.1", 5201)));
    EXPECT_EQ(client_.last_reason, Reason::backlog_full);
    EXPECT_TRUE(server_.accept(listener_));
    EXPECT_TRUE(client_.connect(name_of("127.44.0.1", 5201)));
}

TEST_F(AgentConnect, listeners_of_one_address_get_the_same_share_whoever_asks_besides) {
    Program other(1);
    const std::uint64_t first = server_.listen(name_of("0.0.0.0", 5201), 1);
    const std::uint64_t second = other.listen(name_of("0.0.0.0", 5201), 2);
    std::vector<std::unique_ptr<AttachedEnd>> ends;
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(client_.dry_run(name_of("127.44.0.1", 5201)), Reason::ring);
        ends.push_back(client_.connect(name_of("127.44.0.1", 5201)));
        ASSERT_TRUE(ends.back());
    }
    for (int i = 0; i < 2; ++i) {
        ends.push_back(server_.accept(first));
        EXPECT_TRUE(ends.back());
        ends.push_back(other.accept(second));
        EXPECT_TRUE(ends.back());
    }
}

TEST_F(AgentConnect, who_waits_in_the_queue_of_a_listener_that_closes_sees_a_reset) {
    listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
    client_end_ = client_.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(client_end_);
    server_.tell(SessionMessage::unlisten, listener_);
    ASSERT_TRUE(server_.settle());
    EXPECT_EQ(client_end_->receive(), "(reset)");
    EXPECT_EQ(client_.dry_run(name_of("127.44.0.1", 5201)), Reason::no_listener);
}

TEST_F(AgentConnect, an_ipv6_wildcard_takes_ipv4_and_reports_it_mapped) {
    listener_ = server_.listen(name_of("::", 80), 1);
    client_end_ = client_.connect(name_of("127.44.0.1", 80));
    server_end_ = server_.accept(listener_);
    ASSERT_TRUE(server_end_);
    EXPECT_EQ(text_of(server_end_->page().peer), "::ffff:127.44.0.2 40000");
    EXPECT_EQ(text_of(server_end_->page().local), "::ffff:127.44.0.1 80");
    server_.tell(SessionMessage::unlisten, listener_);
    server_.listen(name_of("::", 81), 2, 16, kListenV6Only);
    EXPECT_EQ(client_.dry_run(name_of("127.44.0.1", 81)), Reason::no_listener);
}

TEST_F(AgentConnect, a_mapped_destination_is_looked_up_as_the_ipv4_address_it_stands_for) {
    listener_ = server_.listen(name_of("127.44.0.1", 80), 1);
    client_end_ = client_.connect(name_of("::ffff:127.44.0.1", 80));
    ASSERT_TRUE(client_end_);
    EXPECT_EQ(text_of(client_end_->page().peer), "::ffff:127.44.0.1 80");
    EXPECT_EQ(text_of(client_end_->page().local), "::ffff:127.44.0.2 40000");
    server_end_ = server_.accept(listener_);
    ASSERT_TRUE(server_end_);
    EXPECT_EQ(text_of(server_end_->page().peer), "127.44.0.2 40000");
}

TEST_F(AgentConnect, a_vsock_connect_goes_to_the_domain_of_its_cid) {
    const SocketName any = vsock_name(VMADDR_CID_ANY, 1'000'000);
    ASSERT_TRUE(server_.bind(any, 1));
    listener_ = server_.listen(any, 1);
    client_end_ = client_.connect(vsock_name(VMADDR_CID_ANY, 5000), vsock_name(1, 1'000'000));
    ASSERT_TRUE(client_end_);
    server_end_ = server_.accept(listener_);
    ASSERT_TRUE(server_end_);
    EXPECT_EQ(server_end_->page().peer.address[0], 2);
    EXPECT_EQ(server_end_->page().peer.family, static_cast<std::uint32_t>(AF_VSOCK));
}

TEST_F(AgentConnect, asked_ring_sizes_are_used_and_wrong_ones_refused) {
    listener_ = server_.listen(name_of("0.0.0.0", 80), 1);
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.1", 80));
    message.ring_size_bytes = 8192;
    message.spin_ns = 7000;
    client_end_ = client_.attached(client_.ask(message));
    ASSERT_TRUE(client_end_);
    EXPECT_EQ(client_end_->page().ring_size_bytes[0], 8192U);
    EXPECT_EQ(client_end_->page().spin_ns, 7000U);
    message.ring_size_bytes = 5000;
    EXPECT_FALSE(client_.attached(client_.ask(message)));
    EXPECT_EQ(client_.last_reason, Reason::bad_request);
}

}  // namespace
}  // namespace xylem::agent_test
