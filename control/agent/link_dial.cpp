// Links, the dialling half. Connecting to a unix socket is immediate: it works, or nobody listens, or the
// queue over there is full. Then hello goes out; questions wait until it is answered. A link that breaks
// before that (another version, an agent that refuses us) is not dialled again at once: the delay doubles.
#include <errno.h>
#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/links.hpp"
#include "control/agent/xen/xen_peers.hpp"
#include "control/protocol/nonblocking_dial.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kFirstDelayNs = 50 * kNsPerMs;
constexpr std::uint64_t kMaxDelayNs = 5 * kNsPerSecond;

}  // namespace

void Links::watch(const LinkPtr& link) {
    const std::weak_ptr<Link> weak = link;
    link->watch = agent_.loop.on_ready(link->socket.get(), EPOLLIN, [this, weak](std::uint32_t events) {
        if (const LinkPtr ready = weak.lock()) on_ready(ready, events);
    });
    link->greeting_timer = agent_.loop.after(kAnswerNs, [this, weak] {
        const LinkPtr late = weak.lock();
        if (late != nullptr && late->state == LinkState::greeting) {
            break_link(late, Reason::agent_timeout, "no hello in time");
        }
    });
}

LinkPtr Links::out_link(std::uint32_t domain, Reason& why_not) {
    if (LinkPtr link = find(LinkDirection::out, domain)) return link;
    why_not = Reason::no_peer_agent;
    const auto delayed = back_offs_.find(domain);
    if (delayed != back_offs_.end() && now_ns() < delayed->second.until_ns) return nullptr;
    if (agent_.reaches_by_grants(domain)) {
        std::optional<UniqueFd> end = agent_.xen->dial(domain, why_not);
        return end ? add_outgoing(domain, std::move(*end)) : nullptr;
    }
    UniqueFd socket;
    const int error = dial_now(agent_.link_socket(domain).text, socket);
    if (error != 0 && is_remote_domain(domain)) why_not = Reason::other_node;
    if (error == EAGAIN) why_not = Reason::agent_timeout;
    if (error == EMFILE || error == ENFILE || error == ENOMEM) why_not = Reason::no_memory;
    return error == 0 ? add_outgoing(domain, std::move(socket)) : nullptr;
}

LinkPtr Links::add_outgoing(std::uint32_t domain, UniqueFd connected) {
    auto link = std::make_shared<Link>(LinkDirection::out);
    link->domain = domain;
    link->far = peer_of(connected.get());
    link->socket = std::move(connected);
    link->since_ns = now_ns();
    const bool is_guest = agent_.reaches_by_grants(domain);
    link->answer_ns = is_guest ? kGuestAnswerNs : kAnswerNs;
    if (is_guest) link->pace = agent_.xen->pace_of(domain);
    watch(link);
    if (!link->watch) return nullptr;
    out_.emplace(domain, link);
    ++agent_.counters.links_dialled;
    auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, next_request());
    hello.boot_id = agent_.boot_id;
    hello.domain = agent_.settings.domain;
    hello.to_domain = domain;
    send(link, &hello, sizeof hello, {});
    return link->state == LinkState::broken ? nullptr : link;
}

void Links::on_greeted(const LinkPtr& link, const LinkHelloMessage& hello) {
    if (hello.domain != link->domain || !link->become(LinkState::ready)) {
        return break_link(link, Reason::bad_request, "the far agent serves another domain");
    }
    link->greeting_timer = Watch();
    link->far_boot_id = hello.boot_id;
    back_offs_.erase(link->domain);
    note_boot_id(link->domain, hello.boot_id);
    spdlog::debug("link to domain {} is up", link->domain);
    flush(link);
}

void Links::back_off(std::uint32_t domain, const std::string& error) {
    BackOff& entry = back_offs_[domain];
    entry.delay_ns = entry.delay_ns == 0 ? kFirstDelayNs : std::min(2 * entry.delay_ns, kMaxDelayNs);
    entry.until_ns = now_ns() + entry.delay_ns;
    if (entry.last_error != error && agent_.peer_log.may(domain))
        spdlog::warn("no link to domain {}: {}", domain, error);
    entry.last_error = error;
}

}  // namespace xylem::agent
