// One report from one domain, or from every domain of the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/arguments.hpp"
#include "control/cli/json_field.hpp"
#include "control/protocol/session_protocol.h"

namespace xylem::cli {

// The domains that --domain and --all choose. Errors: kUsage if both are given; kNoAgent if --all finds none.
Outcome<std::vector<std::uint32_t>> chosen_domains(const Arguments& arguments);

// None of several answers.
tl::unexpected<Failure> nobody_answers();

// {"domains": [report, ...]}. With `tolerate`, domains whose agent does not answer are left out, and failures
// of those that have one are told; if none answers, that is an error all the same.
Outcome<Json> gather(const std::vector<std::uint32_t>& domains, QueryKind what, bool tolerate,
                     const std::function<void(const Failure&)>& tell = report);

}  // namespace xylem::cli
