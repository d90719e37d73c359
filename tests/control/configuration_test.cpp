// The hosts map as programs see it, the policy, and quotas.
#include <gtest/gtest.h>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {
namespace {

class AgentConfiguration : public testing::Test {
  protected:
    std::unique_ptr<AgentProcess> start(std::uint32_t domain, const std::string& hosts,
                                        const std::function<void(agent::Options&)>& change = {}) {
        const std::string path = scratch_.write("hosts" + std::to_string(domain), hosts);
        auto made = std::make_unique<AgentProcess>(domain, [&](agent::Options& options) {
            options.settings.hosts_file = path;
            options.settings.hosts_file_is_named = true;
            if (change) change(options);
        });
        EXPECT_TRUE(made->is_serving());
        return made;
    }
    static Mapping table_of(const ScriptedClient& client) {
        const auto size = check_sealed_memfd(client.map_fd.get(), sizeof(MapTableHeader));
        EXPECT_TRUE(size);
        auto mapped = Mapping::shared(client.map_fd.get(), *size, PROT_READ);
        EXPECT_TRUE(mapped && is_map_table(mapped->bytes(), *size));
        return std::move(*mapped);
    }
    static MapHit hit(const Mapping& table, const std::string& address) {
        return look_up(*table.as<MapTableHeader>(), name_of(address, 0));
    }

    RuntimeScratch scratch_;
};

TEST_F(AgentConfiguration, without_a_file_the_table_numbers_the_domains) {
    AgentProcess agent(258);
    ASSERT_TRUE(agent.is_serving());
    Program program(258);
    const Mapping table = table_of(program);
    EXPECT_EQ(hit(table, "127.44.1.2").domain, 258U);
    EXPECT_EQ(hit(table, "::ffff:127.44.0.7").domain, 7U);
    EXPECT_FALSE(hit(table, "127.0.0.1").mapped);
    EXPECT_EQ(text_of(table.as<MapTableHeader>()->own_address[0]), "127.44.1.2 0");
    EXPECT_EQ(table.as<MapTableHeader>()->own_address[1].family, 0U);
}

TEST_F(AgentConfiguration, the_table_has_every_kind_of_line_and_the_longest_prefix_wins) {
    const auto agent = start(2,
                             "10.0.0.0/8 tcp\n10.0.0.2 dom:2\n10.0.0.3 dom:3 ring=1M spin=70us\n"
                             "10.0.9.0/24 node:192.168.7.2/dom:4\nfd00::2 dom:2\n");
    Program program(2);
    const Mapping table = table_of(program);
    EXPECT_EQ(hit(table, "10.1.1.1").target, MapTarget::tcp);
    EXPECT_TRUE(hit(table, "10.1.1.1").mapped);
    EXPECT_EQ(hit(table, "10.0.0.3").domain, 3U);
    EXPECT_EQ(hit(table, "10.0.0.3").entry->ring_size_bytes, 1U << 20);
    EXPECT_EQ(hit(table, "10.0.0.3").entry->spin_ns, 70'000U);
    EXPECT_EQ(hit(table, "10.0.0.3").entry->line, 3U);
    EXPECT_EQ(hit(table, "10.0.9.77").target, MapTarget::node);
    EXPECT_EQ(text_of(hit(table, "10.0.9.77").entry->node), "192.168.7.2 0");
    EXPECT_EQ(hit(table, "fd00::2").domain, 2U);
    EXPECT_FALSE(hit(table, "fd00::3").mapped);
    EXPECT_EQ(text_of(table.as<MapTableHeader>()->own_address[1]), "fd00::2 0");
    EXPECT_EQ(program.dry_run(name_of("10.0.9.77", 80)), Reason::other_node);
    EXPECT_EQ(program.dry_run(name_of("10.1.1.1", 80)), Reason::mapped_to_tcp);
}

TEST_F(AgentConfiguration, a_guest_that_is_not_found_is_reached_by_tcp) {
    const auto agent = start(2, "10.0.0.4 vm:web\n");
    Program program(2);
    EXPECT_EQ(hit(table_of(program), "10.0.0.4").target, MapTarget::unknown_guest);
    EXPECT_EQ(program.dry_run(name_of("10.0.0.4", 80)), Reason::unknown_guest);
}

TEST_F(AgentConfiguration, nobody_who_got_the_table_can_write_to_it) {
    AgentProcess agent(2);
    ASSERT_TRUE(agent.is_serving());
    Program program(2);
    EXPECT_FALSE(Mapping::shared(program.map_fd.get(), 4096, PROT_READ | PROT_WRITE));
    EXPECT_LT(::pwrite(program.map_fd.get(), "x", 1, 0), 0);
}

TEST_F(AgentConfiguration, a_changed_file_supersedes_the_table) {
    const auto agent = start(2, "10.0.0.2 dom:2\n");
    Program program(2);
    const Mapping table = table_of(program);
    const AtomicU32& superseded = table.as<MapTableHeader>()->superseded;
    EXPECT_EQ(superseded.load_acquire(), 0U);
    scratch_.write("hosts2", "10.0.0.2 dom:2\n10.0.0.9 dom:9\n");
    EXPECT_TRUE(eventually([&] { return superseded.load_acquire() == 1; }));
    auto got = program.ask(ScriptedClient::make<PlainMessage>(SessionMessage::get_map));
    ASSERT_NE(ScriptedClient::as<PlainMessage>(got, SessionMessage::map), nullptr);
    program.map_fd = std::move(got->fds[0]);
    EXPECT_EQ(hit(table_of(program), "10.0.0.9").domain, 9U);
}

TEST_F(AgentConfiguration, a_bad_file_changes_nothing) {
    const auto agent = start(2, "10.0.0.2 dom:2\n");
    Program program(2);
    const Mapping table = table_of(program);
    scratch_.write("hosts2", "10.0.0.2 dom:2\nnonsense\n");
    ::usleep(200'000);
    EXPECT_EQ(table.as<MapTableHeader>()->superseded.load_acquire(), 0U);
    scratch_.write("hosts2", "10.0.0.2 dom:2\n10.0.0.9 dom:9\n");
    EXPECT_TRUE(eventually([&] { return table.as<MapTableHeader>()->superseded.load_acquire() == 1; }));
}

TEST_F(AgentConfiguration, a_bad_file_at_the_start_is_a_failure) {
    const std::string path = scratch_.write("hosts", "nonsense\n");
    AgentProcess agent(2, [&](agent::Options& options) {
        options.settings.hosts_file = path;
        options.settings.hosts_file_is_named = true;
    });
    EXPECT_EQ(agent.wait(), 1);
}

TEST_F(AgentConfiguration, a_line_sets_ring_size_and_spin_of_both_ends_where_the_program_asks_for_none) {
    const std::string hosts = "10.0.0.1 dom:1 spin=30us\n10.0.0.2 dom:2 ring=64K spin=20us\n";
    const auto agent_1 = start(1, hosts);
    const auto agent_2 = start(2, hosts);
    Program server(2);
    Program client(1);
    const std::uint64_t listener = server.listen(name_of("10.0.0.2", 80), 1);
    auto client_end = client.connect(name_of("10.0.0.2", 80));
    auto server_end = server.accept(listener);
    ASSERT_TRUE(client_end && server_end);
    EXPECT_EQ(client_end->page().ring_size_bytes[1], 64U << 10);
    EXPECT_EQ(client_end->page().spin_ns, 20'000U);
    EXPECT_EQ(server_end->page().spin_ns, 30'000U);
}

TEST_F(AgentConfiguration, a_listener_at_an_address_that_its_own_map_does_not_give_it_is_private) {
    const auto agent_1 = start(1, "10.0.0.1 dom:1\n");
    const auto agent_2 = start(2, "10.0.0.2 dom:2\n10.0.0.1 dom:1\n127.0.0.1 dom:1\n");
    Program server(1);
    Program client(2);
    server.listen(name_of("127.0.0.1", 80), 1);
    server.listen(name_of("10.0.0.1", 81), 2);
    EXPECT_EQ(client.dry_run(name_of("127.0.0.1", 80)), Reason::listener_private);
    // 2 calls from an address that is 2's in its own map only.
    EXPECT_EQ(client.dry_run(name_of("10.0.0.1", 81)), Reason::no_source_address);
}

// An accepting program could not be told who calls: an IPv4 address beside an IPv6 one is what no kernel
// shows.
TEST_F(AgentConfiguration, a_domain_without_an_address_of_the_family_calls_over_tcp_until_it_has_one) {
    const std::string hosts = "10.0.0.1 dom:1\nfd00::1 dom:1\n10.0.0.2 dom:2\n";
    const auto agent_1 = start(1, hosts);
    const auto agent_2 = start(2, hosts);
    Program server(1);
    Program client(2);
    const std::uint64_t listener = server.listen(name_of("::", 80), 1);
    EXPECT_FALSE(client.connect(name_of("fd00::1", 80)));
    EXPECT_EQ(client.last_reason, Reason::no_source_address);
    EXPECT_TRUE(client.connect(name_of("10.0.0.1", 80)));
    EXPECT_TRUE(server.accept(listener));

    scratch_.write("hosts1", hosts + "fd00::2 dom:2\n");
    ASSERT_TRUE(eventually([&] { return client.dry_run(name_of("fd00::1", 80)) == Reason::ring; }));
    ASSERT_TRUE(client.connect(name_of("fd00::1", 80)));
    auto accepted = server.accept(listener);
    ASSERT_TRUE(accepted);
    EXPECT_EQ(text_of(accepted->page().peer), "fd00::2 40000");
}

TEST_F(AgentConfiguration, the_policy_denies_and_changes_without_a_restart) {
    AgentProcess agent_2(2);
    const std::string policy = scratch_.write("policy", "deny from dom:2 to port 80\n");
    AgentProcess agent_1(1, [&](agent::Options& options) {
        options.settings.policy_file = policy;
        options.settings.policy_file_is_named = true;
    });
    ASSERT_TRUE(agent_1.is_serving() && agent_2.is_serving());
    Program server(1);
    Program client(2);
    server.listen(name_of("0.0.0.0", 80), 1);
    server.listen(name_of("0.0.0.0", 81), 2);
    EXPECT_FALSE(client.connect(name_of("127.44.0.1", 80)));
    EXPECT_EQ(client.last_reason, Reason::refused_by_policy);
    EXPECT_EQ(client.dry_run(name_of("127.44.0.1", 81)), Reason::ring);
    EXPECT_EQ(server.dry_run(name_of("127.44.0.1", 80)), Reason::ring);
    scratch_.write("policy", "deny from any to port 81\n");
    EXPECT_TRUE(eventually([&] { return client.dry_run(name_of("127.44.0.1", 80)) == Reason::ring; }));
    EXPECT_EQ(client.dry_run(name_of("127.44.0.1", 81)), Reason::refused_by_policy);
}

TEST_F(AgentConfiguration, quotas_of_ends_memory_and_peers_give_tcp_with_a_reason) {
    const auto limited = [](std::uint64_t ends, std::uint64_t per_peer, std::uint64_t memory) {
        return [=](agent::Options& options) {
            options.settings.max_ends = ends;
            options.settings.max_ends_per_peer = per_peer;
            options.settings.max_memory_bytes = memory;
        };
    };
    AgentProcess server_agent(1);
    AgentProcess few_ends(2, limited(2, 99, 1 << 30));
    AgentProcess few_per_peer(3, limited(99, 1, 1 << 30));
    AgentProcess little_memory(4, limited(99, 99, 12 << 20));
    ASSERT_TRUE(server_agent.is_serving() && few_ends.is_serving() && few_per_peer.is_serving() &&
                little_memory.is_serving());
    Program server(1);
    server.listen(name_of("0.0.0.0", 80), 1, 64);
    const auto connects = [](std::uint32_t domain) {
        Program client(domain);
        int made = 0;
        while (auto end = client.connect(name_of("127.44.0.1", 80))) ++made;
        EXPECT_EQ(client.last_reason, Reason::quota_reached);
        return made;
    };
    EXPECT_EQ(connects(2), 2);
    EXPECT_EQ(connects(3), 1);
    EXPECT_EQ(connects(4), 2);  // a slab of two rings of 2 MiB, and its header
}

TEST_F(AgentConfiguration, what_is_closed_counts_no_more) {
    AgentProcess server_agent(1);
    AgentProcess client_agent(2, [](agent::Options& options) { options.settings.max_ends = 1; });
    ASSERT_TRUE(server_agent.is_serving() && client_agent.is_serving());
    Program server(1);
    Program client(2);
    const std::uint64_t listener = server.listen(name_of("0.0.0.0", 80), 1);
    for (int i = 0; i < 50; ++i) {
        auto client_end = client.connect(name_of("127.44.0.1", 80));
        auto server_end = server.accept(listener);
        ASSERT_TRUE(client_end && server_end) << i;
        EXPECT_TRUE(client_end->send("x"));
        EXPECT_EQ(server_end->receive(), "x") << "a reused slab must be as new";
        EXPECT_EQ(server_end->receive(), "(nothing)");
        client.release(client_end->id);
        server.release(server_end->id);
        ASSERT_TRUE(server.settle() && client.settle());
    }
}

}  // namespace
}  // namespace xylem::agent_test
