// Links between agents, seen by a far agent that the test scripts: it listens at its own place of the
// fabric and says to a real agent what it likes.
#include <gtest/gtest.h>

#include "tests/control/child_program.hpp"
#include "tests/control/far_agent.hpp"
#include "tests/control/report.hpp"
#include "tests/control/scripted_client.hpp"
#include "vsock-transport/local/side_lock.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::agent_test {
namespace {

class AgentLink : public testing::Test {
  protected:
    static LinkConnectMessage connect_message(std::uint32_t flags = 0) {
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 5);
        message.connection_id = 1000;
        message.source = name_of("127.44.0.2", 40000);
        message.destination = name_of("127.44.0.1", 80);
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = 4096;
        message.slab_bytes = 3 * 4096;
        message.flags = flags;
        return message;
    }
    static Reason reason_of(const Received& answer) {
        const auto* connected = answer.as<LinkConnectedMessage>();
        return connected != nullptr ? static_cast<Reason>(connected->reason) : Reason::none;
    }
    bool agent_hangs_up(int link) {
        Received message;
        return !FarAgent::receive(link, message);
    }
    void expect_alive() {
        EXPECT_FALSE(agent_.has_ended());
        EXPECT_TRUE(program_.settle());
    }

    RuntimeScratch scratch_;
    AgentProcess agent_{1};
    bool serving_ = agent_.is_serving();
    Program program_{1};
    FarAgent far_{2};
    Received answer_;
};

TEST_F(AgentLink, the_owner_of_a_domains_place_in_the_fabric_is_believed) { EXPECT_TRUE(far_.dial_agent(1)); }

TEST_F(AgentLink, an_impostor_is_refused) {
    ChildProgram owner([] { static FarAgent far_agent(3); });
    EXPECT_FALSE(far_.dial_agent(1, 3)) << "another process listens there";
    EXPECT_FALSE(far_.dial_agent(1, 4)) << "nobody listens there";
    EXPECT_FALSE(far_.dial_agent(1, 1)) << "the agent's own domain";
    expect_alive();
}

TEST_F(AgentLink, a_domain_that_dials_again_replaces_its_link) {
    const UniqueFd first = far_.dial_agent(1);
    const UniqueFd second = far_.dial_agent(1);
    EXPECT_TRUE(agent_hangs_up(first.get()));
    EXPECT_TRUE(FarAgent::ask(second.get(), connect_message(kConnectDryRun), answer_));
}

TEST_F(AgentLink, a_slab_is_taken_only_if_it_is_sealed_and_fits) {
    program_.listen(name_of("0.0.0.0", 80), 1);
    const UniqueFd link = far_.dial_agent(1);
    const auto slab = make_sealed_memfd("slab", 3 * 4096);
    const auto small = make_sealed_memfd("slab", 2 * 4096);
    const UniqueFd open(::memfd_create("slab", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(open.get(), 3 * 4096), 0);
    const auto asked = [&](LinkConnectMessage message, int fd) {
        message.connection_id += static_cast<std::uint64_t>(fd + 1);
        EXPECT_TRUE(FarAgent::ask(link.get(), message, answer_, fd));
        return reason_of(answer_);
    };
    EXPECT_EQ(asked(connect_message(), -1), Reason::bad_request);
    EXPECT_EQ(asked(connect_message(), small->get()), Reason::bad_request);
    EXPECT_EQ(asked(connect_message(), open.get()), Reason::bad_request);
    auto odd = connect_message();
    odd.ring_size_bytes[0] = 5000;
    EXPECT_EQ(asked(odd, slab->get()), Reason::bad_request);
    auto huge = connect_message();
    huge.slab_bytes = ~0ULL;
    EXPECT_EQ(asked(huge, slab->get()), Reason::bad_request);
    EXPECT_EQ(asked(connect_message(), slab->get()), Reason::ring);
    EXPECT_EQ(asked(connect_message(), slab->get()), Reason::bad_request) << "one connection id twice";
}

TEST_F(AgentLink, a_dry_run_leaves_nothing_in_the_queue) {
    const std::uint64_t listener = program_.listen(name_of("0.0.0.0", 80), 1);
    const UniqueFd link = far_.dial_agent(1);
    EXPECT_TRUE(FarAgent::ask(link.get(), connect_message(kConnectDryRun), answer_));
    EXPECT_EQ(reason_of(answer_), Reason::ring);
    EXPECT_FALSE(program_.accept(listener));
}

TEST_F(AgentLink, malformed_messages_break_the_link_and_nothing_else) {
    const auto broken_by = [&](const void* bytes, std::size_t size_bytes) {
        const UniqueFd link = far_.dial_agent(1);
        EXPECT_TRUE(send_message(link.get(), bytes, size_bytes));
        EXPECT_TRUE(agent_hangs_up(link.get()));
        expect_alive();
    };
    auto message = connect_message();
    broken_by(&message, 3);
    broken_by(&message, sizeof message - 1);
    message.header.magic = kSessionMagic;
    broken_by(&message, sizeof message);
    message = connect_message();
    message.header.type = 99;
    broken_by(&message, sizeof message);
    const auto answer = make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected, 1);
    broken_by(&answer, sizeof answer);
    const auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
    broken_by(&hello, sizeof hello);
    const std::vector<char> large(2000, 'x');
    broken_by(large.data(), large.size());
}

TEST_F(AgentLink, another_version_is_answered_with_ours_and_a_hang_up) {
    auto link = dial(link_socket(1).text);
    auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
    hello.header.version = kProtocolVersion + 1;
    ASSERT_TRUE(FarAgent::ask(link->get(), hello, answer_));
    EXPECT_EQ(answer_.header().version, kProtocolVersion);
    EXPECT_TRUE(agent_hangs_up(link->get()));
    expect_alive();
}

TEST_F(AgentLink, a_peer_can_speak_of_its_own_connections_only) {
    const UniqueFd link = far_.dial_agent(1);
    auto message = make_message<LinkEndMessage>(kLinkMagic, LinkMessage::vanished, 0);
    message.connecting_domain = 7;
    EXPECT_TRUE(send_message(link.get(), &message, sizeof message));
    EXPECT_TRUE(agent_hangs_up(link.get()));
    const UniqueFd again = far_.dial_agent(1);
    message.connecting_domain = 1;
    message.side = 0;  // our side
    EXPECT_TRUE(send_message(again.get(), &message, sizeof message));
    EXPECT_TRUE(agent_hangs_up(again.get()));
    expect_alive();
}

TEST_F(AgentLink, a_domain_of_this_kernel_has_no_event_channels) {
    const UniqueFd in = far_.dial_agent(1);
    auto gone = make_message<LinkBellGoneMessage>(kLinkMagic, LinkMessage::bell_gone, 0);
    gone.doorbell_id = 5;
    EXPECT_TRUE(send_message(in.get(), &gone, sizeof gone));
    auto find = Program::make<BellFindMessage>(SessionMessage::bell_find);
    find.domain = 2;
    find.doorbell_id = 5;
    ASSERT_TRUE(program_.send(&find, sizeof find));
    const UniqueFd link = far_.accept_link();
    Received question;
    EXPECT_TRUE(FarAgent::receive(link.get(), question));
    auto bell = make_message<LinkBellMessage>(kLinkMagic, LinkMessage::bell, question.header().request_id);
    bell.doorbell_id = 5;
    bell.kind = static_cast<std::uint32_t>(KickKind::event_channel);
    bell.port = 3;
    EXPECT_TRUE(send_message(link.get(), &bell, sizeof bell));
    const auto got = program_.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->header().type, static_cast<std::uint16_t>(SessionMessage::failed));
    expect_alive();
}

TEST_F(AgentLink, vanished_ends_the_connection_once_and_resets_it_where_data_is_lost) {
    const std::uint64_t listener = program_.listen(name_of("0.0.0.0", 80), 1);
    const UniqueFd link = far_.dial_agent(1);
    const auto slab = make_sealed_memfd("slab", 3 * 4096);
    ASSERT_TRUE(FarAgent::ask(link.get(), connect_message(), answer_, slab->get()));
    auto end = program_.accept(listener);
    const auto other_slab = make_sealed_memfd("slab", 3 * 4096);
    auto other = connect_message();
    other.connection_id = 1001;
    ASSERT_TRUE(FarAgent::ask(link.get(), other, answer_, other_slab->get()));
    auto unread = program_.accept(listener);
    ASSERT_TRUE(end && unread);
    EXPECT_TRUE(unread->send("nobody reads this"));
    auto message = make_message<LinkEndMessage>(kLinkMagic, LinkMessage::vanished, 0);
    message.connecting_domain = 2;
    for (const std::uint64_t id : {1000, 1001, 1000, 1001, 1000}) {
        message.connection_id = id;
        EXPECT_TRUE(send_message(link.get(), &message, sizeof message));
    }
    std::string got;
    EXPECT_TRUE(eventually([&] { return (got = end->receive()) != "(nothing)"; }));
    EXPECT_EQ(got, "(end)");
    EXPECT_TRUE(eventually([&] { return (got = unread->receive()) != "(nothing)"; }));
    EXPECT_EQ(got, "(reset)");
    ASSERT_TRUE(FarAgent::ask(link.get(), connect_message(kConnectDryRun), answer_)) << "all is read by then";
    EXPECT_EQ(report_of(program_, QueryKind::statistics)["counters"]["vanished_received"], 2);
}

TEST_F(AgentLink, a_peer_that_hangs_up_is_judged_by_its_lock_if_it_ever_had_one) {
    const std::uint64_t listener = program_.listen(name_of("0.0.0.0", 80), 1);
    UniqueFd link = far_.dial_agent(1);
    std::unique_ptr<AttachedEnd> ends[2];
    UniqueFd locked;
    for (const std::uint64_t i : {0, 1}) {
        auto slab = make_sealed_memfd("slab", 3 * 4096);
        const UniqueFd theirs = reopened_slab(slab->get());
        auto message = connect_message();
        message.connection_id += i;
        if (i == 1) lock_side(slab->get(), message.connection_id, 0);
        ASSERT_TRUE(FarAgent::ask(link.get(), message, answer_, theirs.get()));
        EXPECT_TRUE(is_side_locked(slab->get(), message.connection_id, 1)) << "the agent locks its side";
        ends[i] = program_.accept(listener);
        ASSERT_TRUE(ends[i]);
        if (i == 1) locked = std::move(*slab);
    }
    link.reset();
    ::usleep(500'000);
    EXPECT_EQ(ends[1]->receive(), "(nothing)") << "its slab is still there";
    locked.reset();
    std::string got;
    EXPECT_TRUE(eventually([&] { return (got = ends[1]->receive()) != "(nothing)"; }));
    EXPECT_EQ(got, "(end)");
    EXPECT_EQ(ends[0]->receive(), "(nothing)") << "what never had a lock is not missed";
}

TEST_F(AgentLink, an_agent_that_does_not_answer_costs_a_second_and_the_session_goes_on) {
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.2", 80));
    ASSERT_TRUE(program_.send(&message, sizeof message));
    const UniqueFd link = far_.accept_link();
    Received asked;
    ASSERT_TRUE(FarAgent::receive(link.get(), asked));
    EXPECT_FALSE(program_.attached(program_.receive()));
    EXPECT_EQ(program_.last_reason, Reason::agent_timeout);
    // Whoever was given the slab all the same finds a connection that was reset.
    ASSERT_EQ(asked.fd_count, 1U);
    const auto* connect = asked.as<LinkConnectMessage>();
    auto slab = Mapping::shared(asked.fds[0].get(), connect->slab_bytes, PROT_READ);
    const auto view = carve(*slab, {{connect->ring_size_bytes[0], connect->ring_size_bytes[1]}}, 1);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->peer->producer.state.load_acquire(), static_cast<std::uint32_t>(TxState::reset));
    EXPECT_TRUE(program_.settle());
}

TEST_F(AgentLink, a_late_answer_is_dropped) {
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.2", 80));
    ASSERT_TRUE(program_.send(&message, sizeof message));
    const UniqueFd link = far_.accept_link();
    Received asked;
    ASSERT_TRUE(FarAgent::receive(link.get(), asked));
    EXPECT_FALSE(program_.attached(program_.receive()));
    auto late =
        make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected, asked.header().request_id);
    late.connection_id = asked.as<LinkConnectMessage>()->connection_id;
    late.reason = static_cast<std::uint32_t>(Reason::ring);
    EXPECT_TRUE(send_message(link.get(), &late, sizeof late));
    expect_alive();
}

TEST_F(AgentLink, a_link_that_breaks_under_a_question_answers_it) {
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.2", 80));
    ASSERT_TRUE(program_.send(&message, sizeof message));
    UniqueFd link = far_.accept_link();
    link.reset();
    EXPECT_FALSE(program_.attached(program_.receive()));
    EXPECT_EQ(program_.last_reason, Reason::no_peer_agent);
}

TEST_F(AgentLink, a_program_that_dies_while_it_connects_leaves_a_reset_connection) {
    UniqueFd link;
    Received asked;
    {
        ChildProgram child([] {
            auto* dying = new Program(1);
            auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.2", 80));
            dying->send(&message, sizeof message);
        });
        link = far_.accept_link();
        ASSERT_TRUE(FarAgent::receive(link.get(), asked));
    }
    const auto* connect = asked.as<LinkConnectMessage>();
    auto yes =
        make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected, asked.header().request_id);
    yes.connection_id = connect->connection_id;
    yes.reason = static_cast<std::uint32_t>(Reason::ring);
    EXPECT_TRUE(send_message(link.get(), &yes, sizeof yes));
    auto slab = Mapping::shared(asked.fds[0].get(), connect->slab_bytes, PROT_READ);
    const auto view = carve(*slab, {{connect->ring_size_bytes[0], connect->ring_size_bytes[1]}}, 1);
    EXPECT_TRUE(eventually([&] { return view->peer->producer.state.load_acquire() != 0; }));
    expect_alive();
}

}  // namespace
}  // namespace xylem::agent_test
