// Domains are asked one after the other: a question takes well under a millisecond. A folder without an
// answering agent is usual (its agent ended when idle), so it is not worth a word under --all; an agent that
// is there and fails is.
#include "control/cli/gather.hpp"

#include <fmt/format.h>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/protocol/runtime_paths.hpp"

namespace xylem::cli {

Outcome<std::vector<std::uint32_t>> chosen_domains(const Arguments& arguments) {
    if (!arguments.has("all")) {
        auto domain = chosen_domain(arguments.value("domain"));
        if (!domain) return tl::unexpected(domain.error());
        return std::vector{*domain};
    }
    if (arguments.has("domain")) return misused("--all and --domain exclude each other");
    if (runtime_directory().text[0] == '\0') return path_too_long();
    auto domains = domains_present();
    if (domains.empty()) {
        return failed(kNoAgent, fmt::format("there is no domain in {}", runtime_directory().text),
                      "start one: xylem run --domain 1 -- COMMAND");
    }
    return domains;
}

tl::unexpected<Failure> nobody_answers() {
    return failed(kNoAgent, fmt::format("no agent answers in {}", runtime_directory().text),
                  "start one: xylem run --domain 1 -- COMMAND");
}

Outcome<Json> gather(const std::vector<std::uint32_t>& domains, QueryKind what, bool tolerate,
                     const std::function<void(const Failure&)>& tell) {
    Json reports = Json::array();
    for (const std::uint32_t domain : domains) {
        auto answer = ask_agent(domain, what);
        if (answer) {
            reports.push_back(std::move(*answer));
        } else if (!tolerate) {
            return tl::unexpected(answer.error());
        } else if (answer.error().exit_code != kNoAgent) {
            tell(answer.error());
        }
    }
    if (reports.empty()) return nobody_answers();
    return Json{{"domains", std::move(reports)}};
}

}  // namespace xylem::cli
