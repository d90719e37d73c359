// Does the domain's agent answer, is it of this version, and what does it say about itself? That none runs is
// no fault: `xylem run` starts one.
#include <fmt/format.h>

#include "control/cli/agent_client.hpp"
#include "control/cli/check.hpp"
#include "control/cli/json_field.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/version.hpp"

namespace xylem::cli {
namespace {

Check check_version(const Json& health) {
    const std::string version = text_at(health, "version", "?");
    if (version == kVersion) return {Verdict::ok, "agent version", version, ""};
    return {Verdict::warn, "agent version",
            fmt::format("the agent is {}, this command {}", version, kVersion), "restart the agent"};
}

Check check_descriptors(const Json& health) {
    const Json& limits = member(health, "limits");
    const auto used = number_at(limits, "nofile_used");
    const auto limit = number_at(limits, "nofile_soft");
    const std::string found = fmt::format("{} of {} descriptors in use", used.value_or(0),
                                          limit ? fmt::format("{}", *limit) : "unlimited");
    if (!limit || static_cast<double>(used.value_or(0)) < kNearlyFull * static_cast<double>(*limit)) {
        return {Verdict::ok, "agent limits", found, ""};
    }
    return {Verdict::warn, "agent limits", found,
            "start the agent with a higher limit (ulimit -n, LimitNOFILE=)"};
}

Check check_links(const Json& health) {
    unsigned ready = 0;
    for (const Json& link : member(health, "links")) {
        if (const std::string error = text_at(link, "last_error"); !error.empty()) {
            return {Verdict::warn, "agent links",
                    fmt::format("to domain {}: {}", number_at(link, "domain").value_or(0), error),
                    "see: xylem stat"};
        }
        if (text_at(link, "state") == "ready") ++ready;
    }
    return {Verdict::ok, "agent links", fmt::format("{} ready", ready), ""};
}

}  // namespace

Checks check_agent(std::uint32_t domain) {
    auto health = ask_agent(domain, QueryKind::health);
    if (!health && health.error().exit_code == kNoAgent) {
        return {
            {Verdict::ok, "agent", fmt::format("none runs for domain {}; xylem run starts one", domain), ""}};
    }
    if (!health) return {{Verdict::fail, "agent", health.error().wrong, health.error().remedy}};
    const std::string found = fmt::format(
        "domain {}, pid {}, up {}, boot {}", domain, number_at(*health, "pid").value_or(0),
        duration_text(number_at(*health, "uptime_seconds").value_or(0)), text_at(*health, "boot_id", "?"));
    return {{Verdict::ok, "agent", found, ""},
            check_version(*health),
            check_descriptors(*health),
            check_links(*health)};
}

}  // namespace xylem::cli
