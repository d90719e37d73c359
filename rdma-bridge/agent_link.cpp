// AgentLink. Messages that cannot go yet wait in order; an agent that does not read loses the link, not our
// memory.
#include "rdma-bridge/agent_link.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include "control/protocol/closing.hpp"
#include "control/protocol/link_owner.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kMostUnsent = 1 << 16;
constexpr std::uint64_t kGreetingNs = kNsPerSecond;
constexpr int kMostReads = 32;  // a turn

}  // namespace

AgentLink::AgentLink(Poller& poller, UniqueFd connected, std::uint64_t boot_id, Events events)
    : poller_(poller),
      socket_(std::move(connected)),
      boot_id_(boot_id),
      is_out_(false),
      events_(std::move(events)) {
    watch();
}

AgentLink::AgentLink(Poller& poller, UniqueFd connected, std::uint64_t boot_id, const Pair& pair,
                     Events events)
    : poller_(poller),
      socket_(std::move(connected)),
      boot_id_(boot_id),
      pair_(pair),
      is_out_(true),
      events_(std::move(events)) {
    watch();
    greet(++last_request_);
}

AgentLink::~AgentLink() {
    poller_.cancel(greeting_timer_);
    poller_.remove(socket_.get());
    hang_up_beside(std::move(socket_));
}

void AgentLink::watch() {
    poller_.add(socket_.get(), EPOLLIN, [this](std::uint32_t events) { on_events(events); });
    greeting_timer_ = poller_.after(kGreetingNs, [this] {
        if (!is_ready_) break_it("no hello in time");
    });
}

void AgentLink::greet(std::uint32_t request_id) {
    auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, request_id);
    hello.boot_id = boot_id_;
    hello.domain = pair_.remote;
    hello.to_domain = pair_.local;
    send_now(&hello, sizeof hello, {});
}

bool AgentLink::send_now(const void* message, std::size_t size_bytes, const std::vector<int>& fds) {
    const auto sent =
        send_message(socket_.get(), message, size_bytes, fds.data(), static_cast<unsigned>(fds.size()));
    if (sent) return true;
    if (sent.error().kind == ErrorKind::would_block) return false;
    // Of one that hung up reading tells, and what it said before that.
    if (sent.error().kind == ErrorKind::system && is_ready_) break_it("cannot be told anything");
    return true;
}

void AgentLink::send(const void* message, std::size_t size_bytes, const std::vector<int>& fds) {
    if (is_broken_) return;
    if (is_ready_ && unsent_.empty() && send_now(message, size_bytes, fds)) return;
    if (unsent_.size() >= kMostUnsent) return break_it("it does not read");
    Unsent later;
    const auto* bytes = static_cast<const std::byte*>(message);
    later.bytes.assign(bytes, bytes + size_bytes);
    for (const int fd : fds) later.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    unsent_.push_back(std::move(later));
    if (is_ready_) poller_.change(socket_.get(), EPOLLIN | EPOLLOUT);
}

void AgentLink::flush() {
    while (!unsent_.empty() && !is_broken_) {
        std::vector<int> fds;
        for (const UniqueFd& fd : unsent_.front().fds) fds.push_back(fd.get());
        if (!send_now(unsent_.front().bytes.data(), unsent_.front().bytes.size(), fds)) break;
        unsent_.pop_front();
    }
    if (is_broken_) return;
    poller_.change(socket_.get(), unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void AgentLink::on_events(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) flush();
    read();
    if (!is_broken_ && (events & (EPOLLERR | EPOLLHUP)) != 0) break_it("hung up");
}

void AgentLink::read() {
    for (int i = 0; i < kMostReads && !is_broken_; ++i) {
        Received message;
        const auto got = receive_message(socket_.get(), message);
        if (!got && got.error().kind == ErrorKind::would_block) return;
        if (!got) close_rest_beside(message);
        if (!got) return break_it("hung up");
        const bool makes_sense = take(message);
        close_rest_beside(message);
        if (!makes_sense) return break_it("said what makes no sense, or speaks another version");
    }
}

// False: it makes no sense.
bool AgentLink::take(Received& message) {
    if (check_header(message, kLinkMagic) != HeaderFault::none) return false;
    const auto type = static_cast<LinkMessage>(message.header().type);
    if (type == LinkMessage::hello) {
        const auto* hello = message.as<LinkHelloMessage>();
        return hello != nullptr && on_hello(*hello);
    }
    if (!is_ready_) return false;
    const auto asked = pending_.find(message.header().request_id);
    if (is_out_ && asked != pending_.end()) {
        const Answer answer = std::move(asked->second);
        pending_.erase(asked);
        answer(&message);
        return true;
    }
    events_.on_message(*this, message);
    return true;
}

bool AgentLink::on_hello(const LinkHelloMessage& hello) {
    if (is_ready_) return false;
    if (is_out_) {
        if (hello.domain != pair_.local) return false;
        is_ready_ = true;
        flush();
    } else {
        const bool may_be = !is_remote_domain(hello.domain) && is_remote_domain(hello.to_domain) &&
                            owns_link_socket(link_socket(hello.domain).text, socket_.get()) &&
                            events_.may_dial({hello.domain, hello.to_domain});
        if (!may_be) return false;
        pair_ = {hello.domain, hello.to_domain};
        is_ready_ = true;
        greet(hello.header.request_id);
    }
    events_.on_ready(*this);
    return true;
}

void AgentLink::break_it(const std::string& why) {
    if (is_broken_) return;
    is_broken_ = true;
    if (is_ready_) spdlog::debug("the link with domain {}'s agent broke: {}", pair_.local, why);
    poller_.remove(socket_.get());
    const std::map<std::uint32_t, Answer> lost = std::move(pending_);
    events_.on_broken(*this);  // first: who hears of it below, and asks again, must not find this link
    for (const auto& [id, answer] : lost) answer(nullptr);
}

}  // namespace xylem::bridge
