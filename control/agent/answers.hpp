// Answering a session's question. An answer that cannot be queued ends the session: its program asks without
// reading.
#pragma once

#include <initializer_list>

#include "control/agent/session.hpp"
#include "control/protocol/codec.hpp"
#include "control/protocol/reason.hpp"
#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

struct Agent;
struct End;
struct Listener;

template <class Message>
Message make_answer(SessionMessage type, std::uint32_t request_id) {
    return make_message<Message>(kSessionMagic, type, request_id);
}

// Nothing is sent where nobody waits for it (request_id 0, or the session is over).
// False where the system would not send the descriptors (the answer is lost then, and the session goes on).
bool send_answer(Agent& agent, Session& session, const MessageHeader& message,
                 std::initializer_list<int> fds);
template <class Message>
void answer(Agent& agent, Session& session, const Message& message, std::initializer_list<int> fds = {}) {
    send_answer(agent, session, message.header, fds);
}
void answer_failed(Agent& agent, Session& session, std::uint32_t request_id, Reason reason,
                   int sys_errno = 0);
// What a process needs to map an end's memory: the message, and the descriptor of the slab that goes with it.
struct Handed {
    AttachedMessage message;
    UniqueFd slab;
};
// Errors: system.
Result<Handed> hand_out(Agent& agent, const End& end, std::uint32_t request_id);
// False where the session did not get it: it does not hold what it was to get.
bool answer_attached(Agent& agent, Session& session, std::uint32_t request_id, const End& end);
void answer_listening(Agent& agent, Session& session, std::uint32_t request_id, const Listener& listener);

}  // namespace xylem::agent
