// Owners of descriptors and mappings, time, and system calls that leave errno alone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/system_call.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(unique_fd, closes_once_and_moves) {
    const int raw = ::dup(2);
    {
        UniqueFd first(raw);
        UniqueFd second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it is empty is what we test
        EXPECT_EQ(second.get(), raw);
        UniqueFd& alias = second;
        second = std::move(alias);
        EXPECT_TRUE(is_open(raw));
        const int other = ::dup(2);
        second = UniqueFd(other);
        EXPECT_FALSE(is_open(raw));
        EXPECT_EQ(second.release(), other);
        EXPECT_TRUE(is_open(other));
        ::close(other);
    }
    EXPECT_FALSE(is_open(raw));
}

TEST(mapping, unmaps_once_and_moves) {
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    {
        Mapping first(memory, 4096);
        Mapping second(std::move(first));
        EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it is empty is what we test
        EXPECT_EQ(first.size_bytes(), 0U);
        EXPECT_EQ(second.bytes(), memory);
        Mapping third;
        third = std::move(second);
        EXPECT_EQ(third.as<std::byte>(8), static_cast<std::byte*>(memory) + 8);
        EXPECT_EQ(third.release(), memory);
    }
    EXPECT_EQ(::msync(memory, 4096, MS_ASYNC), 0) << "a released mapping stays";
    Mapping(memory, 4096).unmap();
    EXPECT_NE(::msync(memory, 4096, MS_ASYNC), 0);
}

TEST(mapping, says_why_it_cannot_map) {
    const Result<Mapping> mapping = Mapping::shared(-1, 4096, PROT_READ);
    ASSERT_FALSE(mapping.has_value());
    EXPECT_EQ(mapping.error().kind, ErrorKind::system);
    EXPECT_EQ(mapping.error().sys_errno, EBADF);
}

TEST(system_call, returns_minus_errno_and_leaves_errno_alone) {
    errno = 0;
    EXPECT_EQ(system_call(SYS_close, -1), -EBADF);
    EXPECT_EQ(errno, 0);
    EXPECT_EQ(system_call(SYS_getpid), ::getpid());
}

TEST(clock, deadlines_do_not_wrap) {
    EXPECT_EQ(deadline_after(kForever), kForever);
    EXPECT_EQ(deadline_after(kForever - 1), kForever);
    const std::uint64_t before = now_ns();
    EXPECT_GE(deadline_after(kNsPerSecond), before + kNsPerSecond);
    const timespec time = to_timespec(3 * kNsPerSecond + 7);
    EXPECT_EQ(time.tv_sec, 3);
    EXPECT_EQ(time.tv_nsec, 7);
}

}  // namespace
}  // namespace xylem
