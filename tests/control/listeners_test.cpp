#include "control/agent/listeners.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent {
namespace {

using namespace agent_test;

class ListenerTable : public testing::Test {
  protected:
    ListenerId add(const char* address, std::uint32_t port, bool v6_only = false, std::uint32_t backlog = 8) {
        Listener* made = table_.add(++cookie_, name_of(address, port), v6_only, backlog);
        return made != nullptr ? made->id : 0;
    }
    // Who gets a connection to that destination; 0 and the reason if nobody.
    ListenerId choose(const char* address, std::uint32_t port) {
        Listener* chosen = nullptr;
        reason_ = table_.choose(
            name_of(address, port), [](const Listener&) { return true; }, chosen);
        if (reason_ != Reason::ring) return 0;
        chosen->waiting.insert(++end_);
        table_.had_turn(*chosen);
        return chosen->id;
    }

    Listeners table_{8};
    std::uint64_t cookie_ = 0;
    EndId end_ = 0;
    Reason reason_ = Reason::none;
};

TEST_F(ListenerTable, the_most_specific_address_wins) {
    const auto any_6 = add("::", 80);
    EXPECT_EQ(choose("10.0.0.1", 80), any_6);
    const auto any_4 = add("0.0.0.0", 80);
    EXPECT_EQ(choose("10.0.0.1", 80), any_4);
    const auto exact = add("10.0.0.1", 80);
    EXPECT_EQ(choose("10.0.0.1", 80), exact);
    EXPECT_EQ(choose("10.0.0.2", 80), any_4);
    EXPECT_EQ(choose("fd00::1", 80), any_6);
    EXPECT_EQ(choose("10.0.0.1", 81), 0U);
    EXPECT_EQ(reason_, Reason::no_listener);
}

TEST_F(ListenerTable, an_ipv4_mapped_address_is_the_ipv4_address) {
    const auto mapped = add("::ffff:10.0.0.1", 80);
    EXPECT_EQ(choose("10.0.0.1", 80), mapped);
    EXPECT_TRUE(table_.find(mapped)->speaks_mapped());
}

TEST_F(ListenerTable, v6_only_takes_no_ipv4) {
    add("::", 80, true);
    EXPECT_EQ(choose("10.0.0.1", 80), 0U);
    EXPECT_NE(choose("fd00::1", 80), 0U);
}

TEST_F(ListenerTable, listeners_of_one_address_take_turns_and_a_full_one_is_passed_over) {
    const auto first = add("0.0.0.0", 80, false, 2);
    const auto second = add("0.0.0.0", 80, false, 8);
    EXPECT_EQ(choose("10.0.0.1", 80), first);
    EXPECT_EQ(choose("10.0.0.1", 80), second);
    EXPECT_EQ(choose("10.0.0.1", 80), first);
    for (int i = 0; i < 7; ++i) EXPECT_EQ(choose("10.0.0.1", 80), second);
    EXPECT_EQ(choose("10.0.0.1", 80), 0U);
    EXPECT_EQ(reason_, Reason::backlog_full);
}

TEST_F(ListenerTable, who_may_not_reach_a_listener_is_told_that_it_is_private) {
    add("10.0.0.1", 80);
    Listener* chosen = nullptr;
    const auto nobody = [](const Listener&) { return false; };
    EXPECT_EQ(table_.choose(name_of("10.0.0.1", 80), nobody, chosen), Reason::listener_private);
    EXPECT_EQ(table_.choose(name_of("10.0.0.2", 80), nobody, chosen), Reason::no_listener);
}

TEST_F(ListenerTable, a_look_through_a_queue_leaves_it_in_order) {
    Result<AcceptQueue> queue = AcceptQueue::make();
    const auto memory = make_sealed_memfd("any", 4096);
    ASSERT_TRUE(queue && memory);
    EXPECT_FALSE(is_readable(queue->fd()));
    for (const EndId id : {1, 2, 3}) {
        auto message = make_message<AttachedMessage>(kSessionMagic, SessionMessage::attached, 0);
        message.end_id = id;
        EXPECT_TRUE(queue->put(message, memory->get(), memory->get()));
    }
    EXPECT_EQ(::send(queue->fd(), "?", 1, 0), 1);
    EXPECT_TRUE(is_readable(queue->fd()));
    EXPECT_EQ(queue->look_through(), (std::set<EndId>{1, 2, 3}));
    for (const EndId id : {1, 2, 3}) {
        Received next;
        ASSERT_TRUE(receive_message(queue->fd(), next));
        EXPECT_EQ(next.as<AttachedMessage>()->end_id, id);
        EXPECT_EQ(next.fd_count, 2U);
    }
    EXPECT_FALSE(is_readable(queue->fd())) << "what makes no sense is dropped";
}

TEST_F(ListenerTable, nobody_else_can_send_to_a_queue) {
    Result<AcceptQueue> queue = AcceptQueue::make();
    ASSERT_TRUE(queue);
    sockaddr_un name{};
    socklen_t length = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    ASSERT_EQ(::getsockname(queue->fd(), address, &length), 0);
    const UniqueFd stranger(::socket(AF_UNIX, SOCK_DGRAM, 0));
    EXPECT_EQ(::sendto(stranger.get(), "?", 1, 0, address, length), -1);
    EXPECT_EQ(errno, EPERM);
}

TEST_F(ListenerTable, backlogs_are_clamped_as_the_kernel_does) {
    EXPECT_EQ(Listeners::clamp_backlog(0), 1U);
    EXPECT_EQ(Listeners::clamp_backlog(5), 5U);
    EXPECT_LE(Listeners::clamp_backlog(~0U), 4096U);
    EXPECT_GE(Listeners::clamp_backlog(~0U), 1U);
}

TEST_F(ListenerTable, the_quota_bounds_their_number_and_erasing_gives_it_back) {
    ListenerId last = 0;
    for (int i = 0; i < 8; ++i) last = add("0.0.0.0", 80);
    EXPECT_NE(last, 0U);
    EXPECT_EQ(add("0.0.0.0", 80), 0U);
    table_.erase(last);
    EXPECT_NE(add("0.0.0.0", 80), 0U);
    EXPECT_EQ(table_.find_cookie(8), nullptr);
    EXPECT_EQ(table_.find(last), nullptr);
}

}  // namespace
}  // namespace xylem::agent
