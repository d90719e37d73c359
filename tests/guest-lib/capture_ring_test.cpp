#include "guest-lib/capture_ring.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <thread>

#include "control/cli/capture_reader.hpp"
#include "guest-lib/session_page.hpp"

namespace xylem {
namespace {

using cli::CapturedPiece;
using cli::CaptureReader;

const SocketName kHere{AF_INET, 1000, {127, 44, 0, 1}, 0, 0};
const SocketName kThere{AF_INET, 2000, {127, 44, 0, 2}, 0, 0};

CaptureText text_of(std::uint64_t end_id, std::uint64_t sent_bytes) {
    return {CaptureKind::sent, 5, end_id, sent_bytes, 7, 3, kHere, kThere};
}

class CaptureRingTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(make_session_page(fd_, page_));
        area().snap_bytes.store_relaxed(~0U);
        begin_reading();
    }
    CaptureArea& area() { return page_.as<SessionPage>()->capture; }
    void begin_reading() {
        reader_.emplace("program", shared(), area().head.load_acquire(), area().lost_pieces.load_relaxed());
    }
    Mapping shared() {
        return std::move(*Mapping::shared(fd_.get(), sizeof(SessionPage), PROT_READ | PROT_WRITE));
    }
    bool write(const std::string& bytes, std::uint64_t end_id = 1, std::uint64_t sent_bytes = 0) {
        const iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
        IoCursor payload(&vector, 1);
        return write_capture(area(), text_of(end_id, sent_bytes), bytes.size(), payload);
    }
    std::vector<CapturedPiece> read(std::uint64_t now_ns = 1) {
        std::vector<CapturedPiece> pieces;
        reader_->read(pieces, now_ns);
        return pieces;
    }
    CaptureRecord& first_record() { return *reinterpret_cast<CaptureRecord*>(area().ring); }

    UniqueFd fd_;
    Mapping page_;
    std::optional<CaptureReader> reader_;
};

TEST_F(CaptureRingTest, what_is_written_is_read) {
    ASSERT_TRUE(write("hello", 42, 1000));
    const auto pieces = read();
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].kind, CaptureKind::sent);
    EXPECT_EQ(pieces[0].time_ns, 5U);
    EXPECT_EQ(pieces[0].end_id, 42U);
    EXPECT_EQ(pieces[0].sent_bytes, 1000U);
    EXPECT_EQ(pieces[0].received_bytes, 7U);
    EXPECT_EQ(pieces[0].use, 3U);
    EXPECT_EQ(pieces[0].moved_bytes, 5U);
    EXPECT_EQ(pieces[0].payload, "hello");
    EXPECT_EQ(pieces[0].local.port, 1000U);
    EXPECT_EQ(pieces[0].peer.port, 2000U);
    EXPECT_EQ(*pieces[0].program, "program");
    EXPECT_TRUE(read().empty());
}

TEST_F(CaptureRingTest, of_long_pieces_the_first_bytes_are_enough) {
    area().snap_bytes.store_relaxed(3);
    ASSERT_TRUE(write("hello"));
    const auto pieces = read();
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].payload, "hel");
    EXPECT_EQ(pieces[0].moved_bytes, 5U);
}

TEST_F(CaptureRingTest, what_an_earlier_capture_left_is_passed_over) {
    ASSERT_TRUE(write("old"));
    begin_reading();
    ASSERT_TRUE(write("new"));
    const auto pieces = read();
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].payload, "new");
}

TEST_F(CaptureRingTest, records_go_round_the_ring_whole) {
    std::uint64_t count = 0;
    for (std::uint64_t moved = 0; moved < 5 * kCaptureRingBytes; ++count) {
        const std::string bytes(count * 7919 % (kMaxPieceBytes + 1), static_cast<char>('a' + count % 26));
        ASSERT_TRUE(write(bytes, count));
        if (count % 3 == 2) {
            const auto pieces = read();
            ASSERT_EQ(pieces.size(), 3U);
            EXPECT_EQ(pieces[2].payload, bytes);
            EXPECT_EQ(pieces[0].end_id, count - 2);
        }
        moved += bytes.size();
    }
    EXPECT_GT(count, 600U);
    EXPECT_EQ(reader_->lost_pieces(), 0U);
    EXPECT_FALSE(reader_->is_broken());
}

TEST_F(CaptureRingTest, what_finds_no_room_is_counted_and_the_ring_goes_on) {
    const std::string bytes(kMaxPieceBytes, 'x');
    std::size_t written = 0;
    while (write(bytes, written)) ++written;
    EXPECT_GT(written, 120U);
    EXPECT_FALSE(write(bytes));
    EXPECT_EQ(reader_->lost_pieces(), 2U);
    EXPECT_EQ(read().size(), written);
    EXPECT_TRUE(write(bytes));
    EXPECT_EQ(read().size(), 1U);
    EXPECT_EQ(reader_->lost_pieces(), 2U);
}

TEST_F(CaptureRingTest, threads_write_at_once_and_nothing_is_torn) {
    constexpr std::uint64_t kWriters = 4;
    constexpr std::uint64_t kPieces = 20'000;
    std::vector<std::thread> writers;
    AtomicU64 finished;
    for (std::uint64_t writer = 1; writer <= kWriters; ++writer) {
        writers.emplace_back([this, writer, &finished] {
            for (std::uint64_t i = 0; i < kPieces; ++i) {
                write(std::string(i * writer % 700, static_cast<char>(i)), writer, i);
            }
            finished.fetch_add(1);
        });
    }
    std::uint64_t next[kWriters + 1]{};
    std::uint64_t seen = 0;
    bool is_last = false;
    while (!is_last) {
        is_last = finished.load_acquire() == kWriters;
        for (const CapturedPiece& piece : read()) {
            ASSERT_GE(piece.end_id, 1U);
            ASSERT_LE(piece.end_id, kWriters);
            ASSERT_GE(piece.sent_bytes, next[piece.end_id]);
            next[piece.end_id] = piece.sent_bytes + 1;
            ASSERT_EQ(piece.payload, std::string(piece.sent_bytes * piece.end_id % 700,
                                                 static_cast<char>(piece.sent_bytes)));
            ++seen;
        }
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_FALSE(reader_->is_broken());
    EXPECT_EQ(seen + reader_->lost_pieces(), kWriters * kPieces);
}

TEST_F(CaptureRingTest, a_record_that_never_becomes_whole_is_skipped_after_a_while) {
    ASSERT_TRUE(write("torn"));
    first_record().size_bytes.store_release(0);
    ASSERT_TRUE(write("behind"));
    for (unsigned i = 0; i < 2 * CaptureReader::kMostVainReads; ++i) EXPECT_TRUE(read(1).empty());
    EXPECT_FALSE(reader_->has_skipped()) << "the reader is in a hurry";
    EXPECT_TRUE(read(1 + CaptureReader::kMostVainNs).empty());
    EXPECT_TRUE(reader_->has_skipped());
    ASSERT_TRUE(write("later"));
    const auto pieces = read();
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].payload, "later");
}

TEST_F(CaptureRingTest, a_reader_that_was_stopped_waits_for_the_program_too) {
    ASSERT_TRUE(write("torn"));
    first_record().size_bytes.store_release(0);
    EXPECT_TRUE(read(1).empty());
    EXPECT_TRUE(read(100 * CaptureReader::kMostVainNs).empty());
    EXPECT_FALSE(reader_->has_skipped());
}

TEST_F(CaptureRingTest, what_is_written_while_the_reader_begins_is_read) {
    ASSERT_TRUE(write("old"));
    const std::uint64_t begin = area().head.load_acquire();
    ASSERT_TRUE(write("new"));
    reader_.emplace("program", shared(), begin, 0);
    const auto pieces = read();
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].payload, "new");
}

TEST_F(CaptureRingTest, what_is_left_behind_at_the_end_counts_as_lost) {
    ASSERT_TRUE(write("torn"));
    first_record().size_bytes.store_release(0);
    EXPECT_TRUE(read().empty());
    area().is_on.store_release(1);
    reader_->finish();
    EXPECT_EQ(reader_->lost_pieces(), 1U);
    EXPECT_EQ(area().is_on.load_relaxed(), 0U);
}

// What a program can write into its own page.
class CaptureLies : public CaptureRingTest, public testing::WithParamInterface<void (*)(CaptureArea&)> {};

CaptureRecord& record_of(CaptureArea& area) { return *reinterpret_cast<CaptureRecord*>(area.ring); }

TEST_P(CaptureLies, end_the_capture_and_no_more) {
    ASSERT_TRUE(write("hello"));
    GetParam()(area());
    EXPECT_TRUE(read().empty());
    EXPECT_TRUE(reader_->is_broken());
    write("more");
    EXPECT_TRUE(read().empty());
}

INSTANTIATE_TEST_SUITE_P(
    all, CaptureLies,
    testing::Values([](CaptureArea& area) { area.head.store_release(kCaptureRingBytes + 8); },
                    [](CaptureArea& area) { area.head.store_release(~0ULL); },
                    [](CaptureArea& area) { area.head.store_release(129); },
                    [](CaptureArea& area) { record_of(area).size_bytes.store_release(64); },
                    [](CaptureArea& area) { record_of(area).size_bytes.store_release(129); },
                    [](CaptureArea& area) { record_of(area).size_bytes.store_release(~7U); },
                    [](CaptureArea& area) { record_of(area).stored_bytes = 9; },
                    [](CaptureArea& area) { record_of(area).stored_bytes = ~0U; },
                    [](CaptureArea& area) { record_of(area).moved_bytes = 4; },
                    [](CaptureArea& area) { record_of(area).moved_bytes = ~0U; }));

}  // namespace
}  // namespace xylem
