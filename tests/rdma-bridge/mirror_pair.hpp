// Two slabs and two mirrors with a wire between them that the test is: programs at the outer ends see one
// connection.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "rdma-bridge/mirror.hpp"
#include "tests/support/byte_pattern.hpp"
#include "tests/support/stream_memory.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem::bridge {

using testing_support::block_of;
using testing_support::Pattern;
using testing_support::Random;
using testing_support::StreamMemory;

struct SilentRinger : BellRinger {
    SilentRinger()
        : BellRinger{[](BellRinger&, const EndPage&, std::uint32_t, WaitToken) { return false; }} {}
};

class MirrorTest : public testing::Test {
  protected:
    static constexpr std::uint64_t kRing = 4096;

    static Mirror mirror_of(const StreamMemory& memory, unsigned home_side) {
        auto made = Mirror::make(memory.map_slab(), memory.geometry(), home_side);
        EXPECT_TRUE(made);
        return std::move(*made);
    }

    // What `from` has to say goes to `to`, in pieces of no more than most_bytes. False: a mirror refused it.
    static bool carry(Mirror& from, Mirror& to, std::size_t most_bytes = kRing) {
        if (!from.look()) return false;
        while (from.unsent_bytes() > 0) {
            const Mirror::Stretch bytes = from.unsent(most_bytes);
            std::vector<std::byte> frame(bytes.first, bytes.first + bytes.first_bytes);
            frame.insert(frame.end(), bytes.second, bytes.second + bytes.second_bytes);
            Cursor cursor = from.cursor();
            for (std::size_t done = 0; done < frame.size();) {
                const Mirror::Room room = to.room(cursor, frame.size() - done);
                if (room.bytes == nullptr) return false;
                std::memcpy(room.bytes, frame.data() + done, room.size_bytes);
                to.note_received(room.size_bytes);
                cursor += room.size_bytes;
                done += room.size_bytes;
            }
            from.note_sent(frame.size());
        }
        if (!to.apply(from.published())) return false;
        to.publish();
        return true;
    }
    void carry_all() {
        for (int i = 0; i < 2; ++i) {
            ASSERT_TRUE(carry(here_, there_));
            ASSERT_TRUE(carry(there_, here_));
        }
    }

    static Result<std::size_t> send(Stream& stream, std::span<const std::byte> bytes) {
        const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
        IoCursor source(&vector, 1);
        return stream.send_some(source);
    }
    static Result<std::size_t> receive(Stream& stream, std::span<std::byte> bytes) {
        const iovec vector{bytes.data(), bytes.size()};
        IoCursor destination(&vector, 1);
        return stream.receive_some(destination, ReceiveMode::consume);
    }

    StreamMemory here_memory_{{{kRing, kRing}}, 0};
    StreamMemory there_memory_{{{kRing, kRing}}, 0};
    SilentRinger ringer_;
    Stream caller_ = here_memory_.open(0, ringer_);
    Stream answerer_ = there_memory_.open(1, ringer_);
    Mirror here_ = mirror_of(here_memory_, 0);
    Mirror there_ = mirror_of(there_memory_, 1);
};

}  // namespace xylem::bridge
