// Session page records. A record is claimed by moving its state from unused to the state it will have last.
// Rows of tallies are claimed in order and never given back; two threads that meet a peer for the first time
// at once may make two rows of it, which their reader adds up.
#include "guest-lib/session_page.hpp"

#include <sys/resource.h>

#include <cstring>

#include "guest-lib/private_fds.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

constexpr auto kUnused = static_cast<std::uint32_t>(RecordState::unused);
constexpr std::uint32_t kClaimed = ~0U;  // not a RecordState: readers skip it

int claim_record(SessionPage& page) {
    for (unsigned i = 0; i < kSessionRecords; ++i) {
        if (page.records[i].state.load_relaxed() != kUnused) continue;
        if (!page.records[i].state.compare_exchange(kUnused, kClaimed)) continue;
        std::uint32_t high = page.high_water.load_relaxed();
        while (high <= i && !page.high_water.compare_exchange(high, i + 1)) {
            high = page.high_water.load_relaxed();
        }
        return static_cast<int>(i);
    }
    return -1;
}

// To make a file that is larger than that would cost the program a SIGXFSZ.
bool may_make_page() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= sizeof(SessionPage);
}

}  // namespace

bool make_session_page(UniqueFd& fd, Mapping& mapping) {
    if (!may_make_page()) return false;
    Result<UniqueFd> made = make_sealed_memfd("xylem-session", sizeof(SessionPage));
    if (!made) return false;
    Result<Mapping> mapped = Mapping::shared(made->get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    if (!mapped) return false;
    mapping = std::move(*mapped);
    fd = make_private(std::move(*made));
    auto& page = *mapping.as<SessionPage>();
    page.magic = kSessionPageMagic;
    page.version = kSessionPageVersion;
    return true;
}

void copy_records(const SessionPage& from, SessionPage& to) {
    const std::uint32_t count = from.high_water.load_relaxed();
    std::memcpy(static_cast<void*>(to.records), static_cast<const void*>(from.records),
                (count < kSessionRecords ? count : kSessionRecords) * sizeof(SessionRecord));
    to.high_water.store_release(count);
}

int write_record(SessionPage* page, int index, const RecordText& text) {
    if (page == nullptr) return -1;
    if (index < 0) index = claim_record(*page);
    if (index < 0) return -1;
    SessionRecord& record = page->records[index];
    record.state.store_release(kClaimed);
    record.fd = static_cast<std::uint32_t>(text.fd);
    record.cookie = text.cookie;
    record.end_id = text.end_id;
    record.reason = static_cast<std::uint32_t>(text.reason);
    record.local = text.local;
    record.peer = text.peer;
    record.state.store_release(static_cast<std::uint32_t>(text.state));
    return index;
}

namespace {

bool is_tally_of(const Tally& tally, Reason why, const SocketName& peer) {
    return tally.state.load_acquire() == kTallyReady && tally.reason == static_cast<std::uint32_t>(why) &&
           std::memcmp(&tally.peer, &peer, sizeof peer) == 0;
}

}  // namespace

void count_tcp(SessionPage* page, Reason why, const SocketName& peer) {
    if (page == nullptr) return;
    page->tcp_connections.fetch_add(1);
    for (Tally& tally : page->tallies) {
        if (tally.state.load_relaxed() == kUnused && tally.state.compare_exchange(kUnused, kClaimed)) {
            tally.reason = static_cast<std::uint32_t>(why);
            tally.peer = peer;
            tally.connections.store_relaxed(1);
            tally.state.store_release(kTallyReady);  // pairs with the agent's for_each_tally()
            return;
        }
        if (is_tally_of(tally, why, peer)) {
            tally.connections.fetch_add(1);
            return;
        }
    }
    page->other_peers[static_cast<std::uint32_t>(why) % kReasonTallies].fetch_add(1);
}

void count_storm(SessionPage* page, std::uint32_t peer_domain) {
    if (page == nullptr) return;
    for (StormCount& row : page->storms) {
        row.peer_domain.compare_exchange(0, peer_domain);
        if (row.peer_domain.load_relaxed() != peer_domain) continue;
        row.waits.fetch_add(1);
        return;
    }
}

void clear_record(SessionPage* page, int index) {
    if (page != nullptr && index >= 0) page->records[index].state.store_release(kUnused);
}

}  // namespace xylem
