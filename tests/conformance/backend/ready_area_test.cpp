// Epoll sets: a set that watches 5,000 connections finds the ready ones, and only those.
#include <algorithm>
#include <set>
#include <thread>

#include "tests/conformance/backend/backend.hpp"
#include "tests/support/byte_pattern.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::conformance {
namespace {

using testing_support::Pattern;
using testing_support::Random;

class ReadyArea : public BackendTest {
  protected:
    void watch(unsigned count) {
        for (unsigned i = 0; i < count; ++i) {
            connections_.push_back(connect());
            WaiterSlots slots = connections_.back()->end(0).waiters(Direction::readable);
            ASSERT_NE(slots.claim(bells().set_token(0, static_cast<std::uint16_t>(i))), WaiterSlots::kNone);
        }
        sleeper_ = bells().make_set_sleeper(0);
    }
    // As epoll_wait would: sleeps by the recipe until a bit is set, then takes all.
    std::set<unsigned> wait_for_ready() {
        xylem::ReadyArea area(bells().set_area(0));
        std::set<unsigned> ready;
        while (ready.empty()) {
            sleep_unless(
                WaitResult::ready, [&] { area.set_sleeping(true); }, [&] { return area.has_ready(); },
                [&] { return sleeper_->sleep(deadline_after(kBoundedSleepNs)); },
                [&] { area.set_sleeping(false); });
            area.collect(false, [&](unsigned index) { ready.insert(index); });
        }
        return ready;
    }

    std::vector<std::unique_ptr<Connection>> connections_;
    std::unique_ptr<Sleeper> sleeper_;
    Pattern pattern_{2};
};
XYLEM_FOR_ALL_BACKENDS(ReadyArea);

TEST_P(ReadyArea, of_5000_connections_shows_exactly_the_ready_ones) {
    watch(5'000);
    if (HasFatalFailure()) return;
    Random random(8);
    for (int round = 0; round < 20; ++round) {
        std::set<unsigned> expected;
        for (std::size_t n = 1 + random.below(40); n > 0; --n) {
            expected.insert(static_cast<unsigned>(random.below(5'000)));
        }
        for (const unsigned i : expected) {
            ASSERT_EQ(blocking(*connections_[i], 1).send(pattern_.at(0, 10)), 10U);
        }
        EXPECT_EQ(wait_for_ready(), expected);
        for (const unsigned i : expected) {
            std::byte bytes[10];
            ASSERT_EQ(blocking(*connections_[i], 0).receive_all(bytes), 10U);
        }
        EXPECT_FALSE(xylem::ReadyArea(bells().set_area(0)).has_ready());
    }
}

TEST_P(ReadyArea, wakes_a_sleeping_set_for_every_message_of_a_far_sender) {
    constexpr unsigned kConnections = 130;
    constexpr std::uint64_t kMessages = 3'000;
    watch(kConnections);
    const auto far = backend().run([&] {
        Random random(4);
        for (std::uint64_t m = 0; m < kMessages; ++m) {
            const auto i = random.below(kConnections);
            ASSERT_EQ(blocking(*connections_[i], 1).send(pattern_.at(0, 1)), 1U);
            if (m % 64 == 0) std::this_thread::yield();
        }
    });
    for (std::uint64_t received = 0; received < kMessages;) {
        for (const unsigned i : wait_for_ready()) {
            std::byte bytes[4096];
            const iovec vector{bytes, sizeof bytes};
            IoCursor destination(&vector, 1);
            const Result<std::size_t> got =
                connections_[i]->end(0).receive_some(destination, ReceiveMode::consume);
            if (got) received += *got;
        }
    }
}

TEST_P(ReadyArea, an_end_and_a_reset_make_a_connection_ready) {
    watch(3);
    connections_[1]->end(1).shutdown_write();
    EXPECT_EQ(wait_for_ready(), std::set<unsigned>{1});
    connections_[2]->end(1).close(CloseMode::abort);
    EXPECT_EQ(wait_for_ready(), std::set<unsigned>{2});
}

}  // namespace
}  // namespace xylem::conformance
