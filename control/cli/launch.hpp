// A command that is to run with its sockets on Xylem: for `xylem run`, which becomes it, and `xylem tune`,
// which runs it again and again.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <string>
#include <vector>

#include "control/cli/agent_start.hpp"
#include "control/cli/arguments.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::cli {

struct Launch {
    AgentWish wish;                    // the domain and its agent
    std::vector<std::string> command;  // never empty
    std::string program;               // the command's file
    std::string library;               // the guest library's
    Reason obstacle = Reason::none;    // what keeps the library out of the program
};

// --domain, of which `domain_of` says whose it is, --hosts, --policy and --agent-log.
void add_agent_options(boost::program_options::options_description& known,
                       const char* domain_of = "the domain that COMMAND belongs to");
// Reads them. Changes nothing.
Outcome<AgentWish> read_agent_wish(const Arguments& arguments);

// Reads those options and the command behind them. Changes nothing; errors are found before anything starts.
Outcome<Launch> read_launch(const Arguments& arguments);

// Domain and library, into the environment of this process.
Outcome<void> set_environment(const Launch& launch);

// execvp(3). Returns only if the command cannot be executed.
tl::unexpected<Failure> become(const Launch& launch);

}  // namespace xylem::cli
