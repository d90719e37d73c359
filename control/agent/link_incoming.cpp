// Links, the answering half. Anybody who can reach the fabric directory can connect and claim to be some
// domain. What only that domain's agent can have done is to listen at its place of the fabric: so the
// answerer connects there and compares, by SO_PEERCRED, the process that listens with the one that dialled.
// The connection made for this is closed at once; its far side sees a link that never said hello.
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/links.hpp"
#include "control/protocol/link_owner.hpp"
#include "control/protocol/nonblocking_dial.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint32_t kNobody = ~0U;  // whoever it is that claims to be a domain

}  // namespace

void Links::accept_from(int listening_fd) {
    acceptor_.accept_from(listening_fd, [this](UniqueFd connected) { add_incoming(std::move(connected)); });
}

LinkPtr Links::add_incoming(UniqueFd connected, std::shared_ptr<Pace> pace) {
    const ucred far = peer_of(connected.get());
    if (pace != nullptr) break_unnamed_of(pace);
    const auto of_process = std::count_if(unnamed_.begin(), unnamed_.end(), [&far](const LinkPtr& other) {
        return other->pace == nullptr && other->far.pid == far.pid && other->far.uid == far.uid;
    });
    const bool is_one_too_many = pace == nullptr && of_process >= kMaxUnnamedOfProcess;
    if (unnamed_.size() >= kMaxUnnamed || is_one_too_many) {
        ++agent_.counters.links_refused;
        return nullptr;
    }
    auto link = std::make_shared<Link>(LinkDirection::in);
    link->far = far;
    link->socket = std::move(connected);
    link->pace = std::move(pace);
    link->since_ns = now_ns();
    watch(link);
    if (!link->watch) return nullptr;
    unnamed_.insert(link);
    return link;
}

// To the kernel all guests are one process, this one. A guest has one link that it dialled; that the one
// before is over may wait unread.
void Links::break_unnamed_of(const std::shared_ptr<Pace>& pace) {
    std::vector<LinkPtr> before;
    for (const LinkPtr& other : unnamed_) {
        if (other->pace == pace) before.push_back(other);
    }
    for (const LinkPtr& link : before) break_link(link, Reason::no_peer_agent, "dialled again");
}

void Links::on_hello(const LinkPtr& link, const LinkHelloMessage& hello) {
    const bool is_possible = hello.domain != agent_.settings.domain && link->state == LinkState::greeting;
    if (!is_possible || !is_owner(hello.domain, link->socket.get())) {
        ++agent_.counters.links_refused;
        if (agent_.peer_log.may(kNobody)) {
            spdlog::warn("process {} (uid {}) says it is domain {}'s agent, but is not: refused",
                         link->far.pid, link->far.uid, hello.domain);
        }
        return break_link(link, Reason::bad_request, "not the owner of the domain's link socket");
    }
    // One live link a direction: a domain that dials again has lost the old one, whether we know or not.
    if (const LinkPtr old = find(LinkDirection::in, hello.domain)) {
        break_link(old, Reason::no_peer_agent, "dialled again");
    }
    unnamed_.erase(link);
    link->become(LinkState::ready);
    link->greeting_timer = Watch();
    link->domain = hello.domain;
    link->far_boot_id = hello.boot_id;
    in_.emplace(hello.domain, link);
    ++agent_.counters.links_accepted;
    note_boot_id(hello.domain, hello.boot_id);
    spdlog::debug("link from domain {} is up", hello.domain);
    auto answer = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, hello.header.request_id);
    answer.boot_id = agent_.boot_id;
    answer.domain = agent_.settings.domain;
    answer.to_domain = hello.domain;
    send(link, &answer, sizeof answer, {});
}

}  // namespace xylem::agent
