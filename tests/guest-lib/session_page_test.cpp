#include "guest-lib/session_page.hpp"

#include <gtest/gtest.h>

#include "guest-lib/private_fds.hpp"

namespace xylem {
namespace {

class SessionPageTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(make_session_page(fd_, mapping_)); }
    void TearDown() override { close_private(fd_); }
    SessionPage* page() { return mapping_.as<SessionPage>(); }
    int write(int index, int fd, RecordState state = RecordState::ring) {
        return write_record(page(), index, {state, fd, 77, 88, Reason::ring, {}, {}});
    }

    UniqueFd fd_;
    Mapping mapping_;
};

TEST_F(SessionPageTest, begins_empty_with_its_magic) {
    EXPECT_EQ(page()->magic, kSessionPageMagic);
    EXPECT_EQ(page()->version, kSessionPageVersion);
    EXPECT_EQ(page()->high_water.load_relaxed(), 0U);
}

TEST_F(SessionPageTest, a_record_holds_what_was_written) {
    const int index = write(-1, 5);
    ASSERT_EQ(index, 0);
    const SessionRecord& record = page()->records[index];
    EXPECT_EQ(record.state.load_relaxed(), static_cast<std::uint32_t>(RecordState::ring));
    EXPECT_EQ(record.fd, 5U);
    EXPECT_EQ(record.cookie, 77U);
    EXPECT_EQ(record.end_id, 88U);
    EXPECT_EQ(page()->high_water.load_relaxed(), 1U);
}

TEST_F(SessionPageTest, a_record_is_rewritten_in_its_place) {
    const int index = write(-1, 5, RecordState::listener);
    EXPECT_EQ(write(index, 6, RecordState::tcp), index);
    EXPECT_EQ(page()->records[index].fd, 6U);
    EXPECT_EQ(page()->high_water.load_relaxed(), 1U);
}

TEST_F(SessionPageTest, a_cleared_record_is_taken_next) {
    for (int i = 0; i < 3; ++i) write(-1, i);
    clear_record(page(), 1);
    EXPECT_EQ(write(-1, 9), 1);
    EXPECT_EQ(page()->high_water.load_relaxed(), 3U);
}

TEST_F(SessionPageTest, a_full_page_takes_no_more) {
    for (unsigned i = 0; i < kSessionRecords; ++i) ASSERT_EQ(write(-1, 1), static_cast<int>(i));
    EXPECT_EQ(write(-1, 1), -1);
    EXPECT_EQ(page()->high_water.load_relaxed(), kSessionRecords);
}

TEST_F(SessionPageTest, a_copy_has_the_same_records) {
    write(-1, 5);
    write(-1, 6);
    UniqueFd other_fd;
    Mapping other;
    ASSERT_TRUE(make_session_page(other_fd, other));
    copy_records(*page(), *other.as<SessionPage>());
    EXPECT_EQ(other.as<SessionPage>()->high_water.load_relaxed(), 2U);
    EXPECT_EQ(other.as<SessionPage>()->records[1].fd, 6U);
    close_private(other_fd);
}

TEST_F(SessionPageTest, storms_are_counted_by_peer_as_long_as_there_are_rows) {
    for (const std::uint32_t peer : {7U, 8U, 7U}) count_storm(page(), peer);
    EXPECT_EQ(page()->storms[0].peer_domain.load_relaxed(), 7U);
    EXPECT_EQ(page()->storms[0].waits.load_relaxed(), 2U);
    EXPECT_EQ(page()->storms[1].peer_domain.load_relaxed(), 8U);
    EXPECT_EQ(page()->storms[1].waits.load_relaxed(), 1U);
    for (std::uint32_t peer = 100; peer < 120; ++peer) count_storm(page(), peer);
    EXPECT_EQ(page()->storms[kStormPeers - 1].waits.load_relaxed(), 1U);
}

TEST(SessionPage, without_a_page_nothing_is_written) {
    EXPECT_EQ(write_record(nullptr, -1, {RecordState::ring, 1, 2, 3, Reason::ring, {}, {}}), -1);
    clear_record(nullptr, 4);
    count_storm(nullptr, 4);
}

}  // namespace
}  // namespace xylem
