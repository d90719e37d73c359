// `xylem explain`: what a connect() to an address would do now, and why. With an agent, the answer is the
// agent's dry run of exactly that connect. Without one it is what the hosts map says, and that no agent runs.
#include <fmt/format.h>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/explanation.hpp"
#include "control/cli/hosts_source.hpp"
#include "control/cli/target.hpp"
#include "control/cli/verb.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description explain_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "the domain that would connect; default XYLEM_DOMAIN, else the default agent's, else the guest's, "
        "else 1");
    add("json", "print JSON");
    return known;
}

Outcome<Json> ask(std::uint32_t domain, const SocketName& target) {
    auto client = AgentClient::open(domain);
    if (!client) return tl::unexpected(client.error());
    auto answer = client->ask(QueryKind::explain, target);
    if (!answer) return answer;
    auto map = client->ask(QueryKind::map);
    if (!map) return map;
    (*answer)["file"] = member(*map, "file");
    (*answer)["from_file"] = member(*map, "from_file");
    (*answer)["agent"] = true;
    return answer;
}

void set_reason(Json& answer, Reason reason) {
    const auto code = static_cast<std::uint32_t>(reason);
    answer["reason"] = reason_name(code);
    answer["reason_text"] = reason_text(code);
}

// The same fields as the agent's report, as far as the hosts map knows them.
Outcome<Json> read_map(std::uint32_t domain, const SocketName& target) {
    auto source = read_hosts(std::nullopt);
    if (!source) return tl::unexpected(source.error());
    Json answer{{"domain", domain},     {"agent", false},
                {"file", source->file}, {"target", {{"text", target_text(target)}, {"port", target.port}}},
                {"entry", nullptr},     {"target_domain", nullptr},
                {"transport", "tcp"},   {"asked_peer", false},
                {"policy", nullptr}};
    set_reason(answer, Reason::no_agent);
    auto address = address_of(target);
    if (!address) {
        answer["target"]["family"] = "vsock";
        answer["transport"] = "vsock";
        return answer;
    }
    auto match = source->map.find(*address);
    if (!match) {
        set_reason(answer, Reason::not_mapped);
        return answer;
    }
    answer["entry"] = entry_json(*match->entry);
    if (match->place.kind == PlaceKind::tcp) {
        set_reason(answer, Reason::mapped_to_tcp);
    } else if (match->place.kind != PlaceKind::guest) {  // who it is by now only an agent knows
        answer["target_domain"] = match->place.domain;
    }
    return answer;
}

Outcome<int> run_explain(const Arguments& arguments) {
    if (arguments.rest().empty()) {
        return misused("explain: no address given", "for example: xylem explain 127.44.0.1:5201");
    }
    auto target = parse_target(arguments.rest()[0]);
    if (!target) return tl::unexpected(target.error());
    auto domain = chosen_domain(arguments.value("domain"));
    if (!domain) return tl::unexpected(domain.error());
    auto answer = ask(*domain, target->name);
    if (!answer && answer.error().exit_code == kNoAgent) answer = read_map(*domain, target->name);
    if (!answer) return tl::unexpected(answer.error());
    if (!target->resolved_by.empty()) (*answer)["host_name"] = target->resolved_by;
    if (arguments.has("json")) {
        // The name of a file may be any bytes.
        fmt::print("{}\n", answer->dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        fmt::print("{}", explanation_text(*answer, colours_on(stdout)));
    }
    return kOk;
}

}  // namespace

const Verb kExplainVerb{
    "explain",
    "say which transport a connect would get, and why",
    "explain [--domain N] [--json] ADDRESS[:PORT]",
    "ADDRESS is IPv4, IPv6 (in brackets before a port), vsock:CID, or a host name. With a port the\n"
    "peer's agent is asked whether a program listens there and the policy allows it; nothing connects.",
    "xylem explain 127.44.0.1:5201\n"
    "xylem explain --domain 2 '[fd00::7]:80'\n"
    "xylem explain vsock:3:1024",
    explain_options,
    run_explain,
    1,
};

}  // namespace xylem::cli
