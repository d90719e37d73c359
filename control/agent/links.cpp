// Links: asking, sending, reading, breaking. A link breaks for good: whoever waits on it is told why, and the
// next question dials anew. A question that cannot even be sent, because the far agent was restarted and
// the hang-up is still in our queue of events, is tried once more on a fresh link.
#include "control/agent/links.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <cstring>

#include "control/agent/agent.hpp"
#include "control/agent/link_dispatch.hpp"
#include "control/agent/work_meter.hpp"
#include "control/protocol/closing.hpp"
#include "control/protocol/seqpacket.hpp"

namespace xylem::agent {
namespace {

constexpr unsigned kBatch = 64;  // messages a turn: other sources get theirs
constexpr std::uint64_t kReadingNs = kNsPerMs;

std::vector<UniqueFd> duplicates(const std::vector<int>& fds) {
    std::vector<UniqueFd> copies;
    copies.reserve(fds.size());
    for (const int fd : fds) copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return copies;
}

bool send_now(Link& link, const void* message, std::size_t size_bytes, const std::vector<int>& fds,
              ErrorKind& error) {
    const auto sent =
        send_message(link.socket.get(), message, size_bytes, fds.data(), static_cast<unsigned>(fds.size()));
    if (sent) ++link.messages_sent;
    if (!sent) error = sent.error().kind;
    return static_cast<bool>(sent);
}

}  // namespace

Links::~Links() = default;

LinkPtr Links::find(LinkDirection direction, std::uint32_t domain) const {
    const auto& table = direction == LinkDirection::out ? out_ : in_;
    const auto found = table.find(domain);
    return found == table.end() ? nullptr : found->second;
}

void Links::ask_bytes(std::uint32_t domain, std::uint32_t request_id, const void* message,
                      std::size_t size_bytes, const std::vector<int>& fds, LinkAnswer answered) {
    Reason why_not = Reason::no_peer_agent;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const LinkPtr link = out_link(domain, why_not);
        if (link == nullptr) break;
        send(link, message, size_bytes, fds);
        if (link->state == LinkState::broken) continue;
        link->pending.emplace(request_id, Link::Pending{std::move(answered), now_ns() + link->answer_ns});
        if (!link->pending_timer) wait_for_answers(link, link->answer_ns);
        return;
    }
    answered(why_not, nullptr);
}

// One timer for all: it is set once a second and not for each question.
void Links::wait_for_answers(const LinkPtr& link, std::uint64_t delay_ns) {
    const std::weak_ptr<Link> weak = link;
    link->pending_timer = agent_.loop.after(delay_ns, [this, weak] {
        if (const LinkPtr waits = weak.lock()) on_answers_due(waits);
    });
}

void Links::on_answers_due(const LinkPtr& link) {
    link->pending_timer = Watch();
    const std::uint64_t now = now_ns();
    while (!link->pending.empty() && link->pending.begin()->second.until_ns <= now) {
        const auto late = link->pending.extract(link->pending.begin());
        late.mapped().answered(Reason::agent_timeout, nullptr);
    }
    if (!link->pending.empty() && !link->pending_timer) {
        wait_for_answers(link, link->pending.begin()->second.until_ns - now);
    }
}

void Links::tell(std::uint32_t domain, const LinkEndMessage& message, bool connection_was_incoming) {
    // On the link that made the connection, if it still stands: then nothing overtakes the answer to it.
    Reason ignored;
    LinkPtr link = connection_was_incoming ? find(LinkDirection::in, domain) : nullptr;
    if (link == nullptr) link = out_link(domain, ignored);
    if (link != nullptr) send(link, &message, sizeof message, {});
}

void Links::send(const LinkPtr& link, const void* message, std::size_t size_bytes,
                 const std::vector<int>& fds) {
    if (link->state == LinkState::broken) return;
    const auto* type = static_cast<const MessageHeader*>(message);
    const bool may_go =
        link->state == LinkState::ready || type->type == static_cast<std::uint16_t>(LinkMessage::hello);
    if (may_go && link->unsent.empty()) {
        ErrorKind error{};
        if (send_now(*link, message, size_bytes, fds, error)) return;
        if (error != ErrorKind::would_block) {
            return break_link(link, Reason::no_peer_agent, "cannot send");
        }
    }
    if (link->unsent.size() >= kMaxUnsent || link->unsent_fds + fds.size() > kMostUnsentFds) {
        return break_link(link, Reason::agent_timeout, "the far agent does not read");
    }
    const auto* bytes = static_cast<const std::byte*>(message);
    link->unsent.push_back({std::vector<std::byte>(bytes, bytes + size_bytes), duplicates(fds)});
    link->unsent_fds += fds.size();
    if (link->state == LinkState::ready) link->watch.set_events(EPOLLIN | EPOLLOUT);
}

void Links::flush(const LinkPtr& link) {
    while (!link->unsent.empty()) {
        const Link::Unsent& first = link->unsent.front();
        std::vector<int> fds;
        for (const UniqueFd& fd : first.fds) fds.push_back(fd.get());
        ErrorKind error{};
        if (!send_now(*link, first.bytes.data(), first.bytes.size(), fds, error)) {
            if (error == ErrorKind::would_block) return link->watch.set_events(EPOLLIN | EPOLLOUT);
            return break_link(link, Reason::no_peer_agent, "cannot send");
        }
        link->unsent_fds -= fds.size();
        link->unsent.pop_front();
    }
    link->watch.set_events(EPOLLIN);
}

void Links::on_ready(const LinkPtr& link, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && link->state == LinkState::ready) flush(link);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(link);
}

// What its peer sends meanwhile, and that it hung up, waits in the socket.
void Links::rest(const LinkPtr& link, std::uint64_t rest_ns) {
    link->watch.pause();
    const std::weak_ptr<Link> weak = link;
    link->rested = agent_.loop.after(rest_ns, [weak] {
        if (const LinkPtr rested = weak.lock()) rested->watch.resume();
    });
}

// The pace is asked before each message: one alone may cost much.
void Links::read(const LinkPtr& link) {
    const std::uint64_t until_ns = now_ns() + kReadingNs;
    for (unsigned i = 0; i < kBatch && link->state != LinkState::broken && (i == 0 || now_ns() < until_ns);
         ++i) {
        const std::uint64_t rest_ns = link->pace != nullptr ? link->pace->rest_ns(now_ns()) : 0;
        if (rest_ns != 0) return rest(link, rest_ns);
        const WorkMeter meter(link->pace);
        Received message;
        const auto got = receive_message(link->socket.get(), message);
        if (!got && got.error().kind == ErrorKind::would_block) return;
        if (!got) close_rest_beside(message);
        if (!got && got.error().kind == ErrorKind::bad_layout) {
            ++agent_.counters.malformed_messages;
            return break_link(link, Reason::bad_request, "a message is too long");
        }
        if (!got) return break_link(link, Reason::no_peer_agent, "the far agent hung up");
        ++link->messages_received;
        LinkDispatch::dispatch(agent_, link, message);
        close_rest_beside(message);
    }
}

void Links::break_link(const LinkPtr& link, Reason why, const std::string& text) {
    const bool was_ready = link->state == LinkState::ready;
    if (!link->become(LinkState::broken)) return;
    if (was_ready) {
        ++agent_.counters.links_lost;
        if (agent_.peer_log.may(link->domain))
            spdlog::info("link {} domain {} is over: {}",
                         link->direction == LinkDirection::out ? "to" : "from", link->domain, text);
        agent_.left_behind.doubt(link->domain);
    }
    link->watch = Watch();
    link->greeting_timer = Watch();
    link->rested = Watch();
    hang_up_beside(std::move(link->socket));
    link->unsent.clear();
    link->unsent_fds = 0;
    auto& table = link->direction == LinkDirection::out ? out_ : in_;
    if (find(link->direction, link->domain) == link) table.erase(link->domain);
    unnamed_.erase(link);
    if (link->direction == LinkDirection::out && !was_ready) back_off(link->domain, text);
    auto pending = std::move(link->pending);
    link->pending.clear();
    for (auto& [id, question] : pending) question.answered(why, nullptr);
}

// A far agent that began anew does not know the slabs that it borrowed, nor which doorbells it told of:
// nothing it says of them will come.
void Links::note_boot_id(std::uint32_t domain, std::uint64_t boot_id) {
    std::uint64_t& last = boot_ids_[domain];
    if (last != 0 && last != boot_id) {
        agent_.pool.forget_peer(domain);
        agent_.kicker_channels.drop_all(domain);
    }
    last = boot_id;
}

}  // namespace xylem::agent
