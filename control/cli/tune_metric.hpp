// The number that `xylem tune` takes from what the command prints.
#pragma once

#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// A decimal number, with a unit if it has one: k K M G T (powers of 1000), of times ns us ms s. What follows
// such a letter but a digit or point belongs to the unit: "9.4 Gbits/sec", "850us". Nothing for anything
// else.
std::optional<double> number_with_unit(std::string_view text);

class TuneMetric {
  public:
    // As ECMAScript has regular expressions; its first group holds the number. Errors: kUsage.
    static Outcome<TuneMetric> parse(const std::string& expression);

    // What the first group holds in that line, if the expression is found in it.
    std::optional<std::string> find_in(const std::string& line) const;
    const std::string& expression() const { return expression_; }

  private:
    TuneMetric(std::string expression, std::regex regex)
        : expression_(std::move(expression)), regex_(std::move(regex)) {}

    std::string expression_;
    std::regex regex_;
};

}  // namespace xylem::cli
