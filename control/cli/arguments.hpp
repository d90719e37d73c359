// The words behind a verb: options by name, and the rest.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/failure.hpp"
#include "control/cli/terminal.hpp"

namespace xylem::cli {

struct Verb;

class Arguments {
  public:
    // Errors: kUsage, with a suggestion where a name is nearly right.
    static Outcome<Arguments> parse(const Verb& verb, const std::vector<std::string>& words);

    bool has(const char* option) const { return options_.count(option) != 0; }
    std::optional<std::string> value(const char* option) const;
    // What is not an option, in order.
    const std::vector<std::string>& rest() const { return rest_; }

  private:
    boost::program_options::variables_map options_;
    std::vector<std::string> rest_;
};

// "; did you mean 'x'?", or nothing.
std::string suggestion(const std::string& given, const std::vector<std::string>& known);

}  // namespace xylem::cli
