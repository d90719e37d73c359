// Doorbells: the kicker's side, and the flag area between the two.
#include "vsock-transport/wakeup/doorbell.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

class Bell : public testing::Test {
  protected:
    void SetUp() override {
        Result<LocalBell> bell = make_local_bell();
        waiter_ = std::move(bell->waiter);
        kicker_ = std::move(bell->kicker);
        const Result<UniqueFd> fd = make_sealed_memfd("test", kDoorbellAreaBytes);
        owners_ = std::move(*Mapping::shared(fd->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE));
        kickers_ = std::move(*Mapping::shared(fd->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE));
    }
    void install_set() { bell_.install(KickKind::local_socket, std::move(kicker_), std::move(kickers_)); }
    ReadyArea area() { return ReadyArea(owners_.as<DoorbellArea>()); }
    std::set<unsigned> collect(bool full_scan = false) {
        std::set<unsigned> found;
        area().collect(full_scan, [&](unsigned index) { EXPECT_TRUE(found.insert(index).second); });
        return found;
    }

    UniqueFd waiter_, kicker_;
    Mapping owners_, kickers_;
    Doorbell bell_;
};

TEST_F(Bell, of_a_set_marks_and_kicks_only_a_sleeping_owner_and_once) {
    install_set();
    EXPECT_FALSE(bell_.ring(WaitToken(1, 3, 0))) << "awake";
    EXPECT_TRUE(area().has_ready());
    area().set_sleeping(true);
    EXPECT_FALSE(bell_.ring(WaitToken(1, 3, 0))) << "marked already";
    EXPECT_TRUE(bell_.ring(WaitToken(1, 64, 0)));
    EXPECT_FALSE(bell_.ring(WaitToken(1, 65, 0))) << "the flag is taken";
    EXPECT_EQ(collect(), (std::set<unsigned>{3, 64, 65}));
    EXPECT_FALSE(area().has_ready());
    EXPECT_TRUE(collect(true).empty());
}

TEST_F(Bell, of_a_set_carries_every_index_and_refuses_those_outside) {
    install_set();
    std::set<unsigned> all;
    for (unsigned i = 0; i < kReadyBits; i += 61) all.insert(i);
    all.insert(kReadyBits - 1);
    area().set_sleeping(true);
    for (const unsigned i : {kReadyBits, kReadyBits + 1, 0xFFFFU}) {
        EXPECT_FALSE(bell_.ring(WaitToken(1, static_cast<std::uint16_t>(i), 0)));
    }
    EXPECT_FALSE(area().has_ready());
    for (const unsigned i : all) bell_.ring(WaitToken(1, static_cast<std::uint16_t>(i), 0));
    EXPECT_EQ(collect(), all);
}

TEST_F(Bell, of_a_set_a_full_scan_finds_what_a_dead_kicker_left_without_a_summary) {
    owners_.as<DoorbellArea>()->ready[200].fetch_or(1ULL << 63);
    EXPECT_TRUE(collect(false).empty());
    EXPECT_EQ(collect(true), std::set<unsigned>{200 * 64 + 63});
}

TEST_F(Bell, of_a_set_loses_no_bit_between_a_kicker_and_a_collector) {
    install_set();
    std::thread kicker([&] {
        for (std::uint16_t i = 0; i < 10'000; ++i) bell_.ring(WaitToken(1, i, 0));
    });
    std::set<unsigned> found;
    while (found.size() < 10'000) found.merge(collect());
    kicker.join();
}

TEST_F(Bell, of_a_thread_is_kicked_once_for_each_token) {
    bell_.install(KickKind::local_socket, std::move(kicker_), Mapping());
    EXPECT_TRUE(bell_.ring(WaitToken(5, 0, 1)));
    EXPECT_FALSE(bell_.ring(WaitToken(5, 0, 1)));
    EXPECT_TRUE(bell_.ring(WaitToken(5, 0, 2)));
    EXPECT_TRUE(bell_.ring(WaitToken(5, 0, 1))) << "65,536 sleeps later the epoch is back";
    EXPECT_TRUE(bell_.uninstall());
    EXPECT_FALSE(bell_);
    EXPECT_FALSE(bell_.ring(WaitToken(5, 0, 3)));
}

TEST_F(Bell, whose_event_channel_is_closed_says_so_until_it_is_found_anew) {
    EXPECT_FALSE(bell_.is_closed());
    bell_.install(KickKind::event_channel, std::move(kicker_), Mapping(), 5);  // no such device
    EXPECT_FALSE(bell_.ring(WaitToken(5, 0, 1)));
    EXPECT_TRUE(bell_.is_closed());
    bell_.install(KickKind::local_socket, std::move(waiter_), Mapping());
    EXPECT_FALSE(bell_.is_closed());
}

TEST_F(Bell, whose_area_did_not_come_along_leaves_alone_what_is_in_its_place) {
    std::byte* address = kickers_.bytes();
    install_set();
    EXPECT_FALSE(bell_.has_lost_area());
    ASSERT_EQ(::munmap(address, kDoorbellAreaBytes), 0);
    EXPECT_TRUE(bell_.has_lost_area());
    bell_.forget_area();
    EXPECT_FALSE(bell_.has_lost_area());
    const Mapping other(::mmap(address, kDoorbellAreaBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
                        kDoorbellAreaBytes);
    ASSERT_EQ(other.bytes(), address);
    EXPECT_TRUE(bell_.uninstall());
    EXPECT_FALSE(other.is_lost());
}

TEST_F(Bell, that_somebody_else_passes_on_is_closed_once_he_is_gone) {
    bell_.install(KickKind::relayed, std::move(kicker_), Mapping());
    EXPECT_TRUE(bell_.ring(WaitToken(1, 0, 1)));
    EXPECT_FALSE(bell_.is_closed());
    waiter_.reset();
    EXPECT_FALSE(bell_.ring(WaitToken(1, 0, 2)));
    EXPECT_TRUE(bell_.is_closed());
}

}  // namespace
}  // namespace xylem
