// Doorbells that this process rings, by (domain, id). A set-associative cache: a bell that is not in it is
// asked for through the agent, once; an id that nobody knows is not asked for again for a while, so that a
// peer which names doorbells at random slows down its own connection only. Evicting one costs a question
// later. Readers share a lock, since ringing may be a system call and must not meet a closed descriptor.
#include <pthread.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/session.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

constexpr unsigned kSets = 128;
constexpr unsigned kWays = 4;
constexpr std::uint64_t kUnknownNs = 100 * kNsPerMs;

struct CachedBell {
    std::uint64_t key = 0;  // domain << 32 | id
    std::uint64_t ask_again_ns = 0;
    Doorbell bell;
};

constinit CachedBell cache[kSets][kWays];
constinit unsigned next_victim = 0;
constinit pthread_rwlock_t cache_lock = PTHREAD_RWLOCK_INITIALIZER;

CachedBell* look_for(std::uint64_t key) {
    for (CachedBell& cached : cache[key * 0x9E37'79B9'7F4A'7C15ULL >> 57]) {
        if (cached.key == key) return &cached;
    }
    return nullptr;
}

void insert(std::uint64_t key, Received& answer) {
    ::pthread_rwlock_wrlock(&cache_lock);
    CachedBell* place = look_for(key);
    if (place == nullptr) place = &cache[key * 0x9E37'79B9'7F4A'7C15ULL >> 57][next_victim++ % kWays];
    place->key = key;
    place->ask_again_ns = now_ns() + kUnknownNs;
    UniqueFd old = place->bell.uninstall();
    close_private(old);
    const auto* found = answer_as<BellMessage>(answer, SessionMessage::bell);
    const unsigned wanted_fds = found != nullptr && found->has_area != 0 ? 2 : 1;
    if (found != nullptr && answer.fd_count == wanted_fds) {
        Mapping area;
        if (wanted_fds == 2 && check_sealed_memfd(answer.fds[1].get(), kDoorbellAreaBytes)) {
            if (auto mapped =
                    Mapping::shared(answer.fds[1].get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE)) {
                area = std::move(*mapped);
            }
        }
        if (wanted_fds == 1 || area) {
            place->bell.install(static_cast<KickKind>(found->kind), make_private(std::move(answer.fds[0])),
                                std::move(area));
        }
    }
    ::pthread_rwlock_unlock(&cache_lock);
}

// Rings if the bell is cached. Says whether it is worth asking for it.
bool ring_cached(std::uint64_t key, WaitToken token, bool& kicked) {
    ::pthread_rwlock_rdlock(&cache_lock);
    const CachedBell* cached = look_for(key);
    bool ask = cached == nullptr;
    if (cached != nullptr) {
        if (cached->bell) {
            kicked = cached->bell.ring(token);
        } else {
            ask = now_ns() >= cached->ask_again_ns;
        }
    }
    ::pthread_rwlock_unlock(&cache_lock);
    return ask;
}

bool ring(BellRinger&, const EndPage&, std::uint32_t domain, WaitToken token) {
    const std::uint64_t key = static_cast<std::uint64_t>(domain) << 32 | token.doorbell_id();
    bool kicked = false;
    if (!ring_cached(key, token, kicked)) return kicked;
    BellFindMessage question{};
    question.domain = domain;
    question.doorbell_id = token.doorbell_id();
    Received answer;
    if (!Session::self().ask(SessionMessage::bell_find, question, answer)) answer.size_bytes = 0;
    insert(key, answer);
    ring_cached(key, token, kicked);
    return kicked;
}

constinit BellRinger the_ringer{ring};

}  // namespace

BellRinger& bell_ringer() { return the_ringer; }

void reset_bell_locks() { cache_lock = PTHREAD_RWLOCK_INITIALIZER; }

}  // namespace xylem
