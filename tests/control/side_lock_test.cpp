// Side locks, held by descriptions, descriptors, mappings and messages of this process and of others.
#include "vsock-transport/local/side_lock.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "control/protocol/seqpacket.hpp"
#include "tests/control/agent_process.hpp"
#include "tests/control/child_program.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::agent {
namespace {

using agent_test::ChildProgram;
using agent_test::eventually;

constexpr std::size_t kBytes = 12288;
constexpr std::uint64_t kId = ~0ULL;  // the largest there may be

class AgentSideLock : public testing::Test {
  protected:
    bool is_ours_locked() { return is_side_locked(theirs_.get(), kId, 0); }
    // A mapping is given up by the kernel a moment after its process was waited for.
    bool is_ours_free_soon() {
        return eventually([this] { return !is_ours_locked(); });
    }

    UniqueFd ours_ = std::move(*make_sealed_memfd("slab", kBytes));
    UniqueFd theirs_ = reopened_slab(ours_.get());
};

TEST_F(AgentSideLock, a_side_is_seen_through_the_other_description_until_its_own_is_closed) {
    EXPECT_FALSE(is_ours_locked());
    lock_side(ours_.get(), kId, 0);
    EXPECT_TRUE(is_ours_locked());
    EXPECT_FALSE(is_side_locked(ours_.get(), kId, 0)) << "a description does not see itself";
    EXPECT_FALSE(is_side_locked(theirs_.get(), kId, 1)) << "the other side's";
    EXPECT_FALSE(is_side_locked(theirs_.get(), kId - 1, 0)) << "another connection's";
    ours_.reset();
    EXPECT_FALSE(is_ours_locked());
}

TEST_F(AgentSideLock, both_sides_lock_at_once) {
    lock_side(ours_.get(), kId, 0);
    lock_side(theirs_.get(), kId, 1);
    EXPECT_TRUE(is_ours_locked());
    EXPECT_TRUE(is_side_locked(ours_.get(), kId, 1));
}

TEST_F(AgentSideLock, a_slab_that_is_used_again_has_the_new_connections_lock_alone) {
    lock_side(ours_.get(), kId, 0);
    lock_side(ours_.get(), 0, 0);
    EXPECT_FALSE(is_ours_locked());
    EXPECT_TRUE(is_side_locked(theirs_.get(), 0, 0));
}

TEST_F(AgentSideLock, the_mapping_of_another_process_holds_it_until_that_process_is_killed) {
    lock_side(ours_.get(), kId, 0);
    ChildProgram child([&] {
        theirs_.reset();
        if (::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, ours_.get(), 0) == MAP_FAILED) ::_exit(1);
        ours_.reset();
    });
    ASSERT_TRUE(child.is_ready());
    ours_.reset();
    EXPECT_TRUE(is_ours_locked());
    child.kill();
    EXPECT_TRUE(is_ours_free_soon());
}

TEST_F(AgentSideLock, it_outlives_the_process_that_locked) {
    ChildProgram child([&] { lock_side(ours_.get(), kId, 0); });
    ASSERT_TRUE(child.is_ready());
    auto mapping = Mapping::shared(ours_.get(), kBytes, PROT_READ);
    ASSERT_TRUE(mapping);
    ours_.reset();
    child.kill();
    EXPECT_TRUE(is_ours_locked());
    mapping->unmap();
    EXPECT_TRUE(is_ours_free_soon());
}

TEST_F(AgentSideLock, a_message_on_its_way_holds_it) {
    int both[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both), 0);
    UniqueFd sender(both[0]);
    UniqueFd receiver(both[1]);
    lock_side(ours_.get(), kId, 0);
    const int carried = ours_.get();
    ASSERT_TRUE(send_message(sender.get(), "x", 1, &carried, 1));
    ours_.reset();
    sender.reset();
    EXPECT_TRUE(is_ours_locked());
    receiver.reset();
    EXPECT_TRUE(is_ours_free_soon());
}

}  // namespace
}  // namespace xylem::agent
