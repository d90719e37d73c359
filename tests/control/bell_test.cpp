// Doorbells through the agents: who may ring whom, and that the agents ring themselves when they close an end
// for a program.
#include <gtest/gtest.h>

#include "tests/control/child_program.hpp"
#include "tests/control/scripted_client.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::agent_test {
namespace {

class AgentBells : public testing::Test {
  protected:
    static const BellMessage* found(const std::unique_ptr<Received>& got) {
        const bool is_bell = got && got->header().type == static_cast<std::uint16_t>(SessionMessage::bell);
        return is_bell ? got->as<BellMessage>() : nullptr;
    }

    RuntimeScratch scratch_;
    AgentProcess agent_1_{1};
    AgentProcess agent_2_{2};
    AgentProcess agent_3_{3};
    bool serving_ = agent_1_.is_serving() && agent_2_.is_serving() && agent_3_.is_serving();
    Program waiter_{1};
    LocalBell bell_ = std::move(*make_local_bell());
};

TEST_F(AgentBells, a_bell_of_the_own_domain_is_found_and_rings) {
    const std::uint32_t id = waiter_.bell_new(2, bell_.kicker.get());
    Program other(1);
    auto got = other.bell_find(1, id);
    ASSERT_NE(found(got), nullptr);
    ASSERT_EQ(got->fd_count, 1U);
    EXPECT_FALSE(is_readable(bell_.waiter.get()));
    EXPECT_TRUE(kick_local(got->fds[0].get()));
    EXPECT_TRUE(is_readable(bell_.waiter.get()));
}

TEST_F(AgentBells, the_peers_domain_finds_it_over_the_link_with_its_area) {
    auto area = make_sealed_memfd("area", kDoorbellAreaBytes);
    const std::uint32_t id = waiter_.bell_new(2, bell_.kicker.get(), area->get());
    Program far(2);
    auto got = far.bell_find(1, id);
    ASSERT_NE(found(got), nullptr);
    EXPECT_EQ(found(got)->has_area, 1U);
    ASSERT_EQ(got->fd_count, 2U);
    auto mapped = Mapping::shared(got->fds[1].get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    auto own = Mapping::shared(area->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    ReadyArea ready(own->as<DoorbellArea>());
    ready.set_sleeping(true);
    Doorbell doorbell;
    doorbell.install(KickKind::local_socket, std::move(got->fds[0]), std::move(*mapped));
    EXPECT_TRUE(doorbell.ring(WaitToken(id, 5, 1)));
    EXPECT_TRUE(ready.has_ready());
    EXPECT_TRUE(is_readable(bell_.waiter.get()));
}

TEST_F(AgentBells, a_peer_of_the_same_kernel_rings_no_event_channel) {
    auto ask = Program::make<BellNewMessage>(SessionMessage::bell_new);
    ask.peer_domain = 2;
    ask.wants_channel = 1;
    auto made = waiter_.ask(ask, {bell_.kicker.get()});
    ASSERT_NE(found(made), nullptr);
    EXPECT_EQ(found(made)->kind, static_cast<std::uint32_t>(KickKind::local_socket));
    EXPECT_EQ(made->fd_count, 0U);
    Program far(2);
    auto find = Program::make<BellFindMessage>(SessionMessage::bell_find);
    find.domain = 1;
    find.doorbell_id = found(made)->doorbell_id;
    find.flags = kFindRelayed;
    auto got = far.ask(find);
    ASSERT_NE(found(got), nullptr);
    EXPECT_EQ(found(got)->kind, static_cast<std::uint32_t>(KickKind::local_socket)) << "nor is it relayed";
}

TEST_F(AgentBells, a_third_domain_does_not_get_it) {
    const std::uint32_t id = waiter_.bell_new(2, bell_.kicker.get());
    Program third(3);
    EXPECT_EQ(found(third.bell_find(1, id)), nullptr);
    Program far(2);
    EXPECT_NE(found(far.bell_find(1, id)), nullptr);
}

TEST_F(AgentBells, the_agent_rings_for_those_who_can_take_no_descriptor) {
    const std::uint32_t id = waiter_.bell_new(2, bell_.kicker.get());
    Program third(3);
    third.bell_ring(1, WaitToken(id, 0, 1));
    ASSERT_TRUE(third.settle());
    EXPECT_EQ(found(third.bell_find(1, id)), nullptr);  // so the link was asked what the ringing asked it
    EXPECT_FALSE(is_readable(bell_.waiter.get()));
    Program far(2);
    far.bell_ring(1, WaitToken(id, 0, 1));
    EXPECT_TRUE(eventually([&] { return is_readable(bell_.waiter.get()); }));
    drain_local(bell_.waiter.get());
    Program other(1);
    other.bell_ring(1, WaitToken(id, 0, 1));
    EXPECT_TRUE(eventually([&] { return is_readable(bell_.waiter.get()); }));
    other.bell_ring(9, WaitToken(12345, 0, 1));
    EXPECT_TRUE(other.settle());
}

TEST_F(AgentBells, ids_that_nobody_has_are_not_found) {
    Program far(2);
    EXPECT_EQ(found(far.bell_find(1, 12345)), nullptr);
    EXPECT_EQ(found(far.bell_find(2, 12345)), nullptr);
    EXPECT_EQ(found(far.bell_find(9, 12345)), nullptr);
}

TEST_F(AgentBells, one_keeps_the_number_that_an_earlier_agent_gave_it_unless_that_is_taken) {
    constexpr std::uint32_t kWanted = 4242;
    ASSERT_EQ(waiter_.bell_new(2, bell_.kicker.get(), -1, kWanted), kWanted);
    Program other(1);
    const std::uint32_t given = other.bell_new(2, bell_.kicker.get(), -1, kWanted);
    EXPECT_NE(given, 0U);
    EXPECT_NE(given, kWanted);
    Program far(2);
    EXPECT_NE(found(far.bell_find(1, kWanted)), nullptr);
}

TEST_F(AgentBells, a_freed_bell_and_one_of_a_gone_session_are_not_found) {
    const std::uint32_t freed = waiter_.bell_new(2, bell_.kicker.get());
    const std::uint32_t kept = waiter_.bell_new(2, bell_.kicker.get());
    waiter_.tell(SessionMessage::bell_free, freed);
    ASSERT_TRUE(waiter_.settle());
    Program far(2);
    EXPECT_EQ(found(far.bell_find(1, freed)), nullptr);
    EXPECT_NE(found(far.bell_find(1, kept)), nullptr);
    waiter_.hang_up();
    EXPECT_TRUE(eventually([&] { return found(far.bell_find(1, kept)) == nullptr; }));
}

TEST_F(AgentBells, a_sleeper_is_woken_when_an_agent_closes_the_far_end_of_a_killed_program) {
    const std::uint64_t listener = waiter_.listen(name_of("0.0.0.0", 80), 1);
    ChildProgram child([] {
        auto* program = new Program(2);
        (void)program->connect(name_of("127.44.0.1", 80)).release();
    });
    auto end = waiter_.accept(listener);
    ASSERT_TRUE(end);
    const std::uint32_t id = waiter_.bell_new(2, bell_.kicker.get());
    end->stream.waiters(Direction::readable).claim(WaitToken(id, 0, 1));
    EXPECT_FALSE(is_readable(bell_.waiter.get()));
    child.kill();
    EXPECT_TRUE(eventually([&] { return is_readable(bell_.waiter.get()); }));
    EXPECT_EQ(end->receive(), "(end)");
}

TEST_F(AgentBells, a_sleeper_of_the_own_domain_is_woken_without_a_link) {
    const std::uint64_t listener = waiter_.listen(name_of("0.0.0.0", 80), 1);
    Program other(1);
    auto far_end = other.connect(name_of("127.44.0.1", 80));
    auto end = waiter_.accept(listener);
    ASSERT_TRUE(far_end && end);
    const std::uint32_t id = waiter_.bell_new(1, bell_.kicker.get());
    end->stream.waiters(Direction::readable).claim(WaitToken(id, 0, 1));
    other.release(far_end->id);
    EXPECT_TRUE(eventually([&] { return is_readable(bell_.waiter.get()); }));
}

}  // namespace
}  // namespace xylem::agent_test
