#include "guest-lib/private_fds.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

namespace xylem {
namespace {

UniqueFd any_descriptor() { return UniqueFd(::eventfd(0, 0)); }

TEST(PrivateFds, sit_high_and_close_at_exec) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    UniqueFd fd = make_private(any_descriptor());
    EXPECT_GE(fd.get(), static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1U << 20) / 2));
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
    close_private(fd);
}

TEST(PrivateFds, are_known_until_they_are_closed) {
    UniqueFd fd = make_private(any_descriptor());
    const int number = fd.get();
    EXPECT_TRUE(is_private(number));
    EXPECT_FALSE(is_private(number + 1));
    EXPECT_FALSE(is_private(-1));
    close_private(fd);
    EXPECT_FALSE(is_private(number));
    EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(PrivateFds, the_low_number_is_free_again) {
    UniqueFd low = any_descriptor();
    const int number = low.get();
    UniqueFd fd = make_private(std::move(low));
    UniqueFd next = any_descriptor();
    EXPECT_EQ(next.get(), number);
    close_private(fd);
}

TEST(PrivateFds, are_found_in_order_within_a_range) {
    UniqueFd first = make_private(any_descriptor());
    UniqueFd second = make_private(any_descriptor());
    const auto a = static_cast<unsigned>(first.get());
    const auto b = static_cast<unsigned>(second.get());
    ASSERT_LT(a, b);
    EXPECT_EQ(next_private(a, ~0U), first.get());
    EXPECT_EQ(next_private(a + 1, ~0U), second.get());
    EXPECT_EQ(next_private(a + 1, b - 1), -1);
    EXPECT_EQ(next_private(b + 1, b + 100), -1);
    close_private(first);
    close_private(second);
    EXPECT_EQ(next_private(a, b), -1);
}

TEST(PrivateFds, closing_none_is_allowed) {
    UniqueFd none;
    close_private(none);
    EXPECT_FALSE(static_cast<bool>(none));
}

}  // namespace
}  // namespace xylem
