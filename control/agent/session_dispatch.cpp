// Session messages by kind: one table of lengths, descriptors and handlers. A message that does not fit its
// row is answered bad_request; nothing of it is looked at.
#include "control/agent/session_dispatch.hpp"

#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"

namespace xylem::agent {
namespace {

using Handler = void (*)(Agent&, const SessionPtr&, Received&);

struct Row {
    SessionMessage type;
    std::size_t size_bytes;
    unsigned max_fds;
    bool needs_request_id;
    Handler handle;
};

constexpr Row kRows[] = {
    {SessionMessage::hello, sizeof(HelloMessage), 1, true, handle_hello},
    {SessionMessage::get_map, sizeof(PlainMessage), 0, false, handle_get_map},
    {SessionMessage::listen, sizeof(ListenMessage), 2, false, handle_listen},
    {SessionMessage::unlisten, sizeof(IdMessage), 0, false, handle_unlisten},
    {SessionMessage::accepted, sizeof(AcceptedMessage), 1, false, handle_accepted},
    {SessionMessage::connect, sizeof(ConnectMessage), 1, true, handle_connect},
    {SessionMessage::release, sizeof(ReleaseMessage), 0, false, handle_release},
    {SessionMessage::bell_new, sizeof(BellNewMessage), 2, true, handle_bell_new},
    {SessionMessage::bell_free, sizeof(IdMessage), 0, false, handle_bell_free},
    {SessionMessage::bell_find, sizeof(BellFindMessage), 0, true, handle_bell_find},
    {SessionMessage::bell_ring, sizeof(BellRingMessage), 0, false, handle_bell_ring},
    {SessionMessage::adopt, sizeof(IdMessage), 1, true, handle_adopt},
    {SessionMessage::rejoin, sizeof(RejoinMessage), 1, false, handle_rejoin},
    {SessionMessage::query, sizeof(QueryMessage), 0, true, handle_query},
    {SessionMessage::lend, sizeof(IdMessage), 0, false, handle_lend},
    {SessionMessage::bind, sizeof(BindMessage), 1, true, handle_bind},
    {SessionMessage::unbind, sizeof(IdMessage), 0, false, handle_unbind},
    {SessionMessage::run, sizeof(IdMessage), 0, false, handle_run},
    {SessionMessage::capture, sizeof(CaptureMessage), 0, true, handle_capture},
    {SessionMessage::bypass, sizeof(BypassMessage), 0, false, handle_bypass},
};

// hello comes first and once; a bypass needs none.
bool is_its_turn(const Session& session, std::uint16_t type) {
    if (type == static_cast<std::uint16_t>(SessionMessage::bypass)) return true;
    const bool is_hello = type == static_cast<std::uint16_t>(SessionMessage::hello);
    return is_hello == (session.state == SessionState::greeting);
}

const Row* row_for(const Session& session, const Received& message) {
    const MessageHeader& header = message.header();
    if (!is_its_turn(session, header.type)) return nullptr;
    for (const Row& row : kRows) {
        if (static_cast<std::uint16_t>(row.type) != header.type) continue;
        const bool fits = message.size_bytes == row.size_bytes && message.fd_count <= row.max_fds &&
                          (header.request_id != 0 || !row.needs_request_id);
        return fits ? &row : nullptr;
    }
    return nullptr;
}

}  // namespace

void refuse_malformed(Agent& agent, const SessionPtr& session, std::uint32_t request_id, Reason reason) {
    ++agent.counters.malformed_messages;
    answer_failed(agent, *session, request_id, reason);
    if (++session->malformed < kMaxMalformed) return;
    spdlog::debug("session {} ({}, pid {}): {} messages made no sense: closed", session->id, session->program,
                  session->process.pid(), session->malformed);
    agent.sessions.hang_up(session);
}

void dispatch(Agent& agent, const SessionPtr& session, Received& message) {
    const HeaderFault fault = check_header(message, kSessionMagic);
    const bool has_header = fault != HeaderFault::cut_short && fault != HeaderFault::wrong_magic;
    const std::uint32_t request_id = has_header ? message.header().request_id : 0;
    if (fault == HeaderFault::wrong_version) {
        return refuse_malformed(agent, session, request_id, Reason::version_mismatch);
    }
    const Row* row = fault == HeaderFault::none ? row_for(*session, message) : nullptr;
    if (row == nullptr) return refuse_malformed(agent, session, request_id, Reason::bad_request);
    row->handle(agent, session, message);
}

}  // namespace xylem::agent
