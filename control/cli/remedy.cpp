// One row a reason. Reasons without a row need no remedy (ring) or have none (a version mismatch says it
// all).
#include "control/cli/remedy.hpp"

#include <array>
#include <utility>

namespace xylem::cli {

std::string_view remedy_for(std::string_view code) {
    using Row = std::pair<std::string_view, std::string_view>;
    static constexpr std::array<Row, 26> kRows{{
        {"not_mapped", "add a line for the address to the hosts map (xylem-hosts(5))"},
        {"mapped_to_tcp", "change the line, if the address is a domain's after all"},
        {"other_node", "run the bridge xylem-rdma on both nodes"},
        {"node_unreachable",
         "look at the log of xylem-rdma on both nodes: is it there, has it the same key?"},
        {"no_transport",
         "change the line's option over=, or see in the log of xylem-rdma why it has no device"},
        {"unknown_guest",
         "start xylemd in that guest, and see that no other one has its name (xl list); or write dom:N"},
        {"no_agent", "start the program with: xylem run -- COMMAND"},
        {"no_peer_agent", "start the peer's program with: xylem run --domain N -- COMMAND"},
        {"agent_timeout", "look at the peer's agent: xylem doctor --domain N"},
        {"no_listener",
         "start the server with: xylem run --domain N -- COMMAND (see what listens: xylem ls --all)"},
        {"listener_private", "bind the server to a wildcard address or to its domain's address"},
        {"refused_by_policy",
         "change the peer's policy (xylem-policy(5)), if the port is meant to be reached"},
        {"backlog_full", "the server accepts too slowly, or with too small a backlog"},
        {"bad_request",
         "XYLEM_RING_SIZE is a power of two in digits, 4096 to 67108864; else look at the agent's log"},
        {"quota_reached", "see the quotas: xylem stat; raise them: xylemd --max-ends, --max-memory"},
        {"version_mismatch", "install one version of Xylem on both sides and restart both agents"},
        {"no_memory", "raise the limits of descriptors and locked memory (ulimit -n, -l)"},
        {"no_source_address",
         "give the calling domain an address of the same family, in a line of the peer's hosts map"},
        {"accepted_over_tcp",
         "start the client with: xylem run --domain N -- COMMAND (ask there: xylem explain)"},
        {"static_program", "link the program dynamically"},
        {"go_program", "none: Go's runtime cannot be preloaded into"},
        {"privileged_program", "run it as the user whose rights it takes, where that is acceptable"},
        {"other_machine", "run a build of the program for this machine's processor"},
        {"not_preloaded", "start it with xylem run, or hand LD_PRELOAD and XYLEM_* variables on to it"},
        {"io_uring", "switch io_uring off in the program's configuration"},
        {"disabled", "unset XYLEM_DISABLE; programs with more rights than their caller stay on TCP"},
    }};
    for (const auto& [name, text] : kRows) {
        if (name == code) return text;
    }
    return {};
}

}  // namespace xylem::cli
