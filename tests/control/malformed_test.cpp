// Messages that make no sense, on sessions: answered, counted, and after three the session is over. The agent
// goes on.
#include <gtest/gtest.h>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {
namespace {

class MalformedMessage : public testing::Test {
  protected:
    static Reason refusal(const std::unique_ptr<Received>& got) {
        const auto* failed = ScriptedClient::as<FailedMessage>(got, SessionMessage::failed);
        return failed != nullptr ? static_cast<Reason>(failed->reason) : Reason::none;
    }
    void expect_alive() {
        EXPECT_FALSE(agent_.has_ended());
        Program other(1);
        EXPECT_NE(other.welcome.session_id, 0U);
        EXPECT_TRUE(other.settle());
    }

    RuntimeScratch scratch_;
    AgentProcess agent_{1};
    bool serving_ = agent_.is_serving();
};

TEST_F(MalformedMessage, one_cut_short_is_refused_without_an_answer_that_nobody_could_match) {
    Program program(1);
    const std::uint32_t magic = kSessionMagic;
    EXPECT_TRUE(program.send(&magic, sizeof magic));
    EXPECT_TRUE(program.settle());
    expect_alive();
}

TEST_F(MalformedMessage, every_length_short_of_the_whole_is_refused) {
    auto message = ScriptedClient::make<ConnectMessage>(SessionMessage::connect, 7);
    for (std::size_t size = sizeof(MessageHeader); size < sizeof message; ++size) {
        Program program(1);
        message.header.length_bytes = static_cast<std::uint32_t>(size);
        EXPECT_TRUE(program.send(&message, size));
        EXPECT_EQ(refusal(program.receive()), Reason::bad_request) << size;
    }
    expect_alive();
}

TEST_F(MalformedMessage, another_version_is_told_so) {
    ScriptedClient client(1);
    auto hello = ScriptedClient::make<HelloMessage>(SessionMessage::hello, 9);
    hello.header.version = 77;
    EXPECT_EQ(refusal(client.ask(hello)), Reason::version_mismatch);
    expect_alive();
}

TEST_F(MalformedMessage, the_third_ends_the_session) {
    Program program(1);
    auto message = ScriptedClient::make<PlainMessage>(static_cast<SessionMessage>(999));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(refusal(program.ask(message)), Reason::bad_request);
    EXPECT_FALSE(program.receive());
    expect_alive();
}

TEST_F(MalformedMessage, one_larger_than_any_message_is_refused) {
    Program program(1);
    const std::vector<char> bytes(4096, 'x');
    for (int i = 0; i < 3; ++i) program.send(bytes.data(), bytes.size());
    EXPECT_FALSE(program.receive());
    expect_alive();
}

TEST_F(MalformedMessage, nothing_is_done_before_hello) {
    ScriptedClient client(1);
    auto message = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
    message.local = name_of("0.0.0.0", 80);
    message.cookie = 1;
    EXPECT_EQ(refusal(client.ask(message)), Reason::bad_request);
    EXPECT_NE(client.hello().session_id, 0U);
    auto again = ScriptedClient::make<HelloMessage>(SessionMessage::hello);
    EXPECT_EQ(refusal(client.ask(again)), Reason::bad_request);
}

TEST_F(MalformedMessage, descriptors_where_none_belong_are_refused) {
    Program program(1);
    auto pair = make_local_bell();
    auto message = ScriptedClient::make<PlainMessage>(SessionMessage::get_map);
    EXPECT_EQ(refusal(program.ask(message, {pair->kicker.get()})), Reason::bad_request);
    expect_alive();
}

TEST_F(MalformedMessage, a_session_page_that_is_not_sealed_is_refused) {
    ScriptedClient client(1);
    const UniqueFd open(::memfd_create("page", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(open.get(), sizeof(SessionPage)), 0);
    auto hello = ScriptedClient::make<HelloMessage>(SessionMessage::hello);
    hello.has_page = 1;
    EXPECT_EQ(refusal(client.ask(hello, {open.get()})), Reason::bad_request);
    EXPECT_EQ(refusal(client.ask(hello)), Reason::bad_request);
    expect_alive();
}

TEST_F(MalformedMessage, a_bell_must_be_a_datagram_socket_and_its_area_sealed) {
    Program program(1);
    auto message = ScriptedClient::make<BellNewMessage>(SessionMessage::bell_new);
    const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    EXPECT_EQ(refusal(program.ask(message, {event.get()})), Reason::bad_request);
    auto pair = make_local_bell();
    message.has_area = 1;
    EXPECT_EQ(refusal(program.ask(message, {pair->kicker.get(), event.get()})), Reason::bad_request);
    expect_alive();
}

TEST_F(MalformedMessage, an_accept_queue_must_be_a_datagram_socket) {
    Program program(1);
    auto message = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
    message.cookie = 7;
    message.local = name_of("0.0.0.0", 80);
    message.backlog = 1;
    const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
    const UniqueFd stream(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    EXPECT_EQ(refusal(program.ask(message, {event.get(), stream.get()})), Reason::bad_request);
    expect_alive();
}

TEST_F(MalformedMessage, names_that_cannot_be_are_refused) {
    Program program(1);
    auto listen = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
    listen.cookie = 1;
    listen.local = name_of("0.0.0.0", 0);
    EXPECT_EQ(refusal(program.ask(listen)), Reason::bad_request);
    listen.local.family = 77;
    listen.local.port = 80;
    EXPECT_EQ(refusal(program.ask(listen)), Reason::bad_request);
    auto connect = ScriptedClient::connect_message({}, {});
    EXPECT_EQ(refusal(program.ask(connect)), Reason::bad_request);
    expect_alive();
}

TEST_F(MalformedMessage, what_belongs_to_others_cannot_be_named) {
    Program owner(1);
    Program stranger(1);
    const std::uint64_t listener = owner.listen(name_of("0.0.0.0", 80), 5);
    auto end = owner.connect(name_of("127.44.0.1", 80));
    ASSERT_TRUE(end);
    stranger.release(end->id, ReleaseMode::abort);
    stranger.tell(SessionMessage::unlisten, listener);
    Received queued;
    ASSERT_TRUE(receive_message(owner.queue.get(), queued));
    const std::uint64_t far_end = queued.as<AttachedMessage>()->end_id;
    EXPECT_TRUE(stranger.say_accepted(listener, far_end));
    EXPECT_TRUE(stranger.say_accepted(0, far_end));
    ASSERT_TRUE(stranger.settle());
    stranger.hang_up();
    EXPECT_TRUE(owner.say_accepted(listener + 1, far_end));
    EXPECT_TRUE(owner.say_accepted(listener, far_end));
    auto accepted = owner.attached(std::make_unique<Received>(std::move(queued)));
    ASSERT_TRUE(accepted && owner.settle());
    EXPECT_EQ(accepted->page().holders.load_acquire(), 1U);
    EXPECT_EQ(accepted->receive(), "(nothing)");
}

TEST_F(MalformedMessage, a_program_that_does_not_read_its_answers_loses_its_session_only) {
    Program program(1);
    const auto message = ScriptedClient::make<PlainMessage>(SessionMessage::get_map);
    for (int i = 0; i < 20'000 && program.send(&message, sizeof message); ++i) {
    }
    expect_alive();
}

}  // namespace
}  // namespace xylem::agent_test
