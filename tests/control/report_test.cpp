// What the agent reports, over the protocol: control/README.md, line by line.
#include <gtest/gtest.h>

#include "tests/control/report.hpp"
#include "tests/control/two_domains.hpp"

namespace xylem::agent_test {
namespace {

class AgentReport : public TwoDomains {
  protected:
    Json query(QueryKind kind, const SocketName& target = {}) { return report_of(command_, kind, target); }
    static Json find(const Json& sockets, const char* field, const Json& value) {
        for (const Json& socket : sockets) {
            if (socket[field] == value) return socket;
        }
        return {};
    }

    ScriptedClient command_{1};
    WelcomeMessage welcome_ = command_.hello(0, SessionRole::command);
};

TEST_F(AgentReport, sockets_lists_ends_and_listeners_with_their_figures) {
    Program server(1);
    Program client(2);
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711, 9);
    auto client_end = client.connect(name_of("127.44.0.1", 80));
    EXPECT_EQ(find(query(QueryKind::sockets)["sockets"], "state", "QUEUED")["pid"], nullptr);
    auto server_end = server.accept(listener);
    client_end->send("12345");
    const Json report = query(QueryKind::sockets);
    EXPECT_EQ(report["domain"], 1);
    EXPECT_EQ(report["boot_id"].get<std::string>().size(), 16U);
    const Json listening = find(report["sockets"], "kind", "listener");
    EXPECT_EQ(listening["transport"], "ring");
    EXPECT_EQ(listening["state"], "LISTEN");
    EXPECT_EQ(listening["backlog"], 9);
    EXPECT_EQ(listening["private"], false);
    EXPECT_EQ(listening["program"], "scripted");
    const Json end = find(report["sockets"], "kind", "connection");
    EXPECT_EQ(end["state"], "ESTAB");
    EXPECT_EQ(end["reason"], "ring");
    EXPECT_EQ(end["end_id"], server_end->id);
    EXPECT_EQ(end["peer_domain"], 2);
    EXPECT_EQ(end["side"], "accepting");
    EXPECT_EQ(end["peer"]["text"], "127.44.0.2:40000");
    EXPECT_EQ(end["ring"]["rx_queued_bytes"], 5);
    EXPECT_EQ(end["ring"]["tx_size_bytes"], kDefaultRingSizeBytes);
    EXPECT_EQ(server_end->receive(), "12345");
    client.release(client_end->id);
    ASSERT_TRUE(client.settle());
    const Json after = find(query(QueryKind::sockets)["sockets"], "kind", "connection");
    EXPECT_EQ(after["state"], "FIN-RECEIVED");
    EXPECT_EQ(after["rx_bytes"], 5);
    EXPECT_EQ(after["pid"], ::getpid());
}

TEST_F(AgentReport, statistics_count_bytes_of_live_and_of_ended_connections) {
    Program server(1);
    Program client(2);
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    for (const std::uint64_t before : {0U, 5U}) {
        auto client_end = client.connect(name_of("127.44.0.1", 80));
        auto server_end = server.accept(listener);
        client_end->send("12345");
        EXPECT_EQ(server_end->receive(), "12345");
        server_end->send("123");
        const Json live = query(QueryKind::statistics)["counters"];
        EXPECT_EQ(live["rx_bytes"], before + 5);
        server.release(server_end->id);
        ASSERT_TRUE(server.settle());
        const Json ended = query(QueryKind::statistics)["counters"];
        EXPECT_EQ(ended["rx_bytes"], before + 5);
        EXPECT_EQ(ended["tx_bytes"], before / 5 * 3 + 3);
        client.release(client_end->id);
    }
}

TEST_F(AgentReport, sockets_shows_tcp_sockets_and_descriptors_from_session_pages) {
    auto page_fd = make_sealed_memfd("page", sizeof(SessionPage));
    auto mapped = Mapping::shared(page_fd->get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    auto& page = *mapped->as<SessionPage>();
    page.magic = kSessionPageMagic;
    page.version = kSessionPageVersion;
    page.tcp_connections.store_relaxed(3);
    SessionRecord& record = page.records[1];
    record.fd = 9;
    record.cookie = 31;
    record.reason = static_cast<std::uint32_t>(Reason::not_mapped);
    record.local = name_of("fd00::1", 1);
    record.peer = name_of("192.0.2.1", 443);
    record.state.store_release(static_cast<std::uint32_t>(RecordState::tcp));
    page.records[2].reason = 12345;  // what no agent knows
    page.records[2].cookie = 32;
    page.records[2].state.store_release(static_cast<std::uint32_t>(RecordState::tcp));
    page.records[0].state.store_release(77);
    page.high_water.store_release(~0U);
    ScriptedClient program(1);
    program.hello(0, SessionRole::program, page_fd->get());
    const Json report = query(QueryKind::sockets);
    const Json socket = find(report["sockets"], "cookie", 31);
    EXPECT_EQ(socket["transport"], "tcp");
    EXPECT_EQ(socket["fd"], 9);
    EXPECT_EQ(socket["reason"], "not_mapped");
    EXPECT_EQ(socket["local"]["text"], "[fd00::1]:1");
    EXPECT_EQ(socket["peer"]["family"], "inet");
    EXPECT_EQ(socket["ring"], nullptr);
    EXPECT_EQ(find(report["sockets"], "cookie", 32)["reason"], "unknown");
    EXPECT_EQ(report["sockets"].size(), 2U);
    EXPECT_EQ(query(QueryKind::statistics)["programs"]["tcp_connections"], 3);
}

TEST_F(AgentReport, statistics_name_peers_that_rang_without_end_when_they_have_no_end_any_more) {
    auto page_fd = make_sealed_memfd("page", sizeof(SessionPage));
    auto mapped = Mapping::shared(page_fd->get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    auto& page = *mapped->as<SessionPage>();
    page.magic = kSessionPageMagic;
    page.version = kSessionPageVersion;
    page.storms[0].peer_domain.store_relaxed(9);
    page.storms[0].waits.store_relaxed(3);
    ScriptedClient program(1);
    program.hello(0, SessionRole::program, page_fd->get());
    const auto peers = [&] { return query(QueryKind::statistics)["peers"]; };
    EXPECT_EQ(find(peers(), "domain", 9)["bell_storms"], 3);
    EXPECT_EQ(find(peers(), "domain", 9)["ends"], 0);
    program.hang_up();
    EXPECT_TRUE(eventually([&] { return query(QueryKind::statistics)["programs"]["sessions"] == 0; }));
    EXPECT_EQ(find(peers(), "domain", 9)["bell_storms"], 3);
}

TEST_F(AgentReport, statistics_count_what_happened_and_why_not) {
    Program program(1);
    EXPECT_FALSE(program.connect(name_of("192.0.2.1", 80)));
    program.listen(name_of("0.0.0.0", 80), 1);
    EXPECT_TRUE(program.connect(name_of("127.44.0.1", 80)));
    EXPECT_FALSE(program.connect(name_of("127.44.0.1", 81)));
    EXPECT_EQ(program.dry_run(name_of("127.44.0.2", 81)), Reason::no_listener);
    const Json report = query(QueryKind::statistics);
    EXPECT_EQ(report["counters"]["connects_asked"], 3);
    EXPECT_EQ(report["counters"]["connects_ring"], 1);
    EXPECT_EQ(report["counters"]["listens"], 1);
    EXPECT_EQ(report["connects_failed"], Json({{"not_mapped", 1}, {"no_listener", 1}}));
    EXPECT_EQ(report["refused"], Json({{"no_listener", 1}}));
    EXPECT_EQ(report["programs"]["sessions"], 1);
    EXPECT_EQ(find(report["quotas"], "name", "ends")["used"], 2);
    EXPECT_EQ(find(report["quotas"], "name", "listeners")["used"], 1);
    EXPECT_EQ(report["peers"], Json::array({{{"domain", 1},
                                             {"ends", 2},
                                             {"limit", 16384},
                                             {"granted_pages", 0},
                                             {"mapped_pages", 0},
                                             {"storms", 0},
                                             {"bell_storms", 0}}}));
    EXPECT_EQ(report["links"][0]["domain"], 2);
    EXPECT_EQ(report["links"][0]["direction"], "out");
    EXPECT_EQ(report["links"][0]["state"], "ready");
    EXPECT_EQ(report["pool"]["misses"], 2);
}

TEST_F(AgentReport, map_and_health_say_what_is_in_force) {
    const Json map = query(QueryKind::map);
    EXPECT_EQ(map["from_file"], false);
    EXPECT_EQ(map["entries"][0]["prefix"], "127.44.0.0/16");
    EXPECT_EQ(map["entries"][0]["target"], "domain_low16");
    EXPECT_EQ(map["entries"][0]["line"], 0);
    EXPECT_EQ(map["own_addresses"][0]["address"], "127.44.0.1");
    EXPECT_EQ(map["last_error"], nullptr);
    EXPECT_EQ(map["policy_rules"], Json::array());
    const Json health = query(QueryKind::health);
    EXPECT_EQ(health["pid"], agent_1_.pid());
    EXPECT_EQ(health["protocol_version"], kProtocolVersion);
    EXPECT_EQ(health["agent_socket"], agent_socket(1).text);
    EXPECT_EQ(health["fabric_dir"]["private"], true);
    EXPECT_GT(health["limits"]["nofile_used"], 5);
    EXPECT_EQ(health["limits"]["nofile_soft"], health["limits"]["nofile_hard"]);
    EXPECT_EQ(health["idle_exit_seconds"], nullptr);
}

TEST_F(AgentReport, explain_goes_the_way_of_a_connect) {
    Program far(2);
    far.listen(name_of("0.0.0.0", 80), 1);
    const auto explain = [&](const char* address, std::uint32_t port) {
        return query(QueryKind::explain, name_of(address, port));
    };
    Json report = explain("127.44.0.2", 80);
    EXPECT_EQ(report["transport"], "ring");
    EXPECT_EQ(report["target_domain"], 2);
    EXPECT_EQ(report["asked_peer"], true);
    EXPECT_EQ(report["entry"]["prefix"], "127.44.0.0/16");
    EXPECT_EQ(explain("127.44.0.2", 81)["reason"], "no_listener");
    EXPECT_EQ(explain("127.44.0.2", 0)["reason"], "ring");
    EXPECT_EQ(explain("127.44.0.1", 0)["reason"], "ring");
    EXPECT_EQ(explain("127.44.0.9", 0)["reason"], "no_peer_agent");
    EXPECT_EQ(explain("127.44.0.9", 1)["reason"], "no_peer_agent");
    report = explain("192.0.2.1", 80);
    EXPECT_EQ(report["reason"], "not_mapped");
    EXPECT_EQ(report["transport"], "tcp");
    EXPECT_EQ(report["entry"], nullptr);
    EXPECT_EQ(report["target_domain"], nullptr);
    EXPECT_EQ(report["asked_peer"], false);
}

TEST_F(AgentReport, a_bad_file_is_reported_until_it_is_mended) {
    const std::string path = scratch_.write("hosts", "10.0.0.3 dom:3 ring=64K\n");
    AgentProcess agent(3, [&](agent::Options& options) {
        options.settings.hosts_file = path;
        options.settings.hosts_file_is_named = true;
    });
    ASSERT_TRUE(agent.is_serving());
    ScriptedClient command(3);
    command.hello(0, SessionRole::command);
    scratch_.write("hosts", "10.0.0.3 dom:3\n10.0.0.4 dim:4\n");
    EXPECT_TRUE(eventually([&] { return report_of(command, QueryKind::map)["last_error"].is_string(); }));
    Json map = report_of(command, QueryKind::map);
    EXPECT_EQ(map["last_error"].get<std::string>().find(path + ":2:"), 0U);
    EXPECT_EQ(map["entries"][0]["text"], "10.0.0.3 dom:3 ring=64K");
    EXPECT_EQ(map["entries"][0]["ring_size_bytes"], 65536);
    scratch_.write("hosts", "10.0.0.4 dom:4\n");
    EXPECT_TRUE(eventually([&] { return report_of(command, QueryKind::map)["last_error"].is_null(); }));
}

}  // namespace
}  // namespace xylem::agent_test
