// Doorbells of programs, as agents tell of them that are not what they should be.
#include "rdma-bridge/program_bells.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "control/protocol/seqpacket.hpp"
#include "vsock-transport/local/local_kick.hpp"

namespace xylem::bridge {
namespace {

class ProgramBellsTest : public testing::Test {
  protected:
    static constexpr Pair kPair{1, 1U << 16 | 2};

    void SetUp() override {
        int both[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both), 0);
        agent_.reset(both[0]);
        const AgentLink::Events none{[](const Pair&) { return true; }, [](AgentLink&) {},
                                     [](AgentLink&, Received&) {}, [](AgentLink&) {}};
        link_ = std::make_unique<AgentLink>(*poller_, UniqueFd(both[1]), 7, kPair, none);
        Received hello;
        ASSERT_TRUE(receive_message(agent_.get(), hello));
        auto answer = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        answer.domain = kPair.local;
        ASSERT_TRUE(send_message(agent_.get(), &answer, sizeof answer));
        turns();
    }
    void turns() {
        while (poller_->run_once(0)) {
        }
    }
    // The question that the agent is asked next, if it is.
    std::optional<LinkBellFindMessage> hear() {
        Received message;
        if (!receive_message(agent_.get(), message)) return std::nullopt;
        const auto* question = message.as<LinkBellFindMessage>();
        return question != nullptr ? std::optional(*question) : std::nullopt;
    }
    void answer(const LinkBellFindMessage& question, int fd) {
        auto told = make_message<LinkBellMessage>(kLinkMagic, LinkMessage::bell, question.header.request_id);
        told.doorbell_id = question.doorbell_id;
        told.kind = static_cast<std::uint32_t>(KickKind::local_socket);
        EXPECT_TRUE(send_message(agent_.get(), &told, sizeof told, &fd, 1));
        turns();
    }

    std::unique_ptr<Poller> poller_ = std::move(*Poller::make());
    UniqueFd agent_;
    std::unique_ptr<AgentLink> link_;
    ProgramBells bells_{[this](const Pair&) { return link_.get(); },
                        [this](std::function<void()> call) { poller_->after(0, std::move(call)); }};
};

TEST_F(ProgramBellsTest, only_a_datagram_socket_is_rung) {
    int stream[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, stream), 0);
    const UniqueFd ours(stream[0]);
    const UniqueFd theirs(stream[1]);
    bells_.ring(kPair, WaitToken(5, 0, 0), false);
    const auto first = hear();
    ASSERT_TRUE(first);
    answer(*first, theirs.get());
    char byte;
    EXPECT_LT(::recv(ours.get(), &byte, 1, MSG_DONTWAIT), 0);
    auto bell = make_local_bell();
    bells_.ring(kPair, WaitToken(6, 0, 0), false);
    const auto second = hear();
    ASSERT_TRUE(second);
    answer(*second, bell->kicker.get());
    EXPECT_GE(::recv(bell->waiter.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(ProgramBellsTest, an_agent_that_does_not_answer_is_asked_1024_times) {
    unsigned asked = 0;
    for (std::uint32_t id = 1; id <= 2000; ++id) {
        bells_.ring(kPair, WaitToken(id, 0, 0), false);
        turns();
        asked += hear() ? 1 : 0;
    }
    EXPECT_EQ(asked, AgentLink::kMostQuestions);
    EXPECT_EQ(link_->question_count(), AgentLink::kMostQuestions);
    bool is_told = false;
    bells_.is_known(kPair, WaitToken(3000, 0, 0), [&] { is_told = true; });
    turns();
    EXPECT_TRUE(is_told) << "it counts as one that nobody knows";
}

}  // namespace
}  // namespace xylem::bridge
