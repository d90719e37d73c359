// Both sides of a doorbell. The waiter owns a Sleeper, kickers hold a Doorbell; what carries the kick is the
// backend's business (local/: a datagram socket pair; xen/: an event channel).
#pragma once

#include <cstdint>

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/wakeup/doorbell_layout.h"
#include "vsock-transport/wakeup/wait_token.hpp"

namespace xylem {

// relayed: a local socket too, but to the own agent, which is told the token and passes it on.
enum class KickKind : std::uint32_t { local_socket = 1, event_channel = 2, relayed = 3 };

// The kicker's side. ring() is thread safe; install() and clear() are the owning table's.
class Doorbell {
  public:
    // area may be empty: a thread's doorbell has none, and is kicked once for each token. port: of an event
    // channel.
    void install(KickKind kind, UniqueFd kick, Mapping area, std::uint32_t port = 0) {
        kind_ = kind;
        port_ = port;
        kick_ = std::move(kick);
        area_ = std::move(area);
        last_rung_.store_relaxed(0);
        is_closed_.store_relaxed(0);
    }
    // Forgets it; the kick's descriptor goes to the caller.
    UniqueFd uninstall() {
        UniqueFd kick = std::move(kick_);
        install(kind_, UniqueFd(), Mapping());
        return kick;
    }

    // In a fork child: the area did not come along (gntdev's pages in a PV guest). What to uninstall then
    // leaves alone what is mapped in its place.
    bool has_lost_area() const { return area_ && area_.is_lost(); }
    void forget_area() { area_.release(); }

    // Marks the token's connection as ready and wakes the waiter if it sleeps. Says whether it kicked.
    // Never blocks; a kick that cannot be queued is one that would have been the second.
    bool ring(WaitToken token) const;

    explicit operator bool() const { return static_cast<bool>(kick_); }
    KickKind kind() const { return kind_; }
    // A kick failed because the waiter, or an agent, has closed the event channel: another way has to be
    // found.
    bool is_closed() const { return is_closed_.load_relaxed() != 0; }

  private:
    KickKind kind_ = KickKind::local_socket;
    std::uint32_t port_ = 0;
    mutable AtomicU64 last_rung_;  // the sleep that this process has ended already
    mutable AtomicU32 is_closed_;
    UniqueFd kick_;
    Mapping area_;
};

// Takes the kicks that a waiter's descriptor holds. Never blocks.
void drain_kicks(KickKind kind, int waiter_fd);

// The waiter's side of the flag area. One thread sleeps on it at a time; any thread may collect.
class ReadyArea {
  public:
    explicit ReadyArea(DoorbellArea* area) : area_(area) {}

    void set_sleeping(bool sleeping) { area_->sleeping.store_relaxed(sleeping ? 1 : 0); }
    bool is_sleeping() const { return area_->sleeping.load_relaxed() != 0; }
    bool has_ready() const;

    // Takes all set bits and calls ready(index) for each; a full scan does not trust the summary.
    template <class Ready>
    void collect(bool full_scan, Ready ready) {
        for (unsigned s = 0; s < kSummaryWords; ++s) {
            std::uint64_t words = area_->summary[s].load_relaxed();
            if (words != 0) words = area_->summary[s].exchange(0);
            if (full_scan) words = ~0ULL;
            for (; words != 0; words &= words - 1) {
                take_word(s * 64 + static_cast<unsigned>(__builtin_ctzll(words)), ready);
            }
        }
    }

  private:
    template <class Ready>
    void take_word(unsigned w, Ready ready) {
        if (area_->ready[w].load_relaxed() == 0) return;
        std::uint64_t bits = area_->ready[w].exchange(0);
        full_fence();  // pairs with publish_and_kick(): who still saw the bit set, published before our look
        for (; bits != 0; bits &= bits - 1) ready(w * 64 + static_cast<unsigned>(__builtin_ctzll(bits)));
    }

    DoorbellArea* area_;
};

}  // namespace xylem
