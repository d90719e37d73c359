// `xylem help [VERB]`: the menu, or the same text as `xylem VERB --help`.
#include <fmt/format.h>

#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

Outcome<int> run_help(const Arguments& arguments) {
    if (arguments.rest().empty()) {
        fmt::print("{}", menu_text());
        return kOk;
    }
    const std::string& name = arguments.rest()[0];
    const Verb* verb = find_verb(name);
    if (verb == nullptr) {
        return misused(fmt::format("there is no verb '{}'{}", printable(name), suggested_verb(name)),
                       "see: xylem help");
    }
    fmt::print("{}", help_text(*verb));
    return kOk;
}

}  // namespace

const Verb kHelpVerb{
    "help",           "print the menu, or the page of one verb",
    "help [VERB]",    "",
    "xylem help run", [] { return boost::program_options::options_description(); },
    run_help,         1,
};

}  // namespace xylem::cli
