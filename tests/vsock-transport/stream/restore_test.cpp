// A forked child whose slab did not come along: it gets it back at its place, or its connection is reset.
#include <sys/mman.h>

#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

class Restore : public ScriptedPair {
  protected:
    // The mapping that near_ has, as fork would leave it out.
    void lose_slab() {
        const Mapping probe = memory_.map_slab();
        Mapping slab = memory_.map_slab();
        address_ = slab.bytes();
        lost_ = *Stream::open(std::move(slab), memory_.map_page(0), bells_[0]);
        ::munmap(address_, probe.size_bytes());
    }

    std::byte* address_ = nullptr;
    Stream lost_;
};

TEST_F(Restore, a_slab_that_is_there_is_not_lost) { EXPECT_FALSE(near_.has_lost_slab()); }

TEST_F(Restore, a_slab_that_is_mapped_again_carries_bytes) {
    lose_slab();
    ASSERT_TRUE(lost_.has_lost_slab());
    ASSERT_TRUE(lost_.restore_slab(memory_.slab_fd()));
    EXPECT_FALSE(lost_.has_lost_slab());
    ASSERT_EQ(send(far_, 10), 10U);
    EXPECT_EQ(receive(lost_, 100), 10U);
}

TEST_F(Restore, without_a_descriptor_it_stays_lost) {
    lose_slab();
    EXPECT_FALSE(lost_.restore_slab(-1));
    EXPECT_TRUE(lost_.has_lost_slab());
}

TEST_F(Restore, a_process_that_loses_it_has_its_connection_reset) {
    lose_slab();
    lost_.lose_slab();
    const Result<std::size_t> got = receive(lost_, 100);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::reset);
    EXPECT_EQ(got.error().sys_errno, ECONNRESET);
}

TEST_F(Restore, others_that_hold_the_end_go_on) {
    lose_slab();
    lost_.lose_slab();
    lost_.close(CloseMode::abort);
    ASSERT_EQ(send(far_, 10), 10U);
    EXPECT_EQ(receive(near_, 100), 10U);
    ASSERT_EQ(send(near_, 20), 20U);
    EXPECT_EQ(receive(far_, 100), 20U);
}

}  // namespace
}  // namespace xylem
