// RunSums: figures come from end pages and session pages, which belong to programs: each word is read once,
// and shown, and that is all.
#include "control/agent/run_sums.hpp"

#include <sys/socket.h>

#include "control/agent/counters.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/names.hpp"
#include "control/agent/session_records.hpp"

namespace xylem::agent {
namespace {

void add_to(Tallies& tallies, Reason reason, const std::string& name, std::uint64_t count) {
    const auto known = static_cast<Reason>(index_of(reason));
    const auto found = tallies.find({known, name});
    if (found != tallies.end()) {
        found->second += count;
    } else if (tallies.size() < kMaxTallies) {
        tallies[{known, name}] = count;
    } else {
        tallies[{known, std::string()}] += count;
    }
}

// As the hosts map and people name the peer, whatever its port.
std::string hosts_name(const SocketName& peer) {
    return (peer.family == AF_VSOCK ? "vsock:" : "") + address_text(unmapped(peer));
}

}  // namespace

void RunSums::add(const End& end) {
    if (!end.has_memory()) return;
    const std::uint64_t uses = 1 + uses_again(end);
    const bool is_made = end.identity.side == 0;
    (is_made ? made : accepted) += uses;
    if (is_made) add_to(ring_peers, Reason::ring, hosts_name(end.identity.peer), uses);
    tx_bytes += end.end_page()->tx.head.load_relaxed();
    rx_bytes += end.end_page()->rx.tail.load_relaxed();
}

void RunSums::add_page(const Session& session) {
    for_each_tally(session, [this](Reason reason, const SocketName& peer, std::uint64_t connections) {
        const SocketName name = cleaned(peer);
        add_to(tcp, reason, name.port != 0 ? to_text(name) : address_text(name), connections);
    });
}

void RunSums::add_bypass(Reason reason, const std::string& program) { add_to(bypasses, reason, program, 1); }

}  // namespace xylem::agent
