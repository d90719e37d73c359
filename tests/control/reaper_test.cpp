// What becomes of ends and listeners whose program died, exec()ed, forked, or handed them over.
#include <gtest/gtest.h>

#include "tests/control/child_program.hpp"
#include "tests/control/scripted_client.hpp"
#include "tests/control/two_domains.hpp"
#include "vsock-transport/wakeup/waiter_slots.hpp"

namespace xylem::agent_test {
namespace {

constexpr std::uint64_t kListenerCookie = 11;

class Reaper : public TwoDomains {
  protected:
    std::unique_ptr<AttachedEnd> accept() {
        EXPECT_TRUE(eventually([this] { return is_readable(server_.queue.get()); }));
        return server_.accept(listener_);
    }

    Program server_{1};
    std::uint64_t listener_ = server_.listen(name_of("0.0.0.0", 5201), kListenerCookie);
};

TEST_F(Reaper, a_killed_program_ends_its_connections_after_their_data) {
    ChildProgram child([] {
        auto* program = new Program(2);
        auto* end = program->connect(name_of("127.44.0.1", 5201)).release();
        end->send("last words");
    });
    ASSERT_TRUE(child.is_ready());
    auto end = accept();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->receive(), "last words");
    EXPECT_EQ(end->receive(), "(nothing)");
    child.kill();
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
}

TEST_F(Reaper, a_program_killed_with_unread_data_resets_its_connections) {
    ChildProgram child([] {
        auto* program = new Program(2);
        (void)program->connect(name_of("127.44.0.1", 5201)).release();
    });
    auto end = accept();
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->send("never read"));
    child.kill();
    std::string got;
    EXPECT_TRUE(eventually([&] { return (got = end->receive()) != "(nothing)"; }));
    EXPECT_EQ(got, "(reset)");
}

TEST_F(Reaper, a_killed_program_takes_its_listener_with_it) {
    ChildProgram child([] {
        auto* program = new Program(1);
        program->listen(name_of("0.0.0.0", 99), 77);
    });
    Program client(2);
    EXPECT_EQ(client.dry_run(name_of("127.44.0.1", 99)), Reason::ring);
    child.kill();
    EXPECT_TRUE(eventually([&] { return client.dry_run(name_of("127.44.0.1", 99)) == Reason::no_listener; }));
}

TEST_F(Reaper, a_living_process_that_hung_up_keeps_its_ends_and_adopts_them_by_cookie) {
    auto client = std::make_unique<Program>(2);
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.1", 5201));
    message.cookie = 4242;
    auto before = client->attached(client->ask(message));
    ASSERT_TRUE(before);
    auto end = accept();
    ASSERT_TRUE(end);
    client->hang_up();
    client = std::make_unique<Program>(2);
    auto after = client->attached(client->adopt(4242));
    ASSERT_TRUE(after);
    EXPECT_EQ(after->id, before->id);
    EXPECT_EQ(after->page().holders.load_acquire(), 1U);
    EXPECT_TRUE(after->send("still here"));
    EXPECT_EQ(end->receive(), "still here");
    client->release(after->id);
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
}

TEST_F(Reaper, a_listener_survives_exec_with_its_queue) {
    Program client(2);
    auto end = client.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(end);
    server_.hang_up();
    Program next(1);
    auto got = next.adopt(kListenerCookie);
    const auto* listening = ScriptedClient::as<ListeningMessage>(got, SessionMessage::listening);
    ASSERT_NE(listening, nullptr);
    next.queue = std::move(got->fds[0]);
    EXPECT_TRUE(is_readable(next.queue.get()));
    EXPECT_TRUE(next.accept(listening->listener_id));
}

TEST_F(Reaper, a_program_that_dies_between_taking_a_connection_and_saying_so_ends_it) {
    Program client(2);
    auto end = client.connect(name_of("127.44.0.1", 5201));
    auto waiting = client.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(end && waiting);
    ChildProgram child([this] {
        auto* worker = new Program(1);
        worker->adopt(kListenerCookie);
        Received taken;
        if (!receive_message(server_.queue.get(), taken)) ::_exit(1);
    });
    ASSERT_TRUE(child.is_ready());
    child.kill();
    std::string said;
    EXPECT_TRUE(eventually([&] { return (said = end->receive()) != "(nothing)"; }));
    EXPECT_EQ(said, "(reset)");
    EXPECT_EQ(waiting->receive(), "(nothing)") << "this one is in the queue yet";
    EXPECT_TRUE(server_.accept(listener_));
}

TEST_F(Reaper, an_end_from_the_queue_may_be_rejoined_by_who_has_the_listener) {
    Program client(2);
    auto end = client.connect(name_of("127.44.0.1", 5201));
    auto queued = std::make_unique<Received>();
    ASSERT_TRUE(end && receive_message(server_.queue.get(), *queued));
    auto accepted = server_.attached(std::move(queued));
    ASSERT_TRUE(accepted);
    auto message = ScriptedClient::make<RejoinMessage>(SessionMessage::rejoin);
    message.end_id = accepted->id;
    message.connection_id = accepted->page().connection_id;
    message.own_domain = 1;
    message.peer_domain = 2;
    message.side = 1;
    auto got = server_.ask(message);
    EXPECT_TRUE(ScriptedClient::as<PlainMessage>(got, SessionMessage::done));
    EXPECT_EQ(accepted->page().holders.load_acquire(), 1U);
    server_.tell(SessionMessage::unlisten, listener_);
    ASSERT_TRUE(server_.settle());
    EXPECT_EQ(end->receive(), "(nothing)") << "it waits no more";
    server_.release(accepted->id);
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
}

TEST_F(Reaper, what_was_accepted_before_a_fork_is_the_childs_too) {
    Program client(2);
    auto end = client.connect(name_of("127.44.0.1", 5201));
    Received taken;
    ASSERT_TRUE(end && receive_message(server_.queue.get(), taken));
    EXPECT_TRUE(server_.say_accepted(listener_, taken.as<AttachedMessage>()->end_id));
    ScriptedClient child(1);
    child.hello(server_.welcome.session_id);
    server_.release(taken.as<AttachedMessage>()->end_id);
    ASSERT_TRUE(server_.settle());
    EXPECT_EQ(end->receive(), "(nothing)");
    child.hang_up();
}

TEST_F(Reaper, what_the_new_image_does_not_adopt_is_released_after_a_while) {
    auto client = std::make_unique<Program>(2);
    auto before = client->connect(name_of("127.44.0.1", 5201));
    auto end = accept();
    ASSERT_TRUE(before && end);
    client->hang_up();
    EXPECT_EQ(end->receive(), "(nothing)");
    client = std::make_unique<Program>(2);
    ASSERT_TRUE(client->settle());
    EXPECT_EQ(end->receive(), "(nothing)");
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
}

TEST_F(Reaper, a_clone_holds_everything_and_the_last_holder_ends_it) {
    Program parent(2);
    auto parents = parent.connect(name_of("127.44.0.1", 5201));
    auto end = accept();
    ASSERT_TRUE(parents && end);
    ScriptedClient clone(2);
    EXPECT_NE(clone.hello(parent.welcome.session_id).session_id, 0U);
    EXPECT_EQ(parents->page().holders.load_acquire(), 2U);
    ChildProgram child([&] { EXPECT_TRUE(clone.settle()); });  // the child speaks: the session is its own
    clone.hang_up();
    parent.release(parents->id);
    ASSERT_TRUE(parent.settle());
    EXPECT_EQ(end->receive(), "(nothing)");
    EXPECT_EQ(parents->page().holders.load_acquire(), 1U);
    child.kill();
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
}

TEST_F(Reaper, a_clone_that_no_child_ever_used_lets_go_at_once) {
    Program parent(2);
    auto parents = parent.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(parents);
    ScriptedClient clone(2);
    clone.hello(parent.welcome.session_id);
    clone.hang_up();
    EXPECT_TRUE(eventually([&] { return parents->page().holders.load_acquire() == 1; }));
}

TEST_F(Reaper, nobody_can_clone_the_session_of_another_process) {
    Program victim(2);
    int exit_code = -1;
    const pid_t pid = ::fork();
    if (pid == 0) {
        ScriptedClient thief(2);
        auto message = ScriptedClient::make<HelloMessage>(SessionMessage::hello);
        message.clone_of = victim.welcome.session_id;
        auto got = thief.ask(message);
        ::_exit(got && got->header().type == static_cast<std::uint16_t>(SessionMessage::failed) ? 0 : 1);
    }
    ::waitpid(pid, &exit_code, 0);
    EXPECT_EQ(exit_code, 0);
}

TEST_F(Reaper, an_end_is_handed_over_to_another_live_program_of_the_user) {
    Program giver(2);
    auto message = ScriptedClient::connect_message(name_of("0.0.0.0", 4), name_of("127.44.0.1", 5201));
    message.cookie = 555;
    auto given = giver.attached(giver.ask(message));
    auto end = accept();
    ASSERT_TRUE(given && end);
    Program taker(2);
    auto taken = taker.attached(taker.adopt(555));
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->page().holders.load_acquire(), 2U);
    giver.release(given->id);
    ASSERT_TRUE(giver.settle());
    EXPECT_EQ(end->receive(), "(nothing)");
    taker.release(taken->id);
    EXPECT_TRUE(eventually([&] { return end->receive() == "(end)"; }));
    EXPECT_FALSE(taker.attached(taker.adopt(555)));
}

TEST_F(Reaper, an_accepted_end_is_found_by_the_cookie_in_its_holders_session_page) {
    auto page_fd = make_sealed_memfd("page", sizeof(SessionPage));
    auto page = Mapping::shared(page_fd->get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    ScriptedClient server(1);
    page->as<SessionPage>()->magic = kSessionPageMagic;
    page->as<SessionPage>()->version = kSessionPageVersion;
    server.hello(0, SessionRole::program, page_fd->get());
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 12);
    Program client(2);
    auto client_end = client.connect(name_of("127.44.0.1", 80));
    auto accepted = server.accept(listener);
    ASSERT_TRUE(client_end && accepted);
    SessionRecord& record = page->as<SessionPage>()->records[0];
    record.cookie = 777;
    record.end_id = accepted->id;
    record.state.store_release(static_cast<std::uint32_t>(RecordState::ring));
    page->as<SessionPage>()->high_water.store_release(1);
    server.hang_up();
    Program next(1);
    auto adopted = next.attached(next.adopt(777));
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->id, accepted->id);
    EXPECT_FALSE(next.attached(next.adopt(778)));
}

TEST_F(Reaper, the_slots_of_a_dead_process_are_freed_for_those_that_share_the_end) {
    Program parent(2);
    auto shared = parent.connect(name_of("127.44.0.1", 5201));
    ASSERT_TRUE(shared);
    ScriptedClient clone(2);
    clone.hello(parent.welcome.session_id);
    ChildProgram child([&] {
        auto bell = make_local_bell();
        const std::uint32_t id = clone.bell_new(1, bell->kicker.get());
        shared->stream.waiters(Direction::readable).claim(WaitToken(id, 0, 1));
    });
    clone.hang_up();
    EXPECT_NE(shared->page().readable_waiters[0].load_acquire(), 0U);
    child.kill();
    EXPECT_TRUE(eventually([&] { return shared->page().readable_waiters[0].load_acquire() == 0; }));
    EXPECT_TRUE(eventually([&] { return shared->page().holders.load_acquire() == 1; }));
}

TEST_F(Reaper, a_program_that_spoils_its_end_page_hurts_nobody_else) {
    ChildProgram child([] {
        auto* program = new Program(2);
        auto* end = program->connect(name_of("127.44.0.1", 5201)).release();
        std::memset(static_cast<void*>(&end->page()), 0xFF, kEndPageBytes);
    });
    auto end = accept();
    ASSERT_TRUE(end);
    child.kill();
    EXPECT_TRUE(eventually([&] { return end->receive() != "(nothing)"; }));
    EXPECT_FALSE(agent_2_.has_ended());
    Program other(2);
    EXPECT_TRUE(other.settle());
}

}  // namespace
}  // namespace xylem::agent_test
