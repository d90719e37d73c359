// hello: opens a session. With clone_of it begins as a further holder of all that another session of the
// same process holds; that process is told from the kernel, so nobody can clone a stranger.
#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/names.hpp"
#include "control/agent/reaper.hpp"
#include "control/agent/session_dispatch.hpp"
#include "control/protocol/session_page_layout.h"
#include "vsock-transport/local/memory_check.hpp"

namespace xylem::agent {
namespace {

bool take_page(Session& session, const HelloMessage& hello, Received& message) {
    if (hello.has_page == 0) return message.fd_count == 0;
    if (message.fd_count != 1 ||
        !is_sound_memory(message.fds[0].get(), sizeof(SessionPage), Access::read_write))
        return false;
    Result<Mapping> page = Mapping::shared(message.fds[0].get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    if (!page) return false;
    session.page = std::move(*page);
    session.page_fd = std::move(message.fds[0]);
    return true;
}

SessionPtr cloned_session(Agent& agent, const Session& session, std::uint64_t id) {
    const SessionPtr original = agent.sessions.find(id);
    const bool is_same_process = original != nullptr && original->state == SessionState::open &&
                                 session.dialler_pid != 0 && original->process.pid() == session.dialler_pid;
    // What it said before it asked for a clone, it said on another socket.
    if (is_same_process) agent.sessions.read_all(original);
    return is_same_process && original->state == SessionState::open ? original : nullptr;
}

}  // namespace

void handle_hello(Agent& agent, const SessionPtr& session, Received& message) {
    const HelloMessage hello = *message.as<HelloMessage>();
    const std::uint32_t request_id = hello.header.request_id;
    const SessionPtr original =
        hello.clone_of != 0 ? cloned_session(agent, *session, hello.clone_of) : nullptr;
    const bool is_command = hello.role == static_cast<std::uint32_t>(SessionRole::command);
    if (hello.role > static_cast<std::uint32_t>(SessionRole::command) ||
        (hello.clone_of != 0 && (original == nullptr || is_command)) ||
        !take_page(*session, hello, message)) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    session->become(SessionState::open);
    session->role = static_cast<SessionRole>(hello.role);
    session->program = printable(hello.program);
    ++agent.counters.sessions_opened;
    if (original != nullptr) {
        session->is_clone = true;
        share_holdings(agent, *original, *session);
        if (original->run_id != 0) join(agent, *session, original->run_id);
    } else if (!is_command) {
        start_adoption(agent, session->process.pid());
    }
    spdlog::debug("session {} of {} (pid {})", session->id, session->program, session->process.pid());
    agent.captures.came(*session);  // before the program moves a byte
    auto welcome = make_answer<WelcomeMessage>(SessionMessage::welcome, request_id);
    welcome.session_id = session->id;
    welcome.agent_boot_id = agent.boot_id;
    welcome.own_domain = agent.settings.domain;
    answer(agent, *session, welcome, {agent.map.table_fd()});
    if (agent.sessions.on_change) agent.sessions.on_change();
}

void handle_get_map(Agent& agent, const SessionPtr& session, Received& message) {
    const auto map = make_answer<PlainMessage>(SessionMessage::map, message.header().request_id);
    answer(agent, *session, map, {agent.map.table_fd()});
}

}  // namespace xylem::agent
