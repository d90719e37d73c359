// run, bypass: what `xylem run --why` counts. A command opens a run, a program names one. A bypass is said
// without a session's hello, and by whoever starts the program in question: that program never says one.
#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/names.hpp"
#include "control/agent/runs.hpp"
#include "control/agent/session_dispatch.hpp"

namespace xylem::agent {
namespace {

bool is_bypass(std::uint32_t reason) {
    return reason >= static_cast<std::uint32_t>(Reason::static_program) &&
           reason <= static_cast<std::uint32_t>(Reason::io_uring);
}

}  // namespace

void handle_run(Agent& agent, const SessionPtr& session, Received& message) {
    const IdMessage ask = *message.as<IdMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    const bool is_command = session->role == SessionRole::command;
    if (session->run_id != 0 || (is_command && !agent.runs.open(ask.id))) {
        return refuse_malformed(agent, session, request_id, Reason::bad_request);
    }
    if (is_command) {
        session->run_id = ask.id;
        if (agent.sessions.on_change) agent.sessions.on_change();
    } else {
        join(agent, *session, ask.id);
    }
    answer(agent, *session, make_answer<PlainMessage>(SessionMessage::done, request_id));
}

void handle_bypass(Agent& agent, const SessionPtr& session, Received& message) {
    const BypassMessage told = *message.as<BypassMessage>();
    if (!is_bypass(told.reason)) {
        return refuse_malformed(agent, session, told.header.request_id, Reason::bad_request);
    }
    if (RunSums* run = agent.runs.find(told.run_id)) {
        run->add_bypass(static_cast<Reason>(told.reason), printable(told.program));
    }
}

}  // namespace xylem::agent
