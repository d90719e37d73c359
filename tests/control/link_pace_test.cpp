// What a peer in another guest may take of the agent's time, over links.
#include "control/protocol/link_protocol.h"
#include "tests/control/guest_agent.hpp"

namespace xylem::agent_test {
namespace {

constexpr std::uint32_t kPeer = 5;

class LinkPace : public GuestAgent {
  protected:
    LinkPace() {
        int both[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both), 0);
        agents_.reset(both[0]);
        ours_.reset(both[1]);
        agent_->links.is_owner = [](std::uint32_t, int) { return true; };
    }
    void say_hello_and_more() {
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = kPeer;
        EXPECT_TRUE(send_message(ours_.get(), &hello, sizeof hello));
        auto gone = make_message<LinkBellGoneMessage>(kLinkMagic, LinkMessage::bell_gone, 0);
        for (int i = 0; i < 8; ++i) EXPECT_TRUE(send_message(ours_.get(), &gone, sizeof gone));
    }
    UniqueFd agents_;
    UniqueFd ours_;
    std::vector<UniqueFd> far_;  // of those that dial again and again
};

TEST_F(LinkPace, a_turn_ends_with_the_message_that_takes_too_long) {
    const auto pace = std::make_shared<Pace>(100'000, 0);  // a microsecond of work is a tenth of a second
    const auto link = agent_->links.add_incoming(std::move(agents_), pace);
    say_hello_and_more();
    turns(4);
    EXPECT_EQ(link->messages_received, 1U);
    EXPECT_NE(pace->rest_ns(now_ns()), 0U);
}

TEST_F(LinkPace, what_came_meanwhile_is_read_after_the_rest) {
    const auto pace = std::make_shared<Pace>(10, 0);
    const auto link = agent_->links.add_incoming(std::move(agents_), pace);
    say_hello_and_more();
    EXPECT_TRUE(comes_to([&] { return link->messages_received == 9; }));
    ours_.reset();
    EXPECT_TRUE(comes_to([&] { return link->state == agent::LinkState::broken; }));
}

// All of them are this process, as far as the kernel says.
TEST_F(LinkPace, a_guest_that_dials_without_end_keeps_no_other_guest_out) {
    const auto pace = std::make_shared<Pace>(10, 0);
    const auto dials = [&](std::shared_ptr<Pace> its) {
        int both[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both), 0);
        far_.emplace_back(both[1]);
        return agent_->links.add_incoming(UniqueFd(both[0]), std::move(its));
    };
    const auto other = dials(std::make_shared<Pace>(10, 0));
    agent::LinkPtr last;
    for (std::ptrdiff_t i = 0; i < 2 * agent::Links::kMaxUnnamedOfProcess; ++i) {
        const auto link = dials(pace);
        ASSERT_NE(link, nullptr) << i;
        EXPECT_TRUE(last == nullptr || last->state == agent::LinkState::broken) << i;
        last = link;
    }
    EXPECT_EQ(last->state, agent::LinkState::greeting);
    EXPECT_EQ(other->state, agent::LinkState::greeting);
    for (std::ptrdiff_t i = 0; i < agent::Links::kMaxUnnamedOfProcess; ++i) {
        EXPECT_NE(dials(std::make_shared<Pace>(10, 0)), nullptr) << "another guest";
        EXPECT_NE(dials(nullptr), nullptr) << "a process of this machine";
    }
    EXPECT_EQ(dials(nullptr), nullptr);
}

TEST_F(LinkPace, our_own_link_to_a_guest_is_charged_to_it) {
    agent_->xen->begin();
    const auto link = agent_->links.add_outgoing(kPeer, std::move(agents_));
    ASSERT_NE(link, nullptr);
    ASSERT_NE(link->pace, nullptr);
    EXPECT_EQ(link->pace, agent_->xen->pace_of(kPeer));
}

}  // namespace
}  // namespace xylem::agent_test
