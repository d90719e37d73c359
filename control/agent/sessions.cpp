// Sessions: reading in bounded turns, so that a talkative program does not starve the others. Who speaks is
// taken from the kernel with every message: a forked child goes on with the session that its parent opened
// for it, and so makes it its own. Whoever can reach the socket is welcome: it lies in a directory that is
// closed to other users, and a program that was let in goes on to be served after it gave up its privileges.
#include "control/agent/sessions.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/reaper.hpp"
#include "control/agent/session_dispatch.hpp"
#include "control/agent/session_records.hpp"
#include "control/protocol/closing.hpp"
#include "control/protocol/nonblocking_dial.hpp"
#include "control/protocol/seqpacket.hpp"

namespace xylem::agent {
namespace {

constexpr unsigned kBatch = 32;  // messages a turn
constexpr std::uint64_t kGreetingNs = 10 * kNsPerSecond;
constexpr unsigned kMostTurns = 16;  // more than a socket takes in before somebody reads

}  // namespace

void Sessions::accept_from(int listening_fd) {
    acceptor_.accept_from(listening_fd, [this](UniqueFd connected) { add(std::move(connected)); });
}

SessionPtr Sessions::add(UniqueFd connected) {
    const int yes = 1;
    auto session = std::make_shared<Session>(next_id_, std::move(connected));
    auto lease = agent_.session_quota.take();
    const ucred peer = peer_of(session->socket.get());
    session->dialler_pid = peer.pid;
    session->uid = peer.uid;
    const bool is_ready =
        lease && ::setsockopt(session->socket.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0;
    if (is_ready) {
        const std::weak_ptr<Session> weak = session;
        session->watch = agent_.loop.on_ready(session->socket.get(), EPOLLIN, [this, weak](std::uint32_t) {
            if (const SessionPtr ready = weak.lock()) read(ready);
        });
    }
    if (!session->watch) {
        ++agent_.counters.sessions_refused;
        return nullptr;
    }
    // A place that somebody who says nothing keeps is another program's.
    session->greeting_timer = agent_.loop.after(kGreetingNs, [this, weak = std::weak_ptr(session)] {
        const SessionPtr late = weak.lock();
        if (late == nullptr) return;
        late->greeting_timer = Watch();
        if (late->state == SessionState::greeting) hang_up(late);
    });
    session->quota = std::move(*lease);
    by_id_.emplace(next_id_++, session);
    return session;
}

SessionPtr Sessions::find(SessionId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

bool Sessions::read(const SessionPtr& session) {
    if (session->answer_is_due) session->watch.pause();
    for (unsigned i = 0; i < kBatch && session->socket && !session->answer_is_due; ++i) {
        Received message;
        const auto got = receive_message(session->socket.get(), message);
        if (!got && got.error().kind == ErrorKind::would_block) return false;
        if (!got) close_rest_of_program(message);
        if (!got && got.error().kind == ErrorKind::bad_layout) {
            refuse_malformed(agent_, session, 0, Reason::bad_request);
            continue;
        }
        if (!got) {
            hang_up(session);
            return false;
        }
        if (note_speaker(*session, message.pid)) agent_.captures.renamed(*session);
        dispatch(agent_, session, message);
        close_rest_of_program(message);
    }
    return session->socket && !session->answer_is_due;
}

void Sessions::read_all(const SessionPtr& session) {
    for (unsigned turn = 0; turn < kMostTurns && read(session); ++turn) {
    }
}

void Sessions::await_answer(Session& session) {
    session.answer_is_due = true;  // paused when it says more, which few do
}

void Sessions::answered(const SessionPtr& session) {
    session->answer_is_due = false;
    session->watch.resume();
}

void Sessions::hang_up(const SessionPtr& session) {
    if (session == nullptr || !session->socket) return;
    session->watch = Watch();
    hang_up_beside(std::move(session->socket));
    reap(agent_, session);
}

void Sessions::forget(const SessionPtr& session) {
    if (session->become(SessionState::gone)) {
        ++agent_.counters.sessions_closed;
        agent_.captures.went(*session);
        leave_run(agent_, *session);
        agent_.ended_connections.add(*session);
        for_each_storm(*session, [this](std::uint32_t peer, std::uint64_t waits) {
            agent_.storms.add_waits(peer, waits);
        });
    }
    session->watch = Watch();
    session->death_watch = Watch();
    session->adoption_timer = Watch();
    hang_up_beside(std::move(session->socket));
    session->quota = {};
    by_id_.erase(session->id);
    if (on_change) on_change();
}

bool Sessions::has_programs() const {
    return agent_.captures.is_on() || std::any_of(by_id_.begin(), by_id_.end(), [](const auto& item) {
               const Session& session = *item.second;
               const bool watches = session.role == SessionRole::command && session.run_id != 0;
               return session.state != SessionState::greeting &&
                      (session.role == SessionRole::program || watches);
           });
}

bool Sessions::is_somebody_greeting() const {
    return std::any_of(by_id_.begin(), by_id_.end(),
                       [](const auto& item) { return item.second->state == SessionState::greeting; });
}

std::vector<SessionPtr> Sessions::in_limbo(pid_t pid) const {
    std::vector<SessionPtr> found;
    for (const auto& [id, session] : by_id_) {
        if (session->state == SessionState::limbo && session->process.pid() == pid) found.push_back(session);
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    return found;
}

}  // namespace xylem::agent
