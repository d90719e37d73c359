// What goes over a link when there is more than it takes, and what a program here is shown of it.
#include <algorithm>

#include "tests/rdma-bridge/bridge_scene.hpp"

namespace xylem::bridge {
namespace {

using Carrying = BridgeScene;

TEST_F(Carrying, connections_that_never_run_dry_get_the_same_of_a_link_that_is_full) {
    constexpr std::uint64_t kRing = 2 << 20;
    constexpr std::uint64_t kConnections = 8;
    far_->listen(4096);
    std::vector<Opened> opened;
    for (std::uint64_t id = 1; id <= kConnections; ++id) {
        opened.emplace_back().end = agent_->connect(id, kRing);
        if (id == 1) {
            ASSERT_TRUE(far_->accept());
        }
        opened.back().end.view.own->producer.head.store_release(kRing);
    }
    for (std::uint64_t id = 1; id <= kConnections; ++id) ASSERT_NE(answer_open(), 0U);
    std::uint64_t received = 0;
    ASSERT_TRUE(until([&] {
        far_->read(64 << 10);
        received = 0;
        for (const auto& [number, bytes] : far_->received_bytes) received += bytes;
        return received >= kConnections * kRing / 2;
    }));
    ASSERT_EQ(far_->received_bytes.size(), kConnections);
    const auto [least, most] =
        std::minmax_element(far_->received_bytes.begin(), far_->received_bytes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_GE(least->second + 2 * kMostDataBytes, most->second);
}

}  // namespace
}  // namespace xylem::bridge
