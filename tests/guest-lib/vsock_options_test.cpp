#include "guest-lib/vsock_options.hpp"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/vm_sockets.h>
#include <sys/time.h>

namespace xylem {
namespace {

std::uint64_t size_of(const VsockOptions& options, int name) {
    std::uint64_t value = 0;
    socklen_t length = sizeof value;
    EXPECT_EQ(options.get(name, &value, &length), 0);
    return value;
}
int set_size(VsockOptions& options, int name, std::uint64_t value) {
    return options.set(name, &value, sizeof value);
}
int set_timeout(VsockOptions& options, timeval value) {
    return options.set(SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW, &value, sizeof value);
}

TEST(VsockOptions, begin_as_the_kernels) {
    const VsockOptions options;
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_SIZE), 262144U);
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_MAX_SIZE), 262144U);
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_MIN_SIZE), 128U);
}

TEST(VsockOptions, the_size_stays_between_least_and_most) {
    VsockOptions options;
    EXPECT_EQ(set_size(options, SO_VM_SOCKETS_BUFFER_SIZE, 1 << 20), 0);
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_SIZE), 262144U);
    EXPECT_EQ(set_size(options, SO_VM_SOCKETS_BUFFER_MAX_SIZE, 4096), 0);
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_SIZE), 4096U);
    EXPECT_EQ(set_size(options, SO_VM_SOCKETS_BUFFER_MIN_SIZE, 8192), 0);
    EXPECT_EQ(size_of(options, SO_VM_SOCKETS_BUFFER_SIZE), 8192U);
}

TEST(VsockOptions, a_time_of_zero_is_the_default_and_impossible_ones_are_refused) {
    VsockOptions options;
    EXPECT_EQ(set_timeout(options, {0, 0}), 0);
    timeval told{};
    socklen_t length = sizeof told;
    EXPECT_EQ(options.get(SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD, &told, &length), 0);
    EXPECT_EQ(told.tv_sec, 2);
    EXPECT_EQ(set_timeout(options, {-1, 0}), -1);
    EXPECT_EQ(errno, ERANGE);
    EXPECT_EQ(set_timeout(options, {0, 1'000'000}), -1);
    EXPECT_EQ(errno, ERANGE);
}

TEST(VsockOptions, values_that_are_cut_short_and_unknown_names_are_refused) {
    VsockOptions options;
    std::uint64_t value = 1;
    socklen_t length = 4;
    EXPECT_EQ(options.set(SO_VM_SOCKETS_BUFFER_SIZE, &value, length), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(options.get(SO_VM_SOCKETS_BUFFER_SIZE, &value, &length), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(set_size(options, SO_VM_SOCKETS_TRUSTED, 1), -1);
    EXPECT_EQ(errno, ENOPROTOOPT);
}

}  // namespace
}  // namespace xylem
