// Which copy is the faster way to the peer: cached or streaming (bulk_copy.hpp). No processor says how far it
// is from another, least of all a virtual one that its host moves about, so the producer measures: what a
// byte costs is the time to copy it plus the time that a full ring made the producer wait. The second is the
// consumer's time, so the sum is right whichever side is the slower one; a program that is slower than both
// shows in neither.
//
//   settled ──every n-th window──> warming ──> trying ──faster: settled in the other mode, n = kTryFirst
//      ^                                         │
//      └──────────────── returning <─────────────┘ no faster: n doubles, up to kTryLast
//
// A window is two ring lengths of bulk, at least kLeastWindowBytes. Those of warming and returning are not
// counted: the ring still holds lines that lie where the other mode put them. A mode that has become much
// dearer is tried against the other at once. All zero is the initial state. Under the end's transmit lock;
// advisory, any value is safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace xylem {

class CopyPolicy {
  public:
    static constexpr std::uint32_t kTryFirst = 8;
    static constexpr std::uint32_t kMostDoublings = 7;  // kTryLast = 1024
    static constexpr std::uint64_t kLeastWindowBytes = 1 << 20;
    static constexpr std::uint64_t kLongestNs = 5'000'000;  // one piece that took longer was stopped

    bool is_streaming() const { return streaming_ != 0; }

    // The ring was found full.
    void ring_full(std::uint64_t now_ns) {
        if (full_since_ns_ == 0) full_since_ns_ = now_ns;
    }

    // length bytes were copied from start_ns to end_ns into a ring of ring_bytes.
    void copied(std::size_t length, std::uint64_t start_ns, std::uint64_t end_ns, std::uint64_t ring_bytes) {
        window_ns_ += std::min(end_ns - (full_since_ns_ != 0 ? full_since_ns_ : start_ns), kLongestNs);
        window_bytes_ += length;
        full_since_ns_ = 0;
        if (window_bytes_ >= std::max(2 * ring_bytes, kLeastWindowBytes)) end_window();
    }

  private:
    enum class Phase : std::uint32_t { settled, warming, trying, returning };

    void end_window() {
        const std::uint64_t cost = (window_ns_ << 20) / window_bytes_;  // nanoseconds a MiB
        window_ns_ = 0;
        window_bytes_ = 0;
        switch (phase_) {
            case Phase::warming:
                phase_ = Phase::trying;
                return;
            case Phase::returning:
                phase_ = Phase::settled;
                return;
            case Phase::trying:
                return judge(cost);
            case Phase::settled:
                return settle(cost);
        }
        phase_ = Phase::settled;  // torn by a holder that died
    }

    void settle(std::uint64_t cost) {
        const bool is_dearer = usual_cost_ != 0 && cost > 2 * usual_cost_;
        usual_cost_ = usual_cost_ == 0 ? cost : (3 * usual_cost_ + cost) / 4;
        if (is_dearer) doublings_ = 0;
        if (++windows_ < kTryFirst << std::min(doublings_, kMostDoublings)) return;
        windows_ = 0;
        phase_ = Phase::warming;
        streaming_ = is_streaming() ? 0 : 1;
    }

    void judge(std::uint64_t cost) {
        if (10 * cost < 9 * usual_cost_) {
            usual_cost_ = cost;
            doublings_ = 0;
            phase_ = Phase::settled;
        } else {
            if (doublings_ < kMostDoublings) ++doublings_;
            phase_ = Phase::returning;
            streaming_ = is_streaming() ? 0 : 1;
        }
    }

    std::uint64_t full_since_ns_;
    std::uint64_t window_ns_;
    std::uint64_t window_bytes_;
    std::uint64_t usual_cost_;
    Phase phase_;
    std::uint32_t streaming_;
    std::uint32_t windows_;    // settled ones since the last trial
    std::uint32_t doublings_;  // of the number of windows between trials
};

}  // namespace xylem
