// Captures: a word in each session page turns capturing on and off. It is off in the page of a new session,
// whatever an agent before left there. News are queued: a command that is busy writing takes them later, and
// is no worse off, since programs write meanwhile.
#include "control/agent/captures.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/session_records.hpp"
#include "control/protocol/seqpacket.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kAgainNs = 5 * kNsPerMs;

CaptureArea& area_of(const Session& program) { return program.page.as<SessionPage>()->capture; }

void turn(const Session& program, bool on) {
    if (program.page) area_of(program).is_on.store_release(on ? 1 : 0);
}

bool is_program(const Session& session) {
    return session.role == SessionRole::program && session.state != SessionState::greeting &&
           page_of(session) != nullptr;
}

// What the kernel keeps from a user, it also keeps from the user's debuggers: a program that was another's,
// or has secrets (prctl(2), PR_SET_DUMPABLE).
bool may_look_into(pid_t pid, uid_t uid) {
    struct stat status {};
    return ::stat(fmt::format("/proc/{}/mem", pid).c_str(), &status) == 0 && status.st_uid == uid;
}

}  // namespace

void Captures::begin(Session& command, std::uint32_t request_id, std::uint32_t snap_bytes) {
    by_ = command.id;
    uid_ = command.uid;
    request_id_ = request_id;
    snap_bytes_ = snap_bytes != 0 ? snap_bytes : ~0U;
    spdlog::info("user {} begins to capture what programs of this domain move", uid_);
    agent_.sessions.for_each([this](Session& session) { came(session); });
}

void Captures::came(Session& program) {
    turn(program, false);
    if (!is_on() || !is_program(program)) return;
    const bool may_see = uid_ == 0 || (uid_ == program.uid && may_look_into(program.process.pid(), uid_));
    tell(program, may_see ? CapturedState::came : CapturedState::not_yours);
    if (!may_see) return;
    area_of(program).snap_bytes.store_relaxed(snap_bytes_);
    turn(program, true);
}

// Processes that share a session could speak in turns without end: of what waits, the last name counts.
void Captures::renamed(const Session& program) {
    if (!is_on() || !is_program(program)) return;
    constexpr auto kRenamed = static_cast<std::uint32_t>(CapturedState::renamed);
    std::erase_if(news_, [&program](const News& news) {
        return news.session == program.id && news.message.state == kRenamed;
    });
    tell(program, CapturedState::renamed);
}

// Of a program of which the command has not heard yet, it need not hear.
void Captures::went(const Session& session) {
    if (session.id == by_) return end();
    if (!is_on()) return;
    std::erase_if(news_, [&session](const News& news) { return news.session == session.id; });
    if (told_.erase(session.id) > 0) tell(session, CapturedState::went);
}

CapturedMessage Captures::news_of(const Session& program, CapturedState state) const {
    auto news = make_answer<CapturedMessage>(SessionMessage::captured, request_id_);
    news.session_id = program.id;
    news.state = static_cast<std::uint32_t>(state);
    news.pid = static_cast<std::uint32_t>(program.process.pid());
    std::strncpy(news.program, program.program.c_str(), sizeof news.program - 1);
    if (state == CapturedState::came) {
        news.begin = area_of(program).head.load_acquire();
        news.lost_before = area_of(program).lost_pieces.load_relaxed();
    }
    return news;
}

void Captures::tell(const Session& program, CapturedState state) {
    news_.push_back({program.id, news_of(program, state)});
    if (!again_) again_ = agent_.loop.after(0, [this] { tell_more(); });
}

void Captures::tell_more() {
    again_ = Watch();
    const SessionPtr command = agent_.sessions.find(by_);
    if (command == nullptr) return;
    while (!news_.empty() && tell_one(*command, news_.front())) news_.pop_front();
    if (!news_.empty()) again_ = agent_.loop.after(kAgainNs, [this] { tell_more(); });
}

// False: not now. A page that cannot be sent is not captured.
bool Captures::tell_one(Session& command, const News& news) {
    const bool shows_page = news.message.state == static_cast<std::uint32_t>(CapturedState::came);
    const SessionPtr program = shows_page ? agent_.sessions.find(news.session) : nullptr;
    const int page = program != nullptr ? program->page_fd.get() : -1;
    if (shows_page && page < 0) return true;
    const auto sent =
        send_message(command.socket.get(), &news.message, sizeof news.message, &page, shows_page ? 1 : 0);
    if (!sent && sent.error().kind == ErrorKind::would_block) return false;
    if (!shows_page) return true;
    if (sent) {
        told_.insert(news.session);
    } else {
        turn(*program, false);
    }
    return true;
}

void Captures::end() {
    by_ = 0;
    news_.clear();
    told_.clear();
    again_ = Watch();
    agent_.sessions.for_each([](const Session& session) { turn(session, false); });
    spdlog::info("user {} captures no more", uid_);
}

void handle_capture(Agent& agent, const SessionPtr& session, Received& message) {
    const CaptureMessage wish = *message.as<CaptureMessage>();
    const std::uint32_t request_id = wish.header.request_id;
    if (session->role != SessionRole::command) {
        return answer_failed(agent, *session, request_id, Reason::bad_request);
    }
    if (agent.captures.is_on()) {
        return answer_failed(agent, *session, request_id, Reason::bad_request, EBUSY);
    }
    answer(agent, *session, make_answer<PlainMessage>(SessionMessage::done, request_id));
    if (session->socket) agent.captures.begin(*session, request_id, wish.snap_bytes);
}

}  // namespace xylem::agent
