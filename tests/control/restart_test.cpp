// An agent that dies and comes back: connections go on, programs tell the new one what they have.
#include <gtest/gtest.h>

#include "tests/control/child_program.hpp"
#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {
namespace {

class AgentRestart : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(agent_1_->is_serving() && agent_2_->is_serving());
        listener_ = server_.listen(name_of("0.0.0.0", 5201), 1);
        client_ = std::make_unique<Program>(2);
        client_end_ = client_->connect(name_of("127.44.0.1", 5201));
        server_end_ = server_.accept(listener_);
        ASSERT_TRUE(client_end_ && server_end_);
    }
    void restart_agent_2() {
        agent_2_->kill();
        EXPECT_FALSE(client_->receive());  // the hang-up
        agent_2_ = std::make_unique<AgentProcess>(2);
        ASSERT_TRUE(agent_2_->is_serving());
    }
    static RejoinMessage rejoin_message(AttachedEnd& end) {
        auto message = ScriptedClient::make<RejoinMessage>(SessionMessage::rejoin);
        message.end_id = end.id;
        message.cookie = 4711;
        message.connection_id = end.page().connection_id;
        message.local = end.page().local;
        message.peer = end.page().peer;
        message.own_domain = end.page().own_domain;
        message.peer_domain = end.page().peer_domain;
        message.side = end.page().side;
        return message;
    }
    static bool is_done(const std::unique_ptr<Received>& got) {
        return got && got->header().type == static_cast<std::uint16_t>(SessionMessage::done);
    }
    // What the server's end says once a program has named the client's end to a new agent, and was killed.
    std::string said_when_the_rejoined_client_dies() {
        restart_agent_2();
        ChildProgram child([&] {
            auto* again = new Program(2);
            if (!is_done(again->ask(rejoin_message(*client_end_)))) ::_exit(1);
        });
        EXPECT_TRUE(child.is_ready());
        EXPECT_EQ(server_end_->receive(), "(nothing)");
        child.kill();
        std::string said;
        EXPECT_TRUE(eventually([&] { return (said = server_end_->receive()) != "(nothing)"; }));
        return said;
    }

    RuntimeScratch scratch_;
    std::unique_ptr<AgentProcess> agent_1_ = std::make_unique<AgentProcess>(1);
    std::unique_ptr<AgentProcess> agent_2_ = std::make_unique<AgentProcess>(2);
    bool serving_ = agent_1_->is_serving() && agent_2_->is_serving();
    Program server_{1};
    std::uint64_t listener_ = 0;
    std::unique_ptr<Program> client_;
    std::unique_ptr<AttachedEnd> client_end_;
    std::unique_ptr<AttachedEnd> server_end_;
};

TEST_F(AgentRestart, connections_outlive_both_agents) {
    agent_1_->kill();
    agent_2_->kill();
    EXPECT_TRUE(client_end_->send("no agent anywhere"));
    EXPECT_EQ(server_end_->receive(), "no agent anywhere");
}

TEST_F(AgentRestart, a_new_agent_has_another_boot_id_and_takes_over_the_stale_sockets) {
    const std::uint64_t before = client_->welcome.agent_boot_id;
    restart_agent_2();
    Program again(2);
    EXPECT_NE(again.welcome.agent_boot_id, before);
    EXPECT_TRUE(again.connect(name_of("127.44.0.1", 5201)));
}

TEST_F(AgentRestart, a_program_that_dies_after_rejoining_ends_the_connection) {
    EXPECT_EQ(said_when_the_rejoined_client_dies(), "(end)");
}

TEST_F(AgentRestart, a_program_that_dies_after_rejoining_with_unread_data_resets_it) {
    EXPECT_TRUE(server_end_->send("never read"));
    EXPECT_EQ(said_when_the_rejoined_client_dies(), "(reset)");
}

// What the other end says; "(nothing)" if it says nothing for the length of many looks.
std::string said_at_last(AttachedEnd& end) {
    std::string said;
    (void)eventually([&] { return (said = end.receive()) != "(nothing)"; });
    return said;
}

TEST_F(AgentRestart, a_connecting_program_that_dies_without_an_agent_ends_the_connection) {
    agent_2_->kill();
    EXPECT_TRUE(client_end_->send("last words"));
    client_end_.reset();
    EXPECT_EQ(said_at_last(*server_end_), "last words");
    EXPECT_EQ(said_at_last(*server_end_), "(end)");
}

TEST_F(AgentRestart, an_accepting_program_that_dies_without_an_agent_and_with_unread_data_resets_it) {
    agent_1_->kill();
    EXPECT_TRUE(client_end_->send("never read"));
    server_end_.reset();
    EXPECT_EQ(said_at_last(*client_end_), "(reset)");
}

TEST_F(AgentRestart, a_program_that_dies_before_it_rejoined_ends_the_connection) {
    ChildProgram child([&] {
        client_end_->slab.reset();  // as the library does
        client_end_->page_fd.reset();
    });
    client_end_.reset();
    restart_agent_2();
    ::usleep(500'000);
    EXPECT_EQ(server_end_->receive(), "(nothing)") << "it lives";
    child.kill();
    EXPECT_EQ(said_at_last(*server_end_), "(end)");
}

TEST_F(AgentRestart, a_connection_in_the_queue_outlives_both_agents) {
    const auto waiting = client_->connect(name_of("127.44.0.1", 5201));
    Program neighbour(1);
    const auto of_one_domain = neighbour.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(waiting && of_one_domain);
    EXPECT_TRUE(waiting->send("first") && of_one_domain->send("second"));
    agent_1_->kill();
    agent_2_->kill();
    const auto first = server_.accept(listener_);
    const auto second = server_.accept(listener_);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->receive(), "first");
    EXPECT_EQ(second->receive(), "second");
}

TEST_F(AgentRestart, a_listener_that_is_closed_without_an_agent_ends_what_waited_in_its_queue) {
    const auto waiting = client_->connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(waiting);
    agent_1_->kill();
    ::usleep(500'000);
    EXPECT_EQ(waiting->receive(), "(nothing)");
    server_.queue.reset();
    EXPECT_EQ(said_at_last(*waiting), "(end)");
    EXPECT_EQ(client_end_->receive(), "(nothing)") << "this one was accepted";
}

TEST_F(AgentRestart, a_new_agent_goes_on_with_the_queue_of_the_dead_one) {
    const auto before = client_->connect(name_of("127.44.0.1", 5201));
    agent_1_->kill();
    agent_1_ = std::make_unique<AgentProcess>(1);
    ASSERT_TRUE(before && agent_1_->is_serving());
    Program again(1);
    auto message = ScriptedClient::make<ListenMessage>(SessionMessage::listen);
    message.cookie = 1;
    message.local = name_of("0.0.0.0", 5201);
    message.backlog = 16;
    const UniqueFd kernel_listener(::socket(AF_INET, SOCK_STREAM, 0));
    const auto got = again.ask(message, {kernel_listener.get(), server_.queue.get()});
    ASSERT_TRUE(ScriptedClient::as<ListeningMessage>(got, SessionMessage::listening));
    const auto after = client_->connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(after);
    EXPECT_TRUE(after->send("after"));
    const auto first = server_.accept(listener_);
    const auto second = server_.accept(listener_);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(second->receive(), "after");
}

TEST_F(AgentRestart, a_rejoined_end_that_its_program_closed_itself_ends_in_order) {
    restart_agent_2();
    Program again(2);
    EXPECT_TRUE(is_done(again.ask(rejoin_message(*client_end_))));
    EXPECT_TRUE(client_end_->send("last words"));
    client_end_->stream.close(CloseMode::orderly);
    again.release(client_end_->id);
    ASSERT_TRUE(again.settle());
    EXPECT_EQ(server_end_->receive(), "last words");
    ::usleep(100'000);  // `vanished` must not turn it into a reset
    EXPECT_EQ(server_end_->receive(), "(end)");
}

TEST_F(AgentRestart, several_holders_rejoin_the_same_end) {
    restart_agent_2();
    Program one(2);
    Program two(2);
    EXPECT_TRUE(is_done(one.ask(rejoin_message(*client_end_))));
    EXPECT_TRUE(is_done(two.ask(rejoin_message(*client_end_))));
    one.release(client_end_->id);
    ASSERT_TRUE(one.settle());
    EXPECT_EQ(server_end_->receive(), "(nothing)");
    two.release(client_end_->id);
    EXPECT_TRUE(eventually([&] { return server_end_->receive() == "(end)"; }));
}

TEST_F(AgentRestart, rejoining_with_a_wrong_identity_is_refused) {
    restart_agent_2();
    Program one(2);
    EXPECT_TRUE(is_done(one.ask(rejoin_message(*client_end_))));
    auto message = rejoin_message(*client_end_);
    message.connection_id += 1;
    EXPECT_FALSE(is_done(one.ask(message)));
    message = rejoin_message(*client_end_);
    message.own_domain = 3;
    EXPECT_FALSE(is_done(one.ask(message)));
}

TEST_F(AgentRestart, a_restarted_agent_does_not_reuse_the_numbers_of_its_earlier_life) {
    const std::uint64_t end_id = client_end_->id;
    const std::uint64_t connection_id = client_end_->page().connection_id;
    restart_agent_2();
    Program again(2);
    auto end = again.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(end);
    EXPECT_NE(end->id, end_id);
    EXPECT_NE(end->page().connection_id, connection_id);
}

TEST_F(AgentRestart, listeners_are_offered_again_and_reached_over_a_fresh_link) {
    agent_1_->kill();
    EXPECT_FALSE(server_.receive());
    EXPECT_EQ(client_->dry_run(name_of("127.44.0.1", 5201)), Reason::no_peer_agent);
    agent_1_ = std::make_unique<AgentProcess>(1);
    ASSERT_TRUE(agent_1_->is_serving());
    EXPECT_EQ(client_->dry_run(name_of("127.44.0.1", 5201)), Reason::no_listener);
    Program again(1);
    again.listen(name_of("0.0.0.0", 5201), 1);
    EXPECT_TRUE(client_->connect(name_of("127.44.0.1", 5201)));
}

}  // namespace
}  // namespace xylem::agent_test
