// What agents of two guests write into XenStore: what one writes the other reads, and nothing else is
// believed.
#include <gtest/gtest.h>

#include "control/agent/xen/xen_meeting.hpp"

namespace xylem::agent {
namespace {

XenMeeting offer() {
    XenMeeting meeting;
    meeting.life = 0xFEDC'BA98'7654'3210;
    meeting.for_life = 7;
    meeting.offer_id = 0xABC;
    meeting.port = 23;
    meeting.refs = {8, 9, 4000000000};
    return meeting;
}

TEST(XenMeeting, an_offer_is_read_as_it_was_written) {
    const auto read = XenMeeting::parse(offer().text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->life, offer().life);
    EXPECT_EQ(read->for_life, 7U);
    EXPECT_EQ(read->offer_id, 0xABCU);
    EXPECT_EQ(read->port, 23U);
    EXPECT_EQ(read->refs, offer().refs);
}

TEST(XenMeeting, an_answer_has_neither_port_nor_references) {
    XenMeeting answer = offer();
    answer.refs.clear();
    const auto read = XenMeeting::parse(answer.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->offer_id, 0xABCU);
    EXPECT_EQ(read->port, 0U);
    EXPECT_TRUE(read->refs.empty());
}

TEST(XenMeeting, what_makes_no_sense_is_nothing) {
    for (const char* text :
         {"", "1", "1 2", "1 2 3", "2 5 6 7", "1 0 6 7", "1 5 6 7 8", "1 5 6 7 8 9 x", "1 5 6 7 x",
          "one 5 6 7", "1 5 6 g", "1 10000000000000000 6 7", "1 5 6 7 8 4294967296"}) {
        EXPECT_FALSE(XenMeeting::parse(text)) << text;
    }
}

TEST(XenMeeting, more_references_than_a_control_ring_has_are_refused) {
    XenMeeting meeting = offer();
    meeting.refs.assign(64, 5);
    EXPECT_TRUE(XenMeeting::parse(meeting.text()));
    meeting.refs.push_back(5);
    EXPECT_FALSE(XenMeeting::parse(meeting.text()));
}

TEST(XenMeeting, each_side_knows_the_node_of_the_other) {
    EXPECT_EQ(XenMeeting::own_path(5), "data/xylem/5");
    EXPECT_EQ(XenMeeting::peers_path(3, 5), "/local/domain/5/data/xylem/3");
}

}  // namespace
}  // namespace xylem::agent
