// KickerChannels. What is dropped is closed for every process that has a descriptor of it, so that ports come
// back however long these live.
#include "control/agent/xen/kicker_channels.hpp"

namespace xylem::agent {

const KickerChannel* KickerChannels::find(std::uint32_t domain, std::uint32_t bell_id) const {
    const auto found = bound_.find({domain, bell_id});
    return found == bound_.end() ? nullptr : &found->second;
}

Result<const KickerChannel*> KickerChannels::bind(std::uint32_t domain, std::uint32_t bell_id,
                                                  std::uint32_t port, std::optional<GrantRef> area) {
    std::uint64_t& count = counts_[domain];
    if (count >= channels_.limit() / 2) return fail(ErrorKind::exhausted);
    auto lease = channels_.take(domain);
    if (!lease) return fail(ErrorKind::exhausted);
    const auto owner = static_cast<DomainId>(domain);
    Result<EventChannel> bound = bind_event_channel(owner, port);
    if (!bound) return fail(bound.error());
    if (const auto restricted = restrict_event_channel(bound->fd.get(), owner); !restricted)
        return fail(restricted.error());
    ++count;
    KickerChannel made{std::move(*bound), area, std::move(*lease)};
    return &bound_.insert_or_assign({domain, bell_id}, std::move(made)).first->second;
}

void KickerChannels::drop(std::uint32_t domain, std::uint32_t bell_id) {
    const auto found = bound_.find({domain, bell_id});
    if (found == bound_.end()) return;
    close_event_channel(found->second.channel.fd.get(), found->second.channel.port);
    bound_.erase(found);
    --counts_[domain];
}

void KickerChannels::drop_all(std::uint32_t domain) {
    for (auto it = bound_.lower_bound({domain, 0}); it != bound_.end() && it->first.first == domain;) {
        const std::uint32_t bell_id = (it++)->first.second;
        drop(domain, bell_id);
    }
}

}  // namespace xylem::agent
