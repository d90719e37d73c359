#include "rdma-bridge/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "rdma-bridge/connection.hpp"

namespace xylem::bridge {
namespace {

class TurnsTest : public testing::Test {
  protected:
    ConnectionPtr make() { return std::make_shared<Connection>(); }
    // One turn, of a connection that has so much to say. Says how much it could send.
    static std::size_t speak(Connection& connection, std::size_t bytes) {
        const std::size_t sent = std::min(bytes, Turns::left_bytes(connection));
        Turns::spend(connection, sent);
        return sent;
    }
    Turns turns_;
};

TEST_F(TurnsTest, those_that_never_run_dry_take_turns_however_few_the_link_takes_at_a_time) {
    std::vector<ConnectionPtr> all;
    for (int i = 0; i < 7; ++i) all.push_back(make());
    std::map<ConnectionPtr, std::size_t> sent;
    for (int run = 0; run < 1'000; ++run) {
        for (const ConnectionPtr& connection : all) turns_.add(connection);
        for (int i = 0; i < 1 + run % 4; ++i) {
            const ConnectionPtr connection = turns_.next();
            sent[connection] += speak(*connection, SIZE_MAX);
            turns_.add(connection);
        }
    }
    const auto [least, most] = std::minmax_element(
        sent.begin(), sent.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_EQ(sent.size(), all.size());
    EXPECT_LE(most->second - least->second, Turns::kShareBytes);
}

TEST_F(TurnsTest, a_message_goes_ahead_of_those_that_had_their_share) {
    std::vector<ConnectionPtr> bulk;
    for (int i = 0; i < 5; ++i) {
        bulk.push_back(make());
        turns_.add(bulk.back());
    }
    for (const ConnectionPtr& connection : bulk) {
        ASSERT_EQ(turns_.next(), connection);
        speak(*connection, SIZE_MAX);
        turns_.add(connection);
    }
    const ConnectionPtr message = make();
    for (int i = 0; i < 10; ++i) {
        turns_.add(message);
        EXPECT_EQ(turns_.next(), message);
        speak(*message, 100);
    }
    EXPECT_EQ(turns_.next(), bulk.front());
}

TEST_F(TurnsTest, who_always_has_a_message_gets_no_more_than_others) {
    const ConnectionPtr often = make();
    const ConnectionPtr bulk = make();
    std::size_t of_often = 0;
    std::size_t of_bulk = 0;
    for (int i = 0; i < 10'000; ++i) {
        turns_.add(often);
        turns_.add(bulk);
        const ConnectionPtr connection = turns_.next();
        (connection == often ? of_often : of_bulk) +=
            speak(*connection, connection == often ? 900 : SIZE_MAX);
    }
    EXPECT_GT(of_often, 0U);
    EXPECT_LE(of_often, of_bulk + Turns::kShareBytes);
}

TEST_F(TurnsTest, who_has_a_word_without_bytes_each_time_does_not_stay_first_for_ever) {
    const ConnectionPtr talker = make();
    const ConnectionPtr bulk = make();
    unsigned turns_of_bulk = 0;
    for (int i = 0; i < 10'000; ++i) {
        turns_.add(bulk);
        turns_.add(talker);
        const ConnectionPtr next = turns_.next();
        turns_of_bulk += next == bulk ? 1 : 0;
        speak(*next, next == bulk ? SIZE_MAX : 0);
    }
    EXPECT_GE(turns_of_bulk, 5U);
}

TEST_F(TurnsTest, each_waits_once_and_who_alone_waits_is_next_at_once) {
    const ConnectionPtr alone = make();
    for (int i = 0; i < 10; ++i) {
        turns_.add(alone);
        turns_.add(alone);
        EXPECT_EQ(turns_.size(), 1U);
        EXPECT_EQ(turns_.next(), alone);
        EXPECT_EQ(speak(*alone, SIZE_MAX), Turns::kShareBytes);
    }
    turns_.add(alone);
    turns_.clear();
    EXPECT_TRUE(turns_.empty());
    EXPECT_FALSE(alone->place.is_waiting);
}

}  // namespace
}  // namespace xylem::bridge
