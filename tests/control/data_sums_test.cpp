// Sums of what ended, over the protocol and on their own.
#include "control/agent/data_sums.hpp"

#include <gtest/gtest.h>

#include "tests/control/report.hpp"
#include "tests/control/two_domains.hpp"

namespace xylem::agent_test {
namespace {

class AgentDataSums : public TwoDomains {
  protected:
    Json statistics() { return report_of(command_, QueryKind::statistics); }

    ScriptedClient command_{1};
    WelcomeMessage welcome_ = command_.hello(0, SessionRole::command);
};

TEST_F(AgentDataSums, keep_by_peer_what_connections_did_that_ended) {
    Program server(1);
    Program client(2);
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    EXPECT_EQ(statistics()["data"], Json::array());
    for (const std::uint64_t before : {0U, 5U}) {
        auto client_end = client.connect(name_of("127.44.0.1", 80));
        auto server_end = server.accept(listener);
        client_end->send("12345");
        EXPECT_EQ(server_end->receive(), "12345");
        server_end->page().counters.sleeps.fetch_add(2);
        const Json live = statistics()["data"];
        ASSERT_EQ(live.size(), 1U);
        EXPECT_EQ(live[0]["domain"], 2);
        EXPECT_EQ(live[0]["rx_bytes"], before + 5);
        server.release(server_end->id);
        ASSERT_TRUE(server.settle());
        const Json ended = statistics()["data"];
        EXPECT_EQ(ended[0]["rx_bytes"], before + 5);
        EXPECT_EQ(ended[0]["sleeps"], before / 5 * 2 + 2);
        client.release(client_end->id);
    }
}

TEST_F(AgentDataSums, keep_by_reason_the_connections_of_programs_that_ended) {
    auto page_fd = make_sealed_memfd("page", sizeof(SessionPage));
    auto mapped = Mapping::shared(page_fd->get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    auto& page = *mapped->as<SessionPage>();
    page.magic = kSessionPageMagic;
    page.version = kSessionPageVersion;
    page.ring_connections.store_relaxed(4);
    page.other_peers[static_cast<std::uint32_t>(Reason::not_mapped)].store_relaxed(3);
    const Json expected = {{"ring", 4}, {"tcp", {{"not_mapped", 3}}}};
    ScriptedClient program(1);
    program.hello(0, SessionRole::program, page_fd->get());
    EXPECT_EQ(statistics()["connections"], expected);
    program.hang_up();
    EXPECT_TRUE(eventually([&] { return statistics()["programs"]["sessions"] == 0; }));
    EXPECT_EQ(statistics()["connections"], expected);
}

TEST(DataSums, peers_beyond_the_bound_share_a_row) {
    agent::DataSums sums;
    for (std::uint32_t peer = 0; peer < agent::DataSums::kMostPeers + 50; ++peer) sums.know(peer);
    EXPECT_EQ(sums.by_peer().size(), agent::DataSums::kMostPeers);
    EXPECT_EQ(sums.by_peer().count(0), 1U);
    EXPECT_EQ(sums.by_peer().count(agent::DataSums::kMostPeers), 0U);
}

}  // namespace
}  // namespace xylem::agent_test
