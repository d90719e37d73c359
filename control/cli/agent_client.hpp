// A session of role `command` with the agent of one domain: asks for reports, gets JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "control/cli/failure.hpp"
#include "control/protocol/codec.hpp"
#include "control/protocol/session_protocol.h"

namespace xylem::cli {

class AgentClient {
  public:
    // Errors: kNoAgent if none answers in this domain; kFailed if one is there but cannot be spoken to.
    static Outcome<AgentClient> open(std::uint32_t domain);

    // The report; its fields are in control/README.md. `target` is for explain only.
    Outcome<nlohmann::json> ask(QueryKind what, const SocketName& target = {});

    // Opens a run of that id, which lives as long as this client; QueryKind::run asks for its sums.
    Outcome<void> open_run(std::uint64_t id);

    // Begins to capture what programs move, as long as this client lives. Returns the request id that the
    // agent's `captured` answers carry.
    Outcome<std::uint32_t> begin_capture(std::uint32_t snap_bytes);
    // Readable when there is one. Errors of take_answer(): would_block if there is none, else the agent is
    // gone.
    int fd() const { return socket_.get(); }
    [[nodiscard]] Result<std::size_t> take_answer(Received& answer) const;

    std::uint32_t domain() const { return domain_; }

  private:
    AgentClient(std::uint32_t domain, UniqueFd socket) : domain_(domain), socket_(std::move(socket)) {}
    Outcome<Received> exchange(const MessageHeader& question);
    Outcome<void> greet();

    std::uint32_t domain_;
    UniqueFd socket_;
    std::uint32_t last_request_id_ = 0;
};

// Of a runtime directory whose path leaves no room for an agent's socket.
tl::unexpected<Failure> path_too_long();

// Opens, asks one thing, closes.
Outcome<nlohmann::json> ask_agent(std::uint32_t domain, QueryKind what, const SocketName& target = {});

}  // namespace xylem::cli
