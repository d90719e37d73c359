// Figures from the end page and the first page of the slab, the latter mapped for the moment. Both belong to
// programs: every word is read once, and shown as it is or cut to what is possible.
#include "control/agent/end_figures.hpp"

#include <algorithm>

#include "control/agent/report_latency.hpp"
#include "vsock-transport/base/mapping.hpp"

namespace xylem::agent {
namespace {

// What the other side of the connection wrote into the slab.
struct PeerWords {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    bool has_finished = false;
    bool has_reset = false;
    bool are_known = false;
};

PeerWords peer_words(const End& end) {
    const auto slab = end.slab->map(kRingsOffsetBytes);
    if (!slab) return {};
    const std::size_t offset = kEndBlockOffsetBytes + (1 - end.identity.side) * sizeof(EndBlock);
    const EndBlock& block = *slab->as<EndBlock>(offset);
    const std::uint32_t word = block.producer.state.load_acquire();
    const std::uint32_t state = xylem::state_of(word);
    const bool is_this_use = use_of(word) == end.end_page()->use.load_relaxed();
    return {block.producer.head.load_relaxed(), block.consumer.tail.load_relaxed(),
            is_this_use && state != 0 && state < static_cast<std::uint32_t>(TxState::reset),
            is_this_use && state >= static_cast<std::uint32_t>(TxState::reset), true};
}

const char* state_of(const End& end, const PeerWords& peer) {
    const std::uint32_t status = end.end_page()->status.load_relaxed();
    const bool sent = (status & kWriteShut) != 0;
    const bool received = (status & kPeerFinSeen) != 0 || peer.has_finished;
    if ((status & kReset) != 0 || peer.has_reset) return "RESET";
    if ((status & kClosed) != 0 || (sent && received)) return "CLOSED";
    if (end.queued_at != 0) return "QUEUED";
    if (sent) return "FIN-SENT";
    return received ? "FIN-RECEIVED" : "ESTAB";
}

Json counters_of(const EndCounters& counters) {
    return {
#define XYLEM_END_COUNTER(name, help) {#name, counters.name.load_relaxed()},
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
    };
}

Json replies_of(const LatencyHistogram& replies) {
    std::uint64_t counts[kLatencyBuckets];
    for (unsigned bucket = 0; bucket < kLatencyBuckets; ++bucket) {
        counts[bucket] = replies.counts[bucket].load_relaxed();
    }
    return json_of_latency(counts, replies.sum_ns.load_relaxed());
}

}  // namespace

void count_bytes(Counters& counters, const End& end) {
    if (!end.has_memory()) return;
    counters.tx_bytes += end.end_page()->tx.head.load_relaxed();
    counters.rx_bytes += end.end_page()->rx.tail.load_relaxed();
    counters.kicks_by_programs += end.end_page()->counters.kicks_sent.load_relaxed();
}

void put_figures(Json& socket, const End& end) {
    if (!end.has_memory()) {
        socket["state"] = "ORPHAN";
        return;
    }
    const EndPage& page = *end.end_page();
    const PeerWords peer = peer_words(end);
    const std::uint64_t tx_size = end.identity.geometry.ring_size_bytes[end.identity.side];
    const std::uint64_t rx_size = end.identity.geometry.ring_size_bytes[1 - end.identity.side];
    const std::uint64_t sent = page.tx.head.load_relaxed();
    const std::uint64_t received = page.rx.tail.load_relaxed();
    socket["state"] = state_of(end, peer);
    socket["tx_bytes"] = sent - page.tx_begin.load_relaxed();
    socket["rx_bytes"] = received - page.rx_begin.load_relaxed();
    socket["spin_ns"] = page.spin_ns;
    socket["counters"] = counters_of(page.counters);
    socket["replies"] = replies_of(page.replies);
    socket["ring"] = {{"tx_size_bytes", tx_size},
                      {"rx_size_bytes", rx_size},
                      {"tx_queued_bytes", peer.are_known ? std::min(sent - peer.tail, tx_size) : 0},
                      {"rx_queued_bytes", peer.are_known ? std::min(peer.head - received, rx_size) : 0}};
}

}  // namespace xylem::agent
