// Answers: one datagram each, never waiting.
#include "control/agent/answers.hpp"

#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/protocol/seqpacket.hpp"
#include "vsock-transport/ring/slab_layout.h"

namespace xylem::agent {

bool send_answer(Agent& agent, Session& session, const MessageHeader& message,
                 std::initializer_list<int> fds) {
    if (message.request_id == 0 || !session.socket) return true;
    const auto sent = send_message(session.socket.get(), &message, message.length_bytes, fds.begin(),
                                   static_cast<unsigned>(fds.size()));
    if (sent || sent.error().kind == ErrorKind::closed) return true;  // closed: the hang-up is on its way
    if (sent.error().kind == ErrorKind::system && fds.size() > 0) return false;
    spdlog::debug("session {} ({}) does not take its answers: closed", session.id, session.program);
    agent.sessions.hang_up(agent.sessions.find(session.id));
    return true;
}

void answer_failed(Agent& agent, Session& session, std::uint32_t request_id, Reason reason, int sys_errno) {
    auto failed = make_answer<FailedMessage>(SessionMessage::failed, request_id);
    failed.reason = static_cast<std::uint32_t>(reason);
    failed.sys_errno = static_cast<std::uint32_t>(sys_errno);
    answer(agent, session, failed);
}

Result<Handed> hand_out(Agent& agent, const End& end, std::uint32_t request_id) {
    // Numbers are not used again soon: an unmapping of before may still be under way, and clears its byte.
    agent.last_holder = agent.last_holder % (kHolders - 1) + 1;
    std::uint32_t holder = agent.last_holder;
    Result<UniqueFd> slab = end.slab->descriptor(holder);
    if (!slab) return fail(slab.error());
    auto attached = make_answer<AttachedMessage>(SessionMessage::attached, request_id);
    attached.end_id = end.id();
    attached.slab_bytes = end.slab->size_bytes;
    attached.cookie = end.cookie;
    attached.agent_boot_id = agent.boot_id;
    attached.holder = holder;
    return Handed{attached, std::move(*slab)};
}

bool answer_attached(Agent& agent, Session& session, std::uint32_t request_id, const End& end) {
    const Result<Handed> handed = hand_out(agent, end, request_id);
    return handed &&
           send_answer(agent, session, handed->message.header, {handed->slab.get(), end.page_fd.get()});
}

void answer_listening(Agent& agent, Session& session, std::uint32_t request_id, const Listener& listener) {
    auto listening = make_answer<ListeningMessage>(SessionMessage::listening, request_id);
    listening.listener_id = listener.id;
    answer(agent, session, listening, {listener.queue.fd()});
}

}  // namespace xylem::agent
