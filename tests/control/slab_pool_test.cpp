#include "control/agent/slab_pool.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "vsock-transport/base/mapping.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kSlabBytes = 12288;

class AgentSlabPool : public testing::Test {
  protected:
    // Inode of the slab that a connection gets: tells two slabs apart.
    ino_t take(std::uint64_t connection, std::uint32_t peer, std::uint64_t bytes = kSlabBytes) {
        auto slab = pool_.take(connection, peer, bytes);
        if (!slab) return 0;
        struct stat status {};
        EXPECT_EQ(::fstat((*slab)->fd.get(), &status), 0);
        auto memory = Mapping::shared((*slab)->fd.get(), bytes, PROT_READ | PROT_WRITE);
        EXPECT_EQ(memory->bytes()[100], std::byte{0}) << "not scrubbed";
        memory->bytes()[100] = std::byte{1};
        return status.st_ino;
    }
    void end_both(std::uint64_t connection, std::uint32_t peer) {
        pool_.ended(connection, peer, 0);
        pool_.ended(connection, peer, 1);
    }

    // As far as the pool can see.
    void pretend_granted(std::uint64_t connection) {
        const SlabPtr slab = pool_.find(connection);
        slab->refs = {7};
        slab->is_known_to_peer = true;
        slab->grants = std::move(*shares_.take(2, 3));
    }

    // Time stands still unless a test moves it on.
    static inline std::uint64_t now_;
    void rest() { now_ += SlabPool::kRestNs; }

    Quota memory_{10 * kSlabBytes};
    PeerShares memory_shares_{memory_};
    Quota grants_{100};
    PeerShares shares_{grants_};
    SlabPool pool_{memory_shares_, shares_, [] { return now_; }};
};

TEST_F(AgentSlabPool, a_slab_comes_back_scrubbed_once_both_ends_have_ended) {
    const ino_t first = take(1, 2);
    pool_.ended(1, 2, 1);
    EXPECT_EQ(pool_.idle(), 0U);
    pool_.ended(1, 2, 0);
    EXPECT_EQ(pool_.idle(), 1U);
    EXPECT_EQ(pool_.idle_bytes(), kSlabBytes);
    rest();
    EXPECT_EQ(take(2, 2), first);
    EXPECT_EQ(pool_.hits(), 1U);
    EXPECT_EQ(pool_.idle(), 0U);
}

TEST_F(AgentSlabPool, a_slab_is_never_given_to_another_peer_nor_for_another_size) {
    const ino_t first = take(1, 2);
    end_both(1, 2);
    rest();
    EXPECT_NE(take(2, 3), first);
    EXPECT_NE(take(3, 2, 2 * kSlabBytes), first);
    EXPECT_EQ(take(4, 2), first);
}

TEST_F(AgentSlabPool, a_slab_rests_until_every_call_that_was_asleep_in_it_has_left) {
    const ino_t first = take(1, 2);
    end_both(1, 2);
    EXPECT_NE(take(2, 2), first);
    now_ += SlabPool::kRestNs - 1;
    EXPECT_NE(take(3, 2), first);
    now_ += 1;
    EXPECT_EQ(take(4, 2), first);
}

TEST_F(AgentSlabPool, one_end_that_says_ended_twice_is_one_end) {
    take(1, 2);
    pool_.ended(1, 2, 1);
    pool_.ended(1, 2, 1);
    EXPECT_EQ(pool_.idle(), 0U);
}

TEST_F(AgentSlabPool, a_stranger_cannot_end_a_connection) {
    take(1, 2);
    pool_.ended(1, 2, 0);
    pool_.ended(1, 3, 1);
    EXPECT_EQ(pool_.idle(), 0U);
    EXPECT_EQ(pool_.waiting(), 1U);
}

TEST_F(AgentSlabPool, what_a_peer_that_was_restarted_has_is_not_reused) {
    const ino_t first = take(1, 2);
    pool_.ended(1, 2, 0);
    pool_.forget_peer(2);
    EXPECT_EQ(pool_.waiting(), 0U);
    pool_.ended(1, 2, 1);
    EXPECT_EQ(pool_.idle(), 0U);
    EXPECT_NE(take(2, 2), first);
}

TEST_F(AgentSlabPool, a_guest_that_is_gone_takes_its_granted_slabs_along_and_no_others) {
    const ino_t of_a_domain = take(1, 2);
    end_both(1, 2);
    take(2, 2);
    pretend_granted(2);
    pool_.drop_guest(2);
    EXPECT_EQ(pool_.find(2), nullptr);
    EXPECT_EQ(pool_.idle(), 1U);
    rest();
    EXPECT_EQ(take(3, 2), of_a_domain);
}

TEST_F(AgentSlabPool, pages_that_a_guest_never_gives_back_are_its_own_until_it_is_gone) {
    take(0, 2);
    pretend_granted(0);
    for (std::uint64_t i = 0; i <= SlabPool::kMaxWaiting; ++i) {
        if (i > 0) take(i, 2);
        pool_.ended(i, 2, 0);
        if (const SlabPtr slab = pool_.find(i)) slab->memory = {};
    }
    EXPECT_EQ(pool_.find(0), nullptr);
    EXPECT_EQ(shares_.of(2), 3U);
    pool_.drop_guest(2);
    EXPECT_EQ(shares_.of(2), 0U);
    EXPECT_EQ(grants_.used(), 0U);
}

TEST_F(AgentSlabPool, pages_of_a_connect_that_was_not_answered_are_the_guests_until_it_says_that_it_ended) {
    take(1, 2);
    pretend_granted(1);
    pool_.forget(1);
    EXPECT_EQ(pool_.find(1), nullptr);
    EXPECT_EQ(shares_.of(2), 3U);
    pool_.ended(1, 5, 1);
    EXPECT_EQ(shares_.of(2), 3U) << "another guest said so";
    pool_.ended(1, 2, 1);
    EXPECT_EQ(shares_.of(2), 0U);
    EXPECT_EQ(pool_.idle(), 0U);
}

TEST_F(AgentSlabPool, pages_that_no_guest_was_told_of_are_free_when_they_are_forgotten) {
    take(1, 2);
    pretend_granted(1);
    pool_.find(1)->is_known_to_peer = false;
    pool_.forget(1);
    EXPECT_EQ(grants_.used(), 0U);
}

TEST_F(AgentSlabPool, pages_that_came_back_are_not_known_to_the_guest_for_the_next_connection) {
    take(1, 2);
    pretend_granted(1);
    end_both(1, 2);
    rest();
    ASSERT_TRUE(pool_.take(2, 2, kSlabBytes, true));
    ASSERT_EQ(pool_.hits(), 1U);
    pool_.forget(2);
    EXPECT_EQ(grants_.used(), 0U);
}

TEST_F(AgentSlabPool, pages_of_a_guest_whose_agent_began_anew_are_its_own_until_both_sides_have_ended) {
    take(1, 2);
    pretend_granted(1);
    pool_.forget_peer(2);
    pool_.ended(1, 2, 1);
    EXPECT_EQ(shares_.of(2), 3U) << "our side has not ended";
    pool_.ended(1, 2, 0);
    EXPECT_EQ(shares_.of(2), 0U);
    EXPECT_EQ(pool_.idle(), 0U) << "it is not reused";
}

TEST_F(AgentSlabPool, memory_is_counted_while_a_connection_uses_it) {
    for (std::uint64_t i = 0; i < 8; ++i) EXPECT_NE(take(i, 2), 0U);
    EXPECT_EQ(take(8, 2), 0U) << "one peer leaves some for others";
    EXPECT_NE(take(9, 3), 0U);
    EXPECT_EQ(memory_.used(), 9 * kSlabBytes);
    end_both(3, 2);
    EXPECT_NE(take(11, 4), 0U);
    EXPECT_EQ(memory_.used(), 9 * kSlabBytes);
}

TEST_F(AgentSlabPool, a_peer_that_never_says_ended_keeps_its_own_share_of_memory_only) {
    for (std::uint64_t i = 0; i < 8; ++i) {
        EXPECT_NE(take(i, 2), 0U);
        pool_.ended(i, 2, 0);
    }
    EXPECT_EQ(take(8, 2), 0U);
    EXPECT_NE(take(9, 3), 0U);
}

TEST_F(AgentSlabPool, idle_slabs_are_bounded_for_each_peer) {
    Quota memory(1ULL << 40);
    Quota grants(0);
    PeerShares shares(grants);
    PeerShares memory_shares(memory);
    SlabPool pool(memory_shares, shares);
    for (std::uint64_t i = 0; i < SlabPool::kMaxIdlePerPeer + 10; ++i)
        ASSERT_TRUE(pool.take(i, 2, kSlabBytes));
    for (std::uint64_t i = 0; i < SlabPool::kMaxIdlePerPeer + 10; ++i) {
        pool.ended(i, 2, 0);
        pool.ended(i, 2, 1);
    }
    EXPECT_EQ(pool.idle(), SlabPool::kMaxIdlePerPeer);
    EXPECT_EQ(memory.used(), 0U);
}

}  // namespace
}  // namespace xylem::agent
