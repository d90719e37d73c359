// An agent's answer to a query, as a command gets it: a sealed file of JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {

using Json = nlohmann::json;

// null, where the agent answers with anything else.
inline Json report_of(ScriptedClient& client, QueryKind kind, const SocketName& target = {}) {
    auto message = ScriptedClient::make<QueryMessage>(SessionMessage::query);
    message.what = static_cast<std::uint32_t>(kind);
    message.target = target;
    auto got = client.ask(message);
    const bool is_report =
        got && got->header().type == static_cast<std::uint16_t>(SessionMessage::report) && got->fd_count == 1;
    const auto* report = is_report ? got->as<ReportMessage>() : nullptr;
    if (report == nullptr) return {};
    std::string text(report->size_bytes, '\0');
    EXPECT_EQ(::pread(got->fds[0].get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    EXPECT_LT(::pwrite(got->fds[0].get(), "x", 1, 0), 0) << "a report can be changed";
    return Json::parse(text);
}

}  // namespace xylem::agent_test
