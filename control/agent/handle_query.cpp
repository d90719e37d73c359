// query: reports for people, as JSON in a memfd that nobody can change any more.
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/agent/agent.hpp"
#include "control/agent/answers.hpp"
#include "control/agent/handlers.hpp"
#include "control/agent/names.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {
namespace {

UniqueFd sealed_text(const std::string& text) {
    UniqueFd fd(::memfd_create("xylem-report", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    for (std::size_t done = 0; fd && done < text.size();) {
        const ssize_t written = ::write(fd.get(), text.data() + done, text.size() - done);
        if (written <= 0) return UniqueFd();
        done += static_cast<std::size_t>(written);
    }
    if (fd) ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return fd;
}

void answer_report(Agent& agent, Session& session, std::uint32_t request_id, const Json& json) {
    // Text from programs is printable already; should it not be UTF-8 all the same, it is replaced.
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    const UniqueFd fd = sealed_text(text);
    if (!fd) return answer_failed(agent, session, request_id, Reason::no_memory, errno);
    auto report = make_answer<ReportMessage>(SessionMessage::report, request_id);
    report.size_bytes = text.size();
    answer(agent, session, report, {fd.get()});
}

void run(Agent& agent, Session& session, std::uint32_t request_id) {
    const RunSums* ended = session.role == SessionRole::command ? agent.runs.find(session.run_id) : nullptr;
    if (ended == nullptr) return answer_failed(agent, session, request_id, Reason::bad_request);
    answer_report(agent, session, request_id, report_run(agent, session.run_id, *ended));
}

void explain(Agent& agent, const SessionPtr& session, std::uint32_t request_id, const SocketName& target) {
    if (!is_known_family(target)) {
        return answer_failed(agent, *session, request_id, Reason::bad_request);
    }
    agent.sessions.await_answer(*session);
    report_explain(agent, cleaned(target), [&agent, id = session->id, request_id](const Json& json) {
        const SessionPtr asker = agent.sessions.find(id);
        if (asker == nullptr) return;
        answer_report(agent, *asker, request_id, json);
        agent.sessions.answered(asker);
    });
}

}  // namespace

void handle_query(Agent& agent, const SessionPtr& session, Received& message) {
    const QueryMessage ask = *message.as<QueryMessage>();
    const std::uint32_t request_id = ask.header.request_id;
    ++agent.counters.queries;
    switch (static_cast<QueryKind>(ask.what)) {
        case QueryKind::sockets:
            return answer_report(agent, *session, request_id, report_sockets(agent));
        case QueryKind::statistics:
            return answer_report(agent, *session, request_id, report_statistics(agent));
        case QueryKind::map:
            return answer_report(agent, *session, request_id, report_map(agent));
        case QueryKind::health:
            return answer_report(agent, *session, request_id, report_health(agent));
        case QueryKind::explain:
            return explain(agent, session, request_id, ask.target);
        case QueryKind::run:
            return run(agent, *session, request_id);
    }
    answer_failed(agent, *session, request_id, Reason::bad_request);
}

}  // namespace xylem::agent
