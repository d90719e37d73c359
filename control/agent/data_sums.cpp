// DataSums: end pages and session pages belong to programs; each word is read once, added, and that is all.
#include "control/agent/data_sums.hpp"

#include "control/agent/counters.hpp"
#include "control/agent/session_records.hpp"

namespace xylem::agent {

namespace {

struct NamedEndCounters {
#define XYLEM_END_COUNTER(name, help) AtomicU64 name;
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
};
static_assert(sizeof(NamedEndCounters) == sizeof(EndCounters), "end_counters.def names them all");

}  // namespace

void DataFigures::add(const End& end) {
    if (!end.has_memory()) return;
    const EndPage& page = *end.end_page();
    tx_bytes += page.tx.head.load_relaxed();
    rx_bytes += page.rx.tail.load_relaxed();
#define XYLEM_END_COUNTER(name, help) name += page.counters.name.load_relaxed();
#include "control/agent/end_counters.def"
#undef XYLEM_END_COUNTER
    replies_ns += page.replies.sum_ns.load_relaxed();
    for (unsigned bucket = 0; bucket < kLatencyBuckets; ++bucket) {
        replies[bucket] += page.replies.counts[bucket].load_relaxed();
    }
}

void ConnectionSums::add(const Session& session) {
    if (session.role != SessionRole::program || page_of(session) == nullptr) return;
    ring += page_of(session)->ring_connections.load_relaxed();
    for_each_tally(session, [this](Reason reason, const SocketName&, std::uint64_t connections) {
        tcp[index_of(reason)] += connections;
    });
}

}  // namespace xylem::agent
