// Reading what one program captured (control/protocol/capture_layout.h). The program may write anything
// there: what cannot be is the end of its capture, and no more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/protocol/capture_layout.h"
#include "vsock-transport/base/mapping.hpp"

namespace xylem::cli {

// A record that was read, its fields as there.
struct CapturedPiece {
    std::shared_ptr<const std::string> program;  // in words, of whoever moved it
    CaptureKind kind{};
    std::uint64_t time_ns = 0;     // not later than when it was read
    std::uint64_t read_at_ns = 0;  // by the monotonic clock
    std::uint64_t end_id = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
    std::uint32_t use = 0;
    std::uint32_t moved_bytes = 0;
    SocketName local{};
    SocketName peer{};
    std::string payload;  // the first bytes of the piece, or all
};

class CaptureReader {
  public:
    // A record that is not whole after so many reads and so long a time never will be. Both, since the reader
    // may be in a hurry, and the machine may have been stopped.
    static constexpr unsigned kMostVainReads = 1000;
    static constexpr std::uint64_t kMostVainNs = 1'000'000'000;

    // Of a session page. What lies there before `begin` is of an earlier capture, and passed over; and so
    // many pieces had been lost by then.
    CaptureReader(std::string program, Mapping page, std::uint64_t begin, std::uint64_t lost_before);

    // Appends what has come until now, which the monotonic clock calls now_ns.
    void read(std::vector<CapturedPiece>& pieces, std::uint64_t now_ns);
    // After the last time. Capturing ends, whether the agent can say so or not.
    void finish();
    void rename(std::string program);

    std::uint64_t lost_pieces() const { return area().lost_pieces.load_relaxed() - lost_before_ + skipped_; }
    // Of what was skipped nobody knows how many pieces it was.
    bool has_skipped() const { return skipped_ > 0; }
    bool is_broken() const { return is_broken_; }
    const std::string& program() const { return *program_; }

  private:
    enum class Look : std::uint8_t { taken, nothing, not_whole, broken };

    CaptureArea& area() const;
    Look look(std::uint64_t head, std::vector<CapturedPiece>& pieces);
    bool take(const std::byte* place, std::size_t size_bytes, std::vector<CapturedPiece>& pieces) const;
    void give_back(std::uint64_t size_bytes);
    void skip_what_never_ends(std::uint64_t head, std::uint64_t now_ns);

    std::shared_ptr<const std::string> program_;
    Mapping page_;
    std::uint64_t tail_;  // the truth; the page's is what the program is told
    std::uint64_t lost_before_;
    std::uint64_t skipped_ = 0;
    unsigned vain_reads_ = 0;
    std::uint64_t vain_since_ns_ = 0;
    bool is_broken_ = false;
};

}  // namespace xylem::cli
