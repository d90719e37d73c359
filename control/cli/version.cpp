// `xylem version`: the release, and the protocol versions that decide what works together.
#include "control/cli/version.hpp"

#include <fmt/format.h>

#include "control/cli/verb.hpp"
#include "control/protocol/map_table_layout.h"
#include "control/protocol/message_header.h"

namespace xylem::cli {
namespace {

Outcome<int> run_version(const Arguments&) {
    fmt::print("xylem {} (control protocol {}, map table {})\n", kVersion, kProtocolVersion,
               kMapTableVersion);
    return kOk;
}

}  // namespace

const Verb kVersionVerb{
    "version",   "print the version",
    "version",   "",
    "",          [] { return boost::program_options::options_description(); },
    run_version,
};

}  // namespace xylem::cli
