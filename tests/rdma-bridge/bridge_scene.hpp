// A whole bridge in a fabric of its own, between an agent and another node that the test scripts.
#pragma once

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "rdma-bridge/bridge.hpp"
#include "tests/rdma-bridge/far_node.hpp"
#include "tests/rdma-bridge/home_agent.hpp"
#include "tests/support/scratch_directory.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {

class BridgeScene : public testing::Test {
  protected:
    static constexpr std::uint64_t kPatienceNs = 20 * kNsPerSecond;  // of a test

    void SetUp() override {
        spdlog::set_level(spdlog::level::off);
        for (const char* variable : {"XYLEM_RUNTIME_DIR", "XYLEM_FABRIC_DIR"})
            ::setenv(variable, scratch_.path().c_str(), 1);
        start_bridge();
        far_ = std::make_unique<FarNode>(address(2), address(1), kKeyBytes, until_);
        start_agent();
    }
    void TearDown() override {
        agent_.reset();
        bridge_.reset();
        for (const char* variable : {"XYLEM_RUNTIME_DIR", "XYLEM_FABRIC_DIR"}) ::unsetenv(variable);
        spdlog::set_level(spdlog::level::info);
    }
    void start_bridge() {
        bridge_.reset();
        settings_.listen = address(1);
        bridge_ = std::make_unique<Bridge>(*poller_, NodeKey(kKeyBytes), settings_);
        std::string error;
        ASSERT_TRUE(bridge_->begin(error)) << error;
    }
    void start_agent() {
        agent_.reset();
        agent_ = std::make_unique<HomeAgent>(remote_domain(number_of_node(address(2).c_str()), 2), until_);
        ASSERT_TRUE(agent_->dial());
    }
    // Two tests may run beside each other.
    static std::string address(unsigned node) {
        const unsigned pid = static_cast<unsigned>(::getpid());
        return "127." + std::to_string(64 + pid / 256 % 64) + "." + std::to_string(pid % 256) + "." +
               std::to_string(node);
    }
    bool until(const std::function<bool()>& is_so) { return until_(is_so); }
    void turns(unsigned count) {
        for (unsigned i = 0; i < count; ++i) bridge_->turn();
    }
    // The number of the connection in the frame that asks for it, which is answered.
    std::uint32_t answer_open(Reason reason = Reason::ring) {
        const auto open = far_->hear<OpenFrame>(FrameKind::open);
        if (!open) return 0;
        auto opened = make_frame<OpenedFrame>(FrameKind::opened, open->header.connection);
        opened.reason = static_cast<std::uint32_t>(reason);
        far_->say(opened);
        return open->header.connection;
    }
    struct Opened {
        HomeEnd end;
        std::uint32_t number = 0;
    };
    // The far node listens, and is connected or about to be.
    Opened open(std::uint64_t connection_id, std::uint64_t ring_bytes = 4096) {
        Opened opened;
        opened.end = agent_->connect(connection_id, ring_bytes);
        if (!has_met_) has_met_ = far_->accept();
        opened.number = answer_open();
        EXPECT_EQ(agent_->answer(), Reason::ring);
        return opened;
    }

    static inline const std::string kKeyBytes = std::string(32, 'k');
    const ScratchDirectory scratch_;
    std::unique_ptr<Poller> poller_ = std::move(*Poller::make());
    const FarNode::Until until_ = [this](const std::function<bool()>& is_so) {
        for (const std::uint64_t deadline = now_ns() + kPatienceNs; !is_so();) {
            if (now_ns() > deadline) return false;
            bridge_->turn();
        }
        return true;
    };
    Settings settings_;
    std::unique_ptr<Bridge> bridge_;
    std::unique_ptr<FarNode> far_;
    std::unique_ptr<HomeAgent> agent_;
    bool has_met_ = false;
};

}  // namespace xylem::bridge
