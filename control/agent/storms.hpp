// Peers that send or ring without end: how often each did, as `xylem stat` shows it. They are held up where
// they do (xen/xen_channel.cpp, vsock-transport/xen/channel_waiter.hpp); here it is counted only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {

class Storms {
  public:
    struct Counts {
        std::uint64_t storms = 0;  // on the control ring, each of any length
        std::uint64_t waits = 0;   // of programs of this domain, in which it rang without end
    };
    // Between two storms; a peer that is let go on and storms again within it has not ended.
    static constexpr std::uint64_t kQuietNs = 10 * kNsPerSecond;
    // Programs name peers, too, as they like. Further ones are not counted.
    static constexpr std::size_t kMostPeers = 1024;

    // The peer had to wait. True: a storm begins.
    bool note(std::uint32_t peer, std::uint64_t now_ns) {
        Of* of = find_or_make(peer);
        if (of == nullptr) return false;
        const bool begins = of->counts.storms == 0 || now_ns - of->last_ns > kQuietNs;
        of->last_ns = now_ns;
        of->counts.storms += begins ? 1 : 0;
        return begins;
    }
    // Of a program that has ended.
    void add_waits(std::uint32_t peer, std::uint64_t waits) {
        if (Of* of = find_or_make(peer)) of->counts.waits += waits;
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [peer, of] : peers_) visit(peer, of.counts);
    }

  private:
    struct Of {
        Counts counts;
        std::uint64_t last_ns = 0;
    };
    Of* find_or_make(std::uint32_t peer) {
        const auto found = peers_.find(peer);
        if (found != peers_.end()) return &found->second;
        return peers_.size() < kMostPeers ? &peers_[peer] : nullptr;
    }
    std::map<std::uint32_t, Of> peers_;
};

}  // namespace xylem::agent
