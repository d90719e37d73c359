// Carving and opening: nothing that does not hold together is accepted, and the slab's own header is not
// asked.
#include "vsock-transport/stream/region.hpp"

#include <cstring>

#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

using testing_support::StreamMemory;

TEST(region, has_room_for_both_rings_of_every_size_without_overlap) {
    for (std::uint64_t a = kMinRingSizeBytes; a <= kMaxRingSizeBytes; a *= 2) {
        for (std::uint64_t b = kMinRingSizeBytes; b <= kMaxRingSizeBytes; b *= 2) {
            const SlabGeometry geometry{{a, b}};
            ASSERT_TRUE(geometry.is_valid());
            EXPECT_EQ(geometry.ring_offset(0), kRingsOffsetBytes);
            EXPECT_EQ(geometry.ring_offset(1), kRingsOffsetBytes + a);
            EXPECT_EQ(geometry.slab_bytes(), kRingsOffsetBytes + a + b);
        }
    }
}

TEST(region, gives_each_side_its_own_block_and_rings_crosswise) {
    const StreamMemory memory({{4096, 8192}}, 0);
    const Mapping slab = memory.map_slab();
    const Result<SlabView> zero = carve(slab, memory.geometry(), 0);
    const Result<SlabView> one = carve(slab, memory.geometry(), 1);
    ASSERT_TRUE(zero && one);
    EXPECT_EQ(zero->own, one->peer);
    EXPECT_EQ(zero->peer, one->own);
    EXPECT_EQ(zero->tx_ring, one->rx_ring);
    EXPECT_EQ(one->tx_ring, zero->rx_ring);
    EXPECT_EQ(one->tx_ring + 8192, slab.bytes() + memory.geometry().slab_bytes());
}

TEST(region, refuses_what_does_not_hold_together) {
    const StreamMemory memory({{4096, 4096}}, 0);
    const Mapping slab = memory.map_slab();
    EXPECT_FALSE(carve(slab, memory.geometry(), 2).has_value());
    EXPECT_FALSE(carve(Mapping(), memory.geometry(), 0).has_value());
    EXPECT_FALSE(carve(slab, {{4096, 16384}}, 0).has_value()) << "mapping too small";
    EXPECT_FALSE(carve(slab, {{0, 4096}}, 0).has_value());
    EXPECT_FALSE(carve(slab, {{4096, ~std::uint64_t{0} - 4095}}, 0).has_value()) << "sizes that overflow";
}

TEST(region, does_not_ask_the_header_that_the_peer_can_write) {
    const StreamMemory memory({{4096, 4096}}, 0);
    const Mapping slab = memory.map_slab();
    std::memset(slab.bytes(), 0xFF, sizeof(SlabHeader));
    ScriptedRinger bells;
    EXPECT_TRUE(Stream::open(memory.map_slab(), memory.map_page(0), bells).has_value());
}

TEST(region, a_stream_opens_only_on_an_end_page_of_its_kind) {
    const StreamMemory memory({{4096, 4096}}, 0);
    ScriptedRinger bells;
    const auto opens = [&] { return Stream::open(memory.map_slab(), memory.map_page(0), bells).has_value(); };
    const Mapping page_memory = memory.map_page(0);
    EndPage& page = *page_memory.as<EndPage>();
    EXPECT_TRUE(opens());
    page.magic ^= 1;
    EXPECT_FALSE(opens());
    page.magic ^= 1;
    ++page.version;
    EXPECT_FALSE(opens());
    --page.version;
    page.side = 2;
    EXPECT_FALSE(opens());
    page.side = 0;
    page.ring_size_bytes[1] = 4095;
    EXPECT_FALSE(opens());
    EXPECT_FALSE(Stream::open(memory.map_slab(), Mapping(), bells).has_value());
}

}  // namespace
}  // namespace xylem
