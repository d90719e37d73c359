// Many at once: a program that dies with all its connections, programs that come and go, agents that must not
// leak what they gave.
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <filesystem>
#include <set>

#include "tests/control/child_program.hpp"
#include "tests/control/scripted_client.hpp"
#include "tests/control/two_domains.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::agent_test {
namespace {

constexpr int kMany = 400;

class ManyAtOnce : public TwoDomains {
  protected:
    static std::size_t descriptors_of(const AgentProcess& agent) {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry :
             std::filesystem::directory_iterator("/proc/" + std::to_string(agent.pid()) + "/fd")) {
            ++count;
        }
        return count;
    }

    Program server_{1};
    std::uint64_t listener_ = server_.listen(name_of("0.0.0.0", 80), 1, 4096);
};

TEST_F(ManyAtOnce, a_program_that_dies_with_all_its_connections_wakes_every_peer) {
    ChildProgram child([] {
        auto* program = new Program(2);
        for (int i = 0; i < kMany; ++i) (void)program->connect(name_of("127.44.0.1", 80)).release();
    });
    const auto area = make_sealed_memfd("area", kDoorbellAreaBytes);
    const auto memory = Mapping::shared(area->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    const auto bell = make_local_bell();
    const std::uint32_t id = server_.bell_new(2, bell->kicker.get(), area->get());
    ReadyArea ready(memory->as<DoorbellArea>());
    ready.set_sleeping(true);
    std::vector<std::unique_ptr<AttachedEnd>> ends;
    for (int i = 0; i < kMany; ++i) {
        ends.push_back(server_.accept(listener_));
        ASSERT_TRUE(ends.back()) << i;
        ends.back()
            ->stream.waiters(Direction::readable)
            .claim(WaitToken(id, static_cast<std::uint16_t>(i), 1));
    }
    child.kill();
    for (int i = 0; i < kMany; ++i) {
        EXPECT_TRUE(eventually([&] { return ends[static_cast<std::size_t>(i)]->receive() == "(end)"; })) << i;
    }
    EXPECT_TRUE(eventually([&] { return is_readable(bell->waiter.get()); }));
    std::set<unsigned> seen;
    EXPECT_TRUE(eventually([&] {
        ready.collect(true, [&](unsigned index) { seen.insert(index); });
        return seen.size() == kMany;
    })) << seen.size();
    EXPECT_TRUE(server_.settle());
}

TEST_F(ManyAtOnce, nothing_is_left_of_programs_that_came_and_went) {
    const auto round = [&] {
        ChildProgram client([] {
            auto* program = new Program(2);
            const auto bell = make_local_bell();
            for (int i = 0; i < 50; ++i) (void)program->connect(name_of("127.44.0.1", 80)).release();
            for (int i = 0; i < 50; ++i) program->bell_new(1, bell->kicker.get());
        });
        for (int i = 0; i < 50; ++i) {
            auto end = server_.accept(listener_);
            ASSERT_TRUE(end);
            if (i % 2 == 0) server_.release(end->id);
        }
        client.kill();
    };
    round();
    server_.hang_up();
    const auto settled = [&](std::size_t limit) {
        return eventually(
            [&] { return descriptors_of(agent_1_) <= limit && descriptors_of(agent_2_) <= limit; });
    };
    // What stays: sockets, the map, a few idle slabs of the pool.
    Program again(1);
    EXPECT_TRUE(settled(100)) << descriptors_of(agent_1_) << " " << descriptors_of(agent_2_);
}

TEST_F(ManyAtOnce, an_agent_that_runs_out_of_descriptors_goes_on_with_what_it_has) {
    AgentProcess small(3, {}, [] {
        const rlimit limit{128, 128};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    });
    ASSERT_TRUE(small.is_serving());
    std::vector<std::unique_ptr<ScriptedClient>> clients;
    for (int i = 0; i < 300; ++i) {
        auto dialled = dial(agent_socket(3).text);
        if (dialled) clients.push_back(std::make_unique<ScriptedClient>(3));
    }
    clients.clear();
    EXPECT_TRUE(eventually([] {
        auto socket = dial(agent_socket(3).text);
        return socket.has_value();
    }));
    EXPECT_FALSE(small.has_ended());
    EXPECT_TRUE(eventually([] {
        ScriptedClient client(3);
        auto hello = ScriptedClient::make<HelloMessage>(SessionMessage::hello);
        auto got = client.ask(hello);
        return got && got->header().type == static_cast<std::uint16_t>(SessionMessage::welcome);
    }));
}

}  // namespace
}  // namespace xylem::agent_test
