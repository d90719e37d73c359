// AgentClient: one question at a time, each answered within kAnswerTimeoutNs or given up with the session.
// The agent is trusted, but a command never hangs on one that is stopped, and never crashes on one that is
// newer: what does not parse is a failure with a sentence.
#include "control/cli/agent_client.hpp"

#include <fmt/format.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "control/protocol/reason.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/mapping.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kAnswerTimeoutNs = 5 * kNsPerSecond;  // five times what explain may take
constexpr std::uint64_t kMaxReportBytes = 256ULL << 20;

tl::unexpected<Failure> not_reached(std::uint32_t domain, const Error& error) {
    const std::string path = agent_socket(domain).text;
    if (error.kind == ErrorKind::out_of_range || path.empty()) return path_too_long();
    if (error.sys_errno == ENOENT || error.sys_errno == ECONNREFUSED || error.sys_errno == ENOTDIR) {
        return failed(
            kNoAgent, fmt::format("no agent runs for domain {} (nothing answers at {})", domain, path),
            fmt::format("start one: xylem run --domain {0} -- COMMAND, or xylemd --domain {0}", domain));
    }
    const bool is_closed = error.sys_errno == EACCES;
    return failed(kFailed,
                  fmt::format("cannot reach the agent of domain {} at {}: {}", domain, path,
                              ::strerror(error.sys_errno)),
                  is_closed ? "be in the agent's group (xylemd --group), or set XYLEM_RUNTIME_DIR" : "");
}

tl::unexpected<Failure> no_answer(std::uint32_t domain, const std::string& why) {
    return failed(kFailed, fmt::format("the agent of domain {} {}", domain, why),
                  "see its log, or restart it");
}

// Where the runtime directory lies in /tmp, anybody may have made it first.
bool is_trusted(int socket) {
    ucred credentials{};
    socklen_t size_bytes = sizeof credentials;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size_bytes) == 0 &&
           (credentials.uid == 0 || credentials.uid == ::geteuid());
}

Outcome<nlohmann::json> read_report(std::uint32_t domain, const Received& answer) {
    const auto* report = answer.as<ReportMessage>();
    if (report == nullptr || answer.fd_count != 1 || report->size_bytes == 0 ||
        report->size_bytes > kMaxReportBytes) {
        return no_answer(domain, "sent no report");
    }
    auto mapped = Mapping::shared(answer.fds[0].get(), report->size_bytes, PROT_READ);
    if (!mapped) return no_answer(domain, "sent a report that cannot be mapped");
    const std::string_view text(mapped->as<const char>(), report->size_bytes);
    nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return no_answer(domain, "sent a report that is not JSON");
    return json;
}

}  // namespace

tl::unexpected<Failure> path_too_long() {
    return failed(kFailed, "the path of the runtime directory is too long for a unix socket",
                  "set XYLEM_RUNTIME_DIR to a shorter one");
}

Outcome<AgentClient> AgentClient::open(std::uint32_t domain) {
    auto socket = dial(agent_socket(domain).text);
    if (!socket) return not_reached(domain, socket.error());
    if (!is_trusted(socket->get())) {
        return failed(kFailed, fmt::format("{} belongs to another user", agent_socket(domain).text),
                      "set XYLEM_RUNTIME_DIR to a folder of your own");
    }
    AgentClient client(domain, std::move(*socket));
    if (auto greeted = client.greet(); !greeted) return tl::unexpected(greeted.error());
    return client;
}

Outcome<void> AgentClient::greet() {
    auto hello = make_message<HelloMessage>(kSessionMagic, SessionMessage::hello, ++last_request_id_);
    hello.role = static_cast<std::uint32_t>(SessionRole::command);
    ::strncpy(hello.program, "xylem", sizeof hello.program - 1);
    auto answer = exchange(hello.header);
    if (!answer) return tl::unexpected(answer.error());
    const auto* welcome = answer->as<WelcomeMessage>();
    if (welcome == nullptr) return no_answer(domain_, "did not welcome this command");
    return {};
}

Outcome<Received> AgentClient::exchange(const MessageHeader& question) {
    if (!send_message(socket_.get(), &question, question.length_bytes)) {
        return no_answer(domain_, "hung up");
    }
    const std::uint64_t deadline_ns = deadline_after(kAnswerTimeoutNs);
    for (;;) {
        if (auto ready = wait_readable(socket_.get(), deadline_ns); !ready) {
            if (ready.error().sys_errno == EINTR) continue;
            return no_answer(domain_, "does not answer");
        }
        Received answer;
        if (!receive_message(socket_.get(), answer)) return no_answer(domain_, "hung up");
        const HeaderFault fault = check_header(answer, kSessionMagic);
        if (fault == HeaderFault::wrong_version) {
            return no_answer(domain_, fmt::format("speaks protocol version {}, this command {}",
                                                  answer.header().version, kProtocolVersion));
        }
        if (fault != HeaderFault::none) return no_answer(domain_, "sent something that is no answer");
        if (answer.header().request_id == question.request_id) return answer;
    }
}

Outcome<nlohmann::json> AgentClient::ask(QueryKind what, const SocketName& target) {
    auto query = make_message<QueryMessage>(kSessionMagic, SessionMessage::query, ++last_request_id_);
    query.what = static_cast<std::uint32_t>(what);
    query.target = target;
    auto answer = exchange(query.header);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->header().type == static_cast<std::uint16_t>(SessionMessage::failed)) {
        const auto* refusal = answer->as<FailedMessage>();
        return no_answer(domain_, fmt::format("refused the question: {}",
                                              reason_text(refusal != nullptr ? refusal->reason : ~0U)));
    }
    return read_report(domain_, *answer);
}

Outcome<void> AgentClient::open_run(std::uint64_t id) {
    auto question = make_message<IdMessage>(kSessionMagic, SessionMessage::run, ++last_request_id_);
    question.id = id;
    auto answer = exchange(question.header);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->header().type != static_cast<std::uint16_t>(SessionMessage::done)) {
        return no_answer(domain_, "does not watch runs: it is of another version");
    }
    return {};
}

Outcome<std::uint32_t> AgentClient::begin_capture(std::uint32_t snap_bytes) {
    auto question = make_message<CaptureMessage>(kSessionMagic, SessionMessage::capture, ++last_request_id_);
    question.snap_bytes = snap_bytes;
    auto answer = exchange(question.header);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->header().type == static_cast<std::uint16_t>(SessionMessage::done)) return last_request_id_;
    const auto* refusal = answer->as<FailedMessage>();
    if (refusal != nullptr && refusal->sys_errno == EBUSY) {
        return failed(kFailed, fmt::format("somebody captures in domain {} already", domain_));
    }
    return no_answer(domain_, "does not let this command capture");
}

Result<std::size_t> AgentClient::take_answer(Received& answer) const {
    return receive_message(socket_.get(), answer);
}

Outcome<nlohmann::json> ask_agent(std::uint32_t domain, QueryKind what, const SocketName& target) {
    auto client = AgentClient::open(domain);
    if (!client) return tl::unexpected(client.error());
    return client->ask(what, target);
}

}  // namespace xylem::cli
