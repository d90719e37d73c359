// Runs: what an agent sums up for a command that watches, over the protocol.
#include "control/agent/runs.hpp"

#include <gtest/gtest.h>

#include "guest-lib/private_fds.hpp"
#include "guest-lib/session_page.hpp"
#include "tests/control/report.hpp"
#include "tests/control/two_domains.hpp"

namespace xylem::agent_test {
namespace {

constexpr std::uint64_t kRun = 0x1234;

class AgentRun : public TwoDomains {
  protected:
    static std::unique_ptr<Received> name_run(ScriptedClient& client, std::uint64_t id) {
        auto message = ScriptedClient::make<IdMessage>(SessionMessage::run);
        message.id = id;
        return client.ask(message);
    }
    static bool is_done(const std::unique_ptr<Received>& got) {
        return got && got->header().type == static_cast<std::uint16_t>(SessionMessage::done);
    }
    static bool join(ScriptedClient& client, std::uint64_t id = kRun) {
        return is_done(name_run(client, id));
    }
    Json sums() { return report_of(command_, QueryKind::run); }
    static BypassMessage bypass(Reason reason, const char* program, std::uint64_t id = kRun) {
        auto message = ScriptedClient::make<BypassMessage>(SessionMessage::bypass, 0);
        message.run_id = id;
        message.reason = static_cast<std::uint32_t>(reason);
        ::strcpy(message.program, program);
        return message;
    }

    ScriptedClient command_{1};
    WelcomeMessage welcome_ = command_.hello(0, SessionRole::command);
    bool opened_ = join(command_);
};

TEST_F(AgentRun, begins_with_nothing) {
    const Json report = sums();
    EXPECT_EQ(report["run"], "0000000000001234");
    EXPECT_EQ(report["sessions"], 0);
    EXPECT_EQ(report["going_on"], 0);
    EXPECT_EQ(report["ring"], (Json{{"made", 0}, {"accepted", 0}, {"tx_bytes", 0}, {"rx_bytes", 0}}));
    EXPECT_TRUE(report["ring_peers"].empty());
    EXPECT_TRUE(report["tcp"].empty());
    EXPECT_TRUE(report["bypasses"].empty());
}

TEST_F(AgentRun, counts_rings_while_they_live_and_the_same_when_they_have_ended) {
    Program server(1);
    Program client(2);
    ASSERT_TRUE(join(server));
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    auto client_end = client.connect(name_of("127.44.0.1", 80));
    EXPECT_EQ(sums()["ring"]["accepted"], 0) << "nobody has accepted it yet";
    auto server_end = server.accept(listener);
    client_end->send("12345");
    EXPECT_EQ(server_end->receive(), "12345");
    server_end->send("123");
    const Json expected{{"made", 0}, {"accepted", 1}, {"tx_bytes", 3}, {"rx_bytes", 5}};
    EXPECT_EQ(sums()["ring"], expected);
    EXPECT_EQ(sums()["going_on"], 1);
    server.release(server_end->id);
    ASSERT_TRUE(server.settle());
    EXPECT_EQ(sums()["ring"], expected);
    server.tell(SessionMessage::unlisten, listener);
    server.hang_up();
    EXPECT_TRUE(eventually([&] { return sums()["going_on"] == 0; }));
    EXPECT_EQ(sums()["ring"], expected);
    EXPECT_EQ(sums()["sessions"], 1);
}

TEST_F(AgentRun, counts_both_ends_where_both_are_of_the_run) {
    Program server(1);
    Program client(1);
    ASSERT_TRUE(join(server) && join(client));
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    auto client_end = client.connect(name_of("127.44.0.1", 80));
    auto server_end = server.accept(listener);
    EXPECT_EQ(sums()["ring"]["made"], 1);
    EXPECT_EQ(sums()["ring"]["accepted"], 1);
}

TEST_F(AgentRun, names_the_peers_of_rings_that_were_made) {
    Program server(1);
    Program client(2);
    ScriptedClient command(2);
    command.hello(0, SessionRole::command);
    ASSERT_TRUE(join(command) && join(client));
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    auto first_end = client.connect(name_of("127.44.0.1", 80));
    auto first = server.accept(listener);
    auto second_end = client.connect(name_of("127.44.0.1", 80));
    auto second = server.accept(listener);
    const Json peers = report_of(command, QueryKind::run)["ring_peers"];
    ASSERT_EQ(peers.size(), 1U);
    EXPECT_EQ(peers[0]["peer"], "127.44.0.1");
    EXPECT_EQ(peers[0]["connections"], 2);
    EXPECT_TRUE(sums()["ring_peers"].empty()) << "the accepting side has chosen nothing";
}

TEST_F(AgentRun, does_not_count_others) {
    Program server(1);
    Program client(1);
    ASSERT_TRUE(join(client, kRun + 1)) << "a run that nobody watches is no mistake";
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 4711);
    auto client_end = client.connect(name_of("127.44.0.1", 80));
    auto server_end = server.accept(listener);
    EXPECT_EQ(sums()["ring"]["made"], 0);
    EXPECT_EQ(sums()["ring"]["accepted"], 0);
    EXPECT_EQ(sums()["sessions"], 0);
}

TEST_F(AgentRun, keeps_the_tallies_of_a_program_that_is_gone) {
    UniqueFd page_fd;
    Mapping page;
    ASSERT_TRUE(make_session_page(page_fd, page));
    {
        ScriptedClient program(1);
        program.hello(0, SessionRole::program, page_fd.get());
        ASSERT_TRUE(join(program));
        count_tcp(page.as<SessionPage>(), Reason::not_mapped, name_of("10.0.0.1", 80));
        for (int i = 0; i < 3; ++i) {
            count_tcp(page.as<SessionPage>(), Reason::no_listener, name_of("127.44.0.1", 81));
        }
        EXPECT_EQ(sums()["tcp"].size(), 2U);
    }
    ASSERT_TRUE(eventually([&] { return sums()["going_on"] == 0; }));
    const Json tcp = sums()["tcp"];
    ASSERT_EQ(tcp.size(), 2U);
    EXPECT_EQ(tcp[0]["peer"], "127.44.0.1:81") << "the biggest comes first";
    EXPECT_EQ(tcp[0]["connections"], 3);
    EXPECT_EQ(tcp[0]["reason"], "no_listener");
    EXPECT_EQ(tcp[1]["peer"], "10.0.0.1:80");
    close_private(page_fd);
}

TEST_F(AgentRun, adds_up_what_a_page_has_no_row_for) {
    UniqueFd page_fd;
    Mapping page;
    ASSERT_TRUE(make_session_page(page_fd, page));
    for (unsigned i = 0; i < kTallies + 5; ++i) {
        count_tcp(page.as<SessionPage>(), Reason::not_mapped, name_of("10.0.0.1", i + 1));
    }
    page.as<SessionPage>()->tallies[0].reason = 12345;  // what no library writes
    ScriptedClient program(1);
    program.hello(0, SessionRole::program, page_fd.get());
    ASSERT_TRUE(join(program));
    const Json tcp = sums()["tcp"];
    ASSERT_EQ(tcp.size(), kTallies + 1);
    EXPECT_EQ(tcp[0]["peer"], nullptr);
    EXPECT_EQ(tcp[0]["connections"], 5);
    close_private(page_fd);
}

TEST_F(AgentRun, a_session_for_a_child_is_of_the_same_run) {
    Program parent(1);
    ASSERT_TRUE(join(parent));
    ScriptedClient child(1);
    child.hello(parent.welcome.session_id);
    EXPECT_EQ(sums()["sessions"], 2);
    EXPECT_EQ(sums()["going_on"], 2);
}

TEST_F(AgentRun, a_bypass_needs_no_hello) {
    for (int i = 0; i < 2; ++i) {
        ScriptedClient program(1);
        const BypassMessage told = bypass(Reason::static_program, "/bin/\x01static");
        EXPECT_TRUE(program.send(&told, sizeof told));
    }
    ASSERT_TRUE(
        eventually([&] { return sums()["bypasses"].size() == 1 && sums()["bypasses"][0]["times"] == 2; }));
    EXPECT_EQ(sums()["bypasses"][0]["program"], "/bin/?static");
    EXPECT_EQ(sums()["bypasses"][0]["reason"], "static_program");
}

TEST_F(AgentRun, a_bypass_for_a_reason_of_connections_is_refused) {
    Program program(1);
    for (const Reason reason : {Reason::none, Reason::not_mapped, static_cast<Reason>(12345)}) {
        BypassMessage told = bypass(reason, "x");
        told.header.request_id = 7;
        auto got = program.ask(told);
        ASSERT_NE(ScriptedClient::as<FailedMessage>(got, SessionMessage::failed), nullptr);
    }
    EXPECT_TRUE(sums()["bypasses"].empty());
}

TEST_F(AgentRun, programs_without_end_are_counted_in_bounded_memory) {
    Program program(1);
    for (std::size_t i = 0; i < agent::kMaxTallies + 50; ++i) {
        const BypassMessage told = bypass(Reason::go_program, std::to_string(i).c_str());
        ASSERT_TRUE(eventually([&] { return program.send(&told, sizeof told); }));
    }
    ASSERT_TRUE(eventually([&] { return program.settle(); }));
    const Json bypasses = sums()["bypasses"];
    ASSERT_EQ(bypasses.size(), agent::kMaxTallies + 1);
    EXPECT_EQ(bypasses[0]["program"], nullptr);
    EXPECT_EQ(bypasses[0]["times"], 50);
}

TEST_F(AgentRun, a_session_names_one_run_and_once) {
    Program program(1);
    ASSERT_TRUE(join(program));
    EXPECT_FALSE(join(program));
    EXPECT_FALSE(join(command_, kRun + 1));
    ScriptedClient other(1);
    other.hello(0, SessionRole::command);
    EXPECT_FALSE(join(other, kRun)) << "it is taken";
    EXPECT_FALSE(join(other, 0));
    EXPECT_TRUE(report_of(other, QueryKind::run).is_null()) << "it watches nothing";
}

TEST_F(AgentRun, ends_with_the_session_that_opened_it) {
    command_.hang_up();
    EXPECT_TRUE(eventually([] {
        ScriptedClient other(1);
        other.hello(0, SessionRole::command);
        return join(other) && report_of(other, QueryKind::run)["sessions"] == 0;
    }));
}

TEST(AgentRunIdle, an_agent_without_programs_stays_while_a_run_is_watched) {
    const RuntimeScratch scratch;
    AgentProcess agent(1, [](agent::Options& options) { options.settings.idle_exit_ns = 100 * kNsPerMs; });
    ASSERT_TRUE(agent.is_serving());
    ScriptedClient command(1);
    command.hello(0, SessionRole::command);
    auto message = ScriptedClient::make<IdMessage>(SessionMessage::run);
    message.id = kRun;
    ASSERT_TRUE(command.ask(message));
    ::usleep(500'000);
    EXPECT_FALSE(agent.has_ended());
    command.hang_up();
    EXPECT_TRUE(eventually([&] { return agent.has_ended(); }));
}

}  // namespace
}  // namespace xylem::agent_test
