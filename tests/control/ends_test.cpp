#include "control/agent/ends.hpp"

#include <gtest/gtest.h>

namespace xylem::agent {
namespace {

std::unique_ptr<End> make(EndId id, std::uint64_t connection, unsigned side, std::uint32_t peer = 2) {
    auto end = std::make_unique<End>();
    end->identity.end_id = id;
    end->identity.connection_id = connection;
    end->identity.side = side;
    end->identity.own_domain = 1;
    end->identity.peer_domain = peer;
    end->connecting_domain = side == 0 ? 1 : peer;
    end->cookie = id * 100;
    return end;
}

TEST(EndTable, finds_by_id_by_connection_and_by_cookie) {
    Ends ends(10, 10);
    End* end = ends.add(make(5, 77, 1));
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(ends.find(5), end);
    EXPECT_EQ(ends.find(ConnectionKey{2, 77, 1}), end);
    EXPECT_EQ(ends.find(ConnectionKey{1, 77, 1}), nullptr);
    EXPECT_EQ(ends.find_cookie(500), end);
    ends.name_cookie(*end, 501);
    EXPECT_EQ(ends.find_cookie(500), nullptr);
    EXPECT_EQ(ends.find_cookie(501), end);
    const auto taken = ends.take(5);
    EXPECT_EQ(ends.find(5), nullptr);
    EXPECT_EQ(ends.find(ConnectionKey{2, 77, 1}), nullptr);
    EXPECT_EQ(ends.find_cookie(501), nullptr);
}

TEST(EndTable, both_ends_of_a_connection_with_oneself_fit_in) {
    Ends ends(10, 10);
    EXPECT_NE(ends.add(make(1, 77, 0, 1)), nullptr);
    EXPECT_NE(ends.add(make(2, 77, 1, 1)), nullptr);
    EXPECT_EQ(ends.add(make(3, 77, 1, 1)), nullptr);
}

TEST(EndTable, an_id_or_a_connection_twice_is_refused) {
    Ends ends(10, 10);
    EXPECT_NE(ends.add(make(1, 77, 1)), nullptr);
    EXPECT_EQ(ends.add(make(1, 78, 1)), nullptr);
    EXPECT_EQ(ends.add(make(2, 77, 1)), nullptr);
    EXPECT_EQ(ends.quota().used(), 1U);
}

TEST(EndTable, quotas_bound_all_ends_and_those_with_one_peer) {
    Ends ends(3, 2);
    EXPECT_NE(ends.add(make(1, 1, 1, 2)), nullptr);
    EXPECT_NE(ends.add(make(2, 2, 1, 2)), nullptr);
    EXPECT_FALSE(ends.has_room(2));
    EXPECT_EQ(ends.add(make(3, 3, 1, 2)), nullptr);
    EXPECT_NE(ends.add(make(3, 3, 1, 3)), nullptr);
    EXPECT_FALSE(ends.has_room(4));
    ends.take(1);
    EXPECT_TRUE(ends.has_room(2));
    EXPECT_EQ(ends.per_peer().at(2), 1U);
}

TEST(EndTable, ids_of_two_agents_differ) {
    Ends one(1, 1);
    Ends other(1, 1);
    EXPECT_NE(one.next_id(), other.next_id());
    EXPECT_EQ(one.next_id() >> 48, 0U);
}

}  // namespace
}  // namespace xylem::agent
