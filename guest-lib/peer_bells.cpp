// Doorbells that this process rings, by (domain, id). A set-associative cache: a bell that is not in it is
// asked for through the agent, once; an id that nobody knows is not asked for again for a while. A peer that
// names doorbells at random names another each time, and its agent may answer late or never, while this
// thread has other connections to serve: so questions about one domain's bells that led to nothing take a
// tenth of the time at most. Evicting one costs a question later. Readers share a lock, since ringing may be
// a system call and must not meet a closed descriptor.
#include <pthread.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/signals_held.hpp"
#include "vsock-transport/base/pace.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

constexpr unsigned kSets = 128;
constexpr unsigned kWays = 4;
constexpr std::uint64_t kUnknownNs = 100 * kNsPerMs;
constexpr unsigned kPaces = 16;  // domains that share one ask for fewer
constexpr std::uint64_t kQuickNs = 100 * kNsPerMs;
constexpr std::uint64_t kVainTimes = 10;
constexpr std::uint64_t kVainSlackNs = kNsPerSecond;

// no_place: the cache could not be written.
enum class Found : std::uint8_t { whole, without_area, no_place };

struct CachedBell {
    std::uint64_t key = 0;  // domain << 32 | id
    std::uint64_t ask_again_ns = 0;
    Doorbell bell;
};

constinit CachedBell cache[kSets][kWays];
constinit unsigned next_victim = 0;
struct VainQuestions : Pace {
    constexpr VainQuestions() : Pace(kVainTimes, kVainSlackNs) {}
};
constinit VainQuestions vain_questions[kPaces];
constinit pthread_rwlock_t cache_lock = PTHREAD_RWLOCK_INITIALIZER;

CachedBell* look_for(std::uint64_t key) {
    for (CachedBell& cached : cache[key * 0x9E37'79B9'7F4A'7C15ULL >> 57]) {
        if (cached.key == key) return &cached;
    }
    return nullptr;
}

// The area of a bell that was found. A peer in another guest granted its page to this domain, and the agent
// made it mappable, once; other peers share memory that they could cut.
Mapping area_of(KickKind kind, int fd) {
    if (kind != KickKind::event_channel && !check_sealed_memfd(fd, kDoorbellAreaBytes)) return {};
    Result<Mapping> mapped = Mapping::shared(fd, kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    return mapped ? std::move(*mapped) : Mapping();
}

// Under the lock.
CachedBell& place_for(std::uint64_t key) {
    CachedBell* place = look_for(key);
    if (place == nullptr) place = &cache[key * 0x9E37'79B9'7F4A'7C15ULL >> 57][next_victim++ % kWays];
    place->key = key;
    place->ask_again_ns = now_ns() + kUnknownNs;
    UniqueFd old = place->bell.uninstall();
    close_private(old);
    return *place;
}

// In a handler the reader may be the call below it, which does not go on: then it is not waited for.
bool lock_for_writing() {
    constexpr int kTries = 100;
    constexpr timespec kPause{0, 100'000};
    for (int i = 0; i < kTries; ++i) {
        if (::pthread_rwlock_trywrlock(&cache_lock) == 0) return true;
        system_call(SYS_nanosleep, word(&kPause), 0);
    }
    return false;
}

// What is found goes into the cache. Nor may a handler meet this thread while it writes.
Found insert(std::uint64_t key, Received& answer) {
    const SignalsHeld signals;
    if (!lock_for_writing()) return Found::no_place;
    CachedBell& place = place_for(key);
    const auto* found = answer_as<BellMessage>(answer, SessionMessage::bell);
    const unsigned wanted_fds = found != nullptr && found->has_area != 0 ? 2 : 1;
    bool is_whole = true;
    if (found != nullptr && answer.fd_count == wanted_fds) {
        const auto kind = static_cast<KickKind>(found->kind);
        Mapping area;
        if (wanted_fds == 2) area = area_of(kind, answer.fds[1].get());
        is_whole = wanted_fds == 1 || area;
        if (is_whole)
            place.bell.install(kind, make_private(std::move(answer.fds[0])), std::move(area), found->port);
    }
    ::pthread_rwlock_unlock(&cache_lock);
    return is_whole ? Found::whole : Found::without_area;
}

Found find_bell(std::uint64_t key, std::uint32_t flags) {
    BellFindMessage question{};
    question.domain = static_cast<std::uint32_t>(key >> 32);
    question.doorbell_id = static_cast<std::uint32_t>(key);
    question.flags = flags;
    Received answer;
    if (!Session::self().ask(SessionMessage::bell_find, question, answer)) answer.size_bytes = 0;
    return insert(key, answer);
}

// False: it cannot be entered there.
bool find_into_cache(std::uint64_t key) {
    Found found = find_bell(key, 0);
    if (found == Found::without_area) found = find_bell(key, kFindRelayed);
    return found != Found::no_place;
}

struct Look {
    bool is_known = false;
    bool is_worth_asking = false;
    bool was_kicked = false;
};

// Rings if the bell is cached.
Look ring_cached(std::uint64_t key, WaitToken token) {
    Look look;
    ::pthread_rwlock_rdlock(&cache_lock);
    const CachedBell* cached = look_for(key);
    look.is_worth_asking = cached == nullptr;
    if (cached != nullptr) {
        look.is_known = static_cast<bool>(cached->bell);
        if (look.is_known) look.was_kicked = cached->bell.ring(token);
        const bool is_there = look.is_known && !cached->bell.is_closed();
        look.is_worth_asking = !is_there && now_ns() >= cached->ask_again_ns;
    }
    ::pthread_rwlock_unlock(&cache_lock);
    return look;
}

// In a sandbox no descriptor can be taken, and peers sleep on doorbells that they made later.
bool ring_through_agent(std::uint32_t domain, WaitToken token) {
    BellRingMessage message{};
    message.token = token.bits();
    message.domain = domain;
    Session::self().tell(SessionMessage::bell_ring, message);
    return true;
}

std::uint64_t key_of(std::uint32_t domain, WaitToken token) {
    return static_cast<std::uint64_t>(domain) << 32 | token.doorbell_id();
}

bool is_cached(std::uint64_t key) {
    ::pthread_rwlock_rdlock(&cache_lock);
    const CachedBell* cached = look_for(key);
    const bool is_there = cached != nullptr && cached->bell && !cached->bell.is_closed();
    ::pthread_rwlock_unlock(&cache_lock);
    return is_there;
}

bool ring_somehow(std::uint32_t domain, WaitToken token) {
    const std::uint64_t key = key_of(domain, token);
    const Look first = ring_cached(key, token);
    if (!first.is_worth_asking) return first.was_kicked;
    if (is_sandboxed()) return ring_through_agent(domain, token);
    Pace& vain = vain_questions[domain % kPaces];
    const std::uint64_t start_ns = now_ns();
    if (vain.rest_ns(start_ns) > 0) return first.was_kicked;
    if (!find_into_cache(key)) return ring_through_agent(domain, token);
    const Look second = ring_cached(key, token);
    const std::uint64_t end_ns = now_ns();
    const std::uint64_t took_ns = end_ns - start_ns;
    // Nor must ever new doorbells be found slowly: an agent that is only busy answers sooner.
    if (!second.is_known)
        vain.charge(end_ns, took_ns);
    else if (took_ns > kQuickNs)
        vain.charge(end_ns, took_ns - kQuickNs);
    return second.was_kicked;
}

bool ring(BellRinger&, const EndPage& page, std::uint32_t domain, WaitToken token) {
    const bool was_kicked = ring_somehow(domain, token);
    XYLEM_PROBE3(kick, page.end_id, domain, was_kicked ? 1 : 0);
    return was_kicked;
}

constinit BellRinger the_ringer{ring};

}  // namespace

BellRinger& bell_ringer() { return the_ringer; }

bool can_ring(std::uint32_t domain, WaitToken token) {
    const std::uint64_t key = key_of(domain, token);
    if (is_cached(key) || is_sandboxed()) return true;
    Pace& vain = vain_questions[domain % kPaces];
    const std::uint64_t start_ns = now_ns();
    if (vain.rest_ns(start_ns) > 0) return false;
    const bool is_found = find_into_cache(key) && is_cached(key);
    const std::uint64_t end_ns = now_ns();
    if (!is_found) vain.charge(end_ns, end_ns - start_ns);
    return is_found;
}

void forget_lost_areas() {
    for (auto& set : cache) {
        for (CachedBell& cached : set) {
            if (!cached.bell || !cached.bell.has_lost_area()) continue;
            cached.bell.forget_area();
            UniqueFd kick = cached.bell.uninstall();
            close_private(kick);
            cached.key = 0;
        }
    }
}

void relay_kicks() {
    for (auto& set : cache) {
        for (const CachedBell& cached : set) {
            ::pthread_rwlock_rdlock(&cache_lock);
            const bool is_channel = cached.bell && cached.bell.kind() == KickKind::event_channel;
            const std::uint64_t key = is_channel ? cached.key : 0;
            ::pthread_rwlock_unlock(&cache_lock);
            if (key != 0) find_bell(key, kFindRelayed);
        }
    }
}

void reset_bell_locks() { cache_lock = PTHREAD_RWLOCK_INITIALIZER; }

}  // namespace xylem
