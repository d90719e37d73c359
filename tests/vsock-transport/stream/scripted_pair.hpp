// Two ends of a connection and a ringer that does what the test says whenever a doorbell is rung. A kick
// happens under the lock of its direction: the place to let signals and other threads in.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/support/stream_memory.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem {

struct ScriptedRinger : BellRinger {
    ScriptedRinger() : BellRinger{ring_one} {}

    static bool ring_one(BellRinger& self, const EndPage&, std::uint32_t domain, WaitToken token) {
        auto& ringer = static_cast<ScriptedRinger&>(self);
        ringer.rung.push_back({domain, token.bits()});
        if (ringer.script) ringer.script();
        return true;
    }

    std::vector<std::pair<std::uint32_t, std::uint64_t>> rung;
    std::function<void()> script;
};

class ScriptedPair : public testing::Test {
  protected:
    static constexpr std::uint64_t kRing = 4096;

    Result<std::size_t> send(Stream& stream, std::size_t length) {
        std::vector<std::byte> bytes(length, std::byte{42});
        const iovec vector{bytes.data(), length};
        IoCursor source(&vector, 1);
        return stream.send_some(source);
    }
    Result<std::size_t> receive(Stream& stream, std::size_t length, ReceiveMode mode = ReceiveMode::consume) {
        std::vector<std::byte> bytes(length);
        const iovec vector{bytes.data(), length};
        IoCursor destination(&vector, 1);
        return stream.receive_some(destination, mode);
    }
    // Somebody of that end sleeps, so that the other end rings.
    void show_waiter(Stream& stream, Direction direction) {
        EXPECT_NE(stream.waiters(direction).claim(WaitToken(7, 0, 1)), WaiterSlots::kNone);
    }
    static std::uint32_t published_state(const Mapping& slab, unsigned side) {
        return testing_support::block_of(slab, side).producer.state.load_acquire();
    }

    testing_support::StreamMemory memory_{{{kRing, kRing}}, 0};
    ScriptedRinger bells_[2];
    Stream near_ = memory_.open(0, bells_[0]);
    Stream far_ = memory_.open(1, bells_[1]);
    Mapping slab_ = memory_.map_slab();
};

}  // namespace xylem
