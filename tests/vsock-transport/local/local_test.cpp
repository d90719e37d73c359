// What the machine's own backend is made of: sealed memfds and kicks by datagram.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "tests/support/readable.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

TEST(slab_memfd, is_zeroed_has_its_size_and_cannot_be_resized_or_sealed_further) {
    const Result<UniqueFd> fd = make_sealed_memfd("test", 8192);
    ASSERT_TRUE(fd.has_value());
    EXPECT_EQ(check_sealed_memfd(fd->get(), 8192), 8192U);
    EXPECT_NE(::ftruncate(fd->get(), 4096), 0);
    EXPECT_NE(::ftruncate(fd->get(), 16384), 0);
    EXPECT_NE(::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_WRITE), 0);
    EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
    const Result<Mapping> mapping = Mapping::shared(fd->get(), 8192, PROT_READ);
    ASSERT_TRUE(mapping.has_value());
    for (std::size_t i = 0; i < 8192; ++i) ASSERT_EQ(mapping->bytes()[i], std::byte{0});
}

TEST(slab_memfd, is_scrubbed_to_zeroes_under_a_mapping) {
    const Result<UniqueFd> fd = make_sealed_memfd("test", 8192);
    const Result<Mapping> mapping = Mapping::shared(fd->get(), 8192, PROT_READ | PROT_WRITE);
    mapping->bytes()[0] = mapping->bytes()[8191] = std::byte{7};
    EXPECT_EQ(scrub_memfd(fd->get(), 8192), 8192U);
    EXPECT_EQ(mapping->bytes()[0], std::byte{0});
    EXPECT_EQ(mapping->bytes()[8191], std::byte{0});
    EXPECT_EQ(check_sealed_memfd(fd->get(), 8192), 8192U);
}

TEST(slab_memfd, that_somebody_else_made_is_refused_unless_it_is_sealed_and_large_enough) {
    const Result<UniqueFd> small = make_sealed_memfd("test", 4096);
    EXPECT_FALSE(check_sealed_memfd(small->get(), 4097).has_value());
    EXPECT_FALSE(check_sealed_memfd(-1, 4096).has_value());

    const UniqueFd unsealed(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(unsealed.get(), 8192), 0);
    EXPECT_FALSE(check_sealed_memfd(unsealed.get(), 4096).has_value());
    ASSERT_EQ(::fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    EXPECT_FALSE(check_sealed_memfd(unsealed.get(), 4096).has_value()) << "half sealed";

    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    EXPECT_FALSE(check_sealed_memfd(null.get(), 0).has_value());
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const UniqueFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
    EXPECT_FALSE(check_sealed_memfd(read_end.get(), 0).has_value());
}

TEST(slab_memfd, of_huge_pages_is_refused_though_it_is_sealed) {
    const UniqueFd huge(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
    if (!huge || ::ftruncate(huge.get(), 2 << 20) != 0) GTEST_SKIP() << "no memfd of huge pages here";
    ASSERT_EQ(::fcntl(huge.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    EXPECT_FALSE(check_sealed_memfd(huge.get(), 4096).has_value());
}

TEST(local_kick, wakes_its_waiter_until_drained) {
    const Result<LocalBell> bell = make_local_bell();
    ASSERT_TRUE(bell.has_value());
    EXPECT_FALSE(is_readable(bell->waiter.get()));
    EXPECT_TRUE(kick_local(bell->kicker.get()));
    EXPECT_TRUE(kick_local(bell->kicker.get()));
    EXPECT_TRUE(is_readable(bell->waiter.get()));
    drain_local(bell->waiter.get());
    EXPECT_FALSE(is_readable(bell->waiter.get()));
    drain_local(bell->waiter.get());
}

TEST(local_kick, never_blocks_when_nobody_drains) {
    const Result<LocalBell> bell = make_local_bell();
    bool all_queued = true;
    for (int i = 0; i < 10'000; ++i) all_queued = kick_local(bell->kicker.get()) && all_queued;
    EXPECT_FALSE(all_queued);
    EXPECT_TRUE(is_readable(bell->waiter.get()));
}

TEST(local_kick, does_not_care_what_a_hostile_waiter_does_with_its_side) {
    Result<LocalBell> bell = make_local_bell();
    for (int i = 0; i < 100; ++i) (void)!::write(bell->waiter.get(), "x", 1);
    const int flags = ::fcntl(bell->waiter.get(), F_GETFL);
    ASSERT_EQ(::fcntl(bell->waiter.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
    EXPECT_TRUE(kick_local(bell->kicker.get()));
    ASSERT_EQ(::shutdown(bell->waiter.get(), SHUT_RDWR), 0);
    EXPECT_FALSE(kick_local(bell->kicker.get()));
    bell->waiter.reset();
    EXPECT_FALSE(kick_local(bell->kicker.get())) << "and no SIGPIPE";
    EXPECT_FALSE(kick_local(-1));
}

// A peer that kicks as fast as we drain must not keep us: with a queue that never ends, draining does.
TEST(local_kick, draining_comes_to_an_end_while_a_peer_goes_on_kicking) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const UniqueFd waiter(pair[0]), kicker(pair[1]);
    const std::vector<char> many(64 << 10, 'x');
    ASSERT_EQ(::send(kicker.get(), many.data(), many.size(), MSG_DONTWAIT),
              static_cast<ssize_t>(many.size()));
    drain_local(waiter.get());
    EXPECT_TRUE(is_readable(waiter.get()));
}

}  // namespace
}  // namespace xylem
