#include "guest-lib/fd_table.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

// A kernel socket and the library's object for it. The table does not look at descriptors: numbers are free.
class FdTable : public testing::Test {
  protected:
    void SetUp() override {
        fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_GE(fd_, 0);
        socket_ = Socket::adopt_fd(fd_, AF_INET);
        ASSERT_NE(socket_, nullptr);
    }
    void TearDown() override {
        leave(fd_);
        ::close(fd_);
    }

    int fd_ = -1;
    Socket* socket_ = nullptr;
};

TEST_F(FdTable, a_new_socket_has_one_descriptor_and_one_reference) {
    EXPECT_EQ(peek(fd_), socket_);
    EXPECT_EQ(socket_->descriptors.load_relaxed(), 1U);
    EXPECT_EQ(socket_->references.load_relaxed(), 1U);
    EXPECT_EQ(socket_->state(), SocketState::fresh);
    EXPECT_NE(socket_->cookie, 0U);
}

TEST_F(FdTable, a_found_object_is_held_until_dropped) {
    {
        const Ref<Socket> found = find<Socket>(fd_);
        ASSERT_TRUE(found);
        EXPECT_EQ(found.get(), socket_);
        EXPECT_EQ(socket_->references.load_relaxed(), 2U);
    }
    EXPECT_EQ(socket_->references.load_relaxed(), 1U);
}

TEST_F(FdTable, a_copy_counts_as_one_more_descriptor) {
    constexpr int kCopy = 70'000;
    ASSERT_TRUE(enter(kCopy, socket_));
    EXPECT_EQ(socket_->descriptors.load_relaxed(), 2U);
    leave(fd_);
    EXPECT_EQ(peek(fd_), nullptr);
    EXPECT_EQ(peek(kCopy), socket_);
    EXPECT_EQ(socket_->descriptors.load_relaxed(), 1U);
    leave(kCopy);
    EXPECT_EQ(peek(kCopy), nullptr);
}

TEST_F(FdTable, a_held_object_outlives_its_descriptor) {
    const Ref<Socket> held = find<Socket>(fd_);
    leave(fd_);
    EXPECT_EQ(held->descriptors.load_relaxed(), 0U);
    EXPECT_EQ(held->references.load_relaxed(), 1U);
    EXPECT_FALSE(find<Socket>(fd_));
}

TEST_F(FdTable, an_entry_that_is_taken_over_lets_the_old_object_go) {
    const Ref<Socket> old = find<Socket>(fd_);
    Socket* next = Socket::adopt_fd(fd_, AF_INET);
    EXPECT_EQ(peek(fd_), next);
    EXPECT_NE(next, old.get());
    EXPECT_EQ(old->descriptors.load_relaxed(), 0U);
}

TEST_F(FdTable, leaving_twice_is_harmless) {
    leave(fd_);
    leave(fd_);
    EXPECT_EQ(peek(fd_), nullptr);
}

TEST_F(FdTable, numbers_outside_the_table_are_nobodys) {
    EXPECT_EQ(peek(-1), nullptr);
    EXPECT_EQ(peek(1 << 20), nullptr);
    EXPECT_EQ(acquire(-1), nullptr);
    EXPECT_FALSE(enter(-1, socket_));
    EXPECT_FALSE(enter(1 << 20, socket_));
    EXPECT_EQ(socket_->descriptors.load_relaxed(), 1U);
}

TEST_F(FdTable, entries_are_found_in_order_across_empty_leaves) {
    constexpr int kFar = 900'000;
    ASSERT_TRUE(enter(kFar, socket_));
    ASSERT_TRUE(enter(kFar + 1500, socket_));
    EXPECT_EQ(next_entry(500'000, ~0U), kFar);
    EXPECT_EQ(next_entry(kFar, kFar), kFar);
    EXPECT_EQ(next_entry(kFar + 1, ~0U), kFar + 1500);
    EXPECT_EQ(next_entry(kFar + 1, kFar + 1499), -1);
    EXPECT_EQ(next_entry(kFar + 1501, ~0U), -1);
    leave(kFar);
    leave(kFar + 1500);
}

// Under tsan this says more than that nothing crashed.
TEST(FdTableThreads, who_finds_an_object_holds_it_while_others_close_and_reopen_the_number) {
    constexpr int kFd = 300'000;
    constexpr int kRounds = 20'000;
    Atomic<bool> is_over{false};
    AtomicU64 found_times{0};
    const auto look = [&] {
        while (!is_over.load_acquire()) {
            EXPECT_FALSE(ring_socket(kFd));
            const Ref<Socket> found = find<Socket>(kFd);
            if (!found) continue;
            EXPECT_EQ(found->family, AF_INET);
            EXPECT_GE(found->references.load_relaxed(), 1U);
            found_times.fetch_add(1);
        }
    };
    std::thread one(look);
    std::thread two(look);
    for (int i = 0; i < kRounds || found_times.load_relaxed() == 0; ++i) {
        EXPECT_NE(Socket::adopt_fd(kFd, AF_INET), nullptr);
        leave(kFd);
    }
    is_over.store_release(true);
    one.join();
    two.join();
    EXPECT_EQ(peek(kFd), nullptr);
}

TEST_F(FdTable, a_plain_socket_is_no_ring) { EXPECT_FALSE(ring_socket(fd_)); }

}  // namespace
}  // namespace xylem
