// The table of items behind epoll sets, seen through control() with sockets that are still the kernel's.
#include "guest-lib/epoll_set.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

class EpollSetTest : public testing::Test {
  protected:
    void SetUp() override {
        fd_ = ::epoll_create1(EPOLL_CLOEXEC);
        set_ = EpollSet::adopt_fd(fd_);
        ASSERT_NE(set_, nullptr);
    }
    void TearDown() override {
        for (int fd : sockets_) close_socket(fd);
        leave(fd_);
        ::close(fd_);
    }
    int new_socket() {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        EXPECT_NE(Socket::adopt_fd(fd, AF_INET), nullptr);
        sockets_.push_back(fd);
        return fd;
    }
    static void close_socket(int fd) {
        leave(fd);
        ::close(fd);
    }
    int control(int operation, int fd, std::uint32_t events = EPOLLIN) {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        return set_->control(fd_, operation, fd, &event);
    }

    int fd_ = -1;
    EpollSet* set_ = nullptr;
    std::vector<int> sockets_;
};

TEST_F(EpollSetTest, an_item_is_in_the_set_once) {
    const int fd = new_socket();
    EXPECT_EQ(control(EPOLL_CTL_ADD, fd), 0);
    EXPECT_EQ(control(EPOLL_CTL_ADD, fd), -1);
    EXPECT_EQ(errno, EEXIST);
    EXPECT_EQ(control(EPOLL_CTL_MOD, fd), 0);
    EXPECT_EQ(control(EPOLL_CTL_DEL, fd), 0);
    EXPECT_EQ(control(EPOLL_CTL_DEL, fd), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(control(EPOLL_CTL_MOD, fd), -1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(control(EPOLL_CTL_ADD, fd), 0);
}

TEST_F(EpollSetTest, the_table_grows_and_forgets) {
    constexpr int kCount = 300;  // several times its first capacity
    for (int i = 0; i < kCount; ++i) ASSERT_EQ(control(EPOLL_CTL_ADD, new_socket()), 0) << i;
    for (int i = 0; i < kCount; i += 2) ASSERT_EQ(control(EPOLL_CTL_DEL, sockets_[i]), 0) << i;
    for (int i = 0; i < kCount; ++i) {
        EXPECT_EQ(control(EPOLL_CTL_MOD, sockets_[i]), i % 2 == 0 ? -1 : 0) << i;
    }
    for (int i = 0; i < kCount; i += 2) ASSERT_EQ(control(EPOLL_CTL_ADD, sockets_[i]), 0) << i;
}

TEST_F(EpollSetTest, a_wait_reports_kernel_descriptors_with_the_programs_data) {
    const int event_fd = ::eventfd(1, 0);
    const int socket = new_socket();
    ASSERT_EQ(control(EPOLL_CTL_ADD, event_fd), 0);
    ASSERT_EQ(control(EPOLL_CTL_ADD, socket, EPOLLIN), 0);
    epoll_event events[4];
    ASSERT_EQ(set_->wait(fd_, events, 4, 0, nullptr), 2);  // a fresh socket hangs up
    EXPECT_TRUE(events[0].data.fd == event_fd || events[1].data.fd == event_fd);
    ::close(event_fd);
}

TEST_F(EpollSetTest, a_wait_without_room_is_refused) {
    epoll_event event;
    EXPECT_EQ(set_->wait(fd_, &event, 0, 0, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
}

TEST_F(EpollSetTest, a_set_is_recycled_when_its_descriptor_goes) {
    const int other_fd = ::epoll_create1(EPOLL_CLOEXEC);
    EpollSet* other = EpollSet::adopt_fd(other_fd);
    ASSERT_NE(other, nullptr);
    leave(other_fd);
    ::close(other_fd);
    EXPECT_EQ(peek(other_fd), nullptr);
    EXPECT_EQ(other->references.load_relaxed(), 0U);
}

}  // namespace
}  // namespace xylem
