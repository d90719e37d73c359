// Bells: the table. Ids count on from a random place: a peer may remember an id of an earlier agent.
#include "control/agent/bells.hpp"

#include "control/agent/random_id.hpp"
#include "vsock-transport/local/memory_check.hpp"

namespace xylem::agent {

Bells::Bells(std::uint64_t limit) : quota_(limit), next_id_(static_cast<std::uint32_t>(random_id())) {}

std::uint32_t Bells::free_id(std::uint32_t wanted_id) {
    if (wanted_id != 0 && by_id_.count(wanted_id) == 0) return wanted_id;
    do {
        ++next_id_;
    } while (next_id_ == 0 || by_id_.count(next_id_) != 0);
    return next_id_;
}

Result<Bell*> Bells::add(SessionId session, std::uint32_t peer_domain, std::uint32_t wanted_id, UniqueFd kick,
                         UniqueFd area) {
    if (!is_unix_datagram(kick.get())) return fail(ErrorKind::bad_layout);
    if (area && !is_sound_memory(area.get(), kDoorbellAreaBytes, Access::read_write))
        return fail(ErrorKind::bad_layout);
    auto lease = quota_.take();
    if (!lease) return fail(ErrorKind::exhausted);
    const std::uint32_t id = free_id(wanted_id);
    Bell bell{id,
              peer_domain,
              session,
              KickKind::local_socket,
              std::move(kick),
              std::move(area),
              std::move(*lease),
              std::nullopt};
    return &by_id_.emplace(id, std::move(bell)).first->second;
}

Bell* Bells::find(std::uint32_t id) {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &found->second;
}

void Bells::erase(std::uint32_t id) { by_id_.erase(id); }

bool install(Doorbell& doorbell, KickKind kind, UniqueFd kick, const UniqueFd& area) {
    if (kind == KickKind::local_socket && !is_unix_datagram(kick.get())) return false;
    Mapping memory;
    if (area) {
        if (!is_sound_memory(area.get(), kDoorbellAreaBytes, Access::read_write)) return false;
        Result<Mapping> mapped = Mapping::shared(area.get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
        if (!mapped) return false;
        memory = std::move(*mapped);
    }
    doorbell.install(kind, std::move(kick), std::move(memory));
    return true;
}

}  // namespace xylem::agent
