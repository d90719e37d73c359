// Meeting the agents of other guests: what of a guest is remembered, and what is tried again.
#include "control/agent/xen/xen_peers.hpp"

#include "tests/control/guest_agent.hpp"

namespace xylem::agent_test {
namespace {

constexpr DomainId kNamed = 5;     // by the built-in map
constexpr DomainId kUnnamed = 40;  // only dialled
constexpr std::uint64_t kPages = 3;

class XenPeersTest : public GuestAgent {
  protected:
    void begin() {
        agent_->xen->begin();
        turns(8);
    }
    // A connect that the guest was sent and does not answer.
    void leave_pages_with(DomainId id, std::uint64_t connection_id) {
        const auto slab = agent_->pool.take(connection_id, id, kPages * 4096);
        ASSERT_TRUE(slab);
        (*slab)->refs = {1, 2, 3};
        (*slab)->grants = std::move(*agent_->grant_shares.take(id, kPages));
        EXPECT_EQ(agent_->xen->refs_of(connection_id).size(), kPages);
        agent_->pool.forget(connection_id);
    }
    std::uint64_t pages_of(DomainId id) const { return agent_->grant_shares.of(id); }
    Reason dial(DomainId id) {
        Reason why_not = Reason::no_peer_agent;
        EXPECT_FALSE(agent_->xen->dial(id, why_not));
        EXPECT_TRUE(
            comes_to([&] { return store_->watched.count(theirs(id)) == store_->reads.count(theirs(id)); }));
        return why_not;
    }
};

TEST_F(XenPeersTest, a_guest_that_removes_its_node_is_charged_for_its_pages_until_xen_knows_it_no_more) {
    known_.insert(kNamed);
    show_node_of(kNamed);
    begin();
    leave_pages_with(kNamed, 77);
    for (std::uint64_t life = 8; life < 12; ++life) {
        remove_node_of(kNamed);
        turns(8);
        EXPECT_EQ(pages_of(kNamed), kPages);
        show_node_of(kNamed, life);
        turns(8);
    }
    remove_node_of(kNamed);
    EXPECT_FALSE(comes_to([&] { return pages_of(kNamed) != kPages; }, kNsPerSecond / 2));
    known_.clear();
    EXPECT_TRUE(comes_to([&] { return pages_of(kNamed) == 0; }));
    EXPECT_EQ(store_->watched.count(theirs(kNamed)), 1U) << "the map names it: it may come again";
}

TEST_F(XenPeersTest, a_node_that_cannot_be_read_is_read_again) {
    store_->errors[theirs(kNamed)] = EIO;
    begin();
    EXPECT_EQ(store_->reads[theirs(kNamed)], 1U);
    EXPECT_TRUE(comes_to([&] { return store_->reads[theirs(kNamed)] > 2; }));
}

TEST_F(XenPeersTest, nodes_and_watches_that_are_refused_are_tried_again) {
    store_->refuses = true;
    begin();
    EXPECT_TRUE(store_->watched.empty());
    store_->refuses = false;
    EXPECT_TRUE(comes_to([&] { return store_->watched.count(theirs(kNamed)) != 0; }));
    EXPECT_TRUE(comes_to([&] { return store_->nodes.count(ours(kNamed)) != 0; }));
}

TEST_F(XenPeersTest, whoever_dials_a_guest_that_a_quota_of_xenstore_keeps_out_is_told_so) {
    store_->refuses = true;
    begin();
    Reason why_not = Reason::no_peer_agent;
    EXPECT_FALSE(agent_->xen->dial(kNamed, why_not));
    EXPECT_EQ(why_not, Reason::no_peer_agent) << "EIO";
    store_->refusal = E2BIG;
    const auto is_told = [&] {
        return !agent_->xen->dial(kNamed, why_not) && why_not == Reason::quota_reached;
    };
    EXPECT_TRUE(comes_to(is_told));
    store_->refuses = false;
    EXPECT_TRUE(comes_to([&] {
        why_not = Reason::no_peer_agent;
        return !is_told();
    }));
}

TEST_F(XenPeersTest, a_control_ring_that_cannot_be_made_is_tried_again) {
    if (::access("/dev/xen/gntalloc", F_OK) == 0) GTEST_SKIP() << "it can be made here";
    known_.insert(kNamed);
    begin();
    const std::string before = store_->nodes[ours(kNamed)];
    show_node_of(kNamed);
    turns(8);
    const auto life = [&] { return agent::XenMeeting::parse(store_->nodes[ours(kNamed)])->life; };
    const std::uint64_t first = life();
    EXPECT_TRUE(comes_to([&] { return life() != first; })) << "a new life, to which the peer offers anew";
}

TEST_F(XenPeersTest, domains_that_do_not_exist_are_not_met_however_many_are_dialled) {
    begin();
    const std::size_t before = store_->watched.size();
    for (DomainId id = kUnnamed; id < kUnnamed + 200; ++id) EXPECT_EQ(dial(id), Reason::no_peer_agent);
    EXPECT_EQ(store_->watched.size(), before);
    EXPECT_EQ(store_->nodes.count(ours(kUnnamed)), 0U);
}

TEST_F(XenPeersTest, those_that_show_no_agent_make_room_for_the_next) {
    begin();
    const std::size_t before = store_->watched.size();
    for (DomainId id = kUnnamed; id < kUnnamed + 200; ++id) {
        known_.insert(id);
        EXPECT_EQ(dial(id), Reason::no_peer_agent);
        EXPECT_EQ(store_->watched.count(theirs(id)), 1U);
    }
    EXPECT_EQ(store_->watched.size(), before + agent::XenPeers::kMostUnnamed);
}

TEST_F(XenPeersTest, those_that_show_an_agent_stay_and_the_next_one_is_told_why_not) {
    begin();
    const DomainId next = kUnnamed + agent::XenPeers::kMostUnnamed;
    for (DomainId id = kUnnamed; id <= next; ++id) {
        known_.insert(id);
        show_node_of(id);
        EXPECT_EQ(dial(id), id == next ? Reason::quota_reached : Reason::no_peer_agent) << id;
    }
    EXPECT_EQ(store_->watched.count(theirs(kUnnamed)), 1U);
    EXPECT_EQ(store_->watched.count(theirs(kNamed)), 1U);
}

TEST_F(XenPeersTest, of_a_guest_that_is_gone_and_that_the_map_does_not_name_nothing_is_left) {
    begin();
    known_.insert(kUnnamed);
    show_node_of(kUnnamed);
    dial(kUnnamed);
    leave_pages_with(kUnnamed, 1);
    remove_node_of(kUnnamed);
    turns(8);
    EXPECT_EQ(store_->watched.count(theirs(kUnnamed)), 1U);
    known_.clear();
    EXPECT_TRUE(comes_to([&] { return store_->watched.count(theirs(kUnnamed)) == 0; }));
    EXPECT_EQ(store_->nodes.count(ours(kUnnamed)), 0U);
    EXPECT_EQ(pages_of(kUnnamed), 0U);
    EXPECT_EQ(agent_->xen->pace_of(kUnnamed), nullptr);
}

}  // namespace
}  // namespace xylem::agent_test
