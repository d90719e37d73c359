// Which of several measured settings is better than the present one, if any is by more than the noise.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "control/cli/tune_plan.hpp"

namespace xylem::cli {

enum class Better : std::uint8_t { lower, higher };

struct Spread {
    double low = 0;  // a quarter of the values is lower
    double median = 0;
    double high = 0;  // a quarter is higher

    double width() const { return high - low; }
};

// Of at least one value; between two values lies what is between them.
Spread spread_of(std::vector<double> values);

struct Measured {
    TuneSetting setting;
    std::vector<double> values;
    std::string fault;  // why it is out of the choice; empty if it is not

    bool counts() const { return fault.empty() && values.size() >= kMinRepetitions; }
};

// By more than both spreads together, by more than kMinGain, and with its runs further ahead than by chance:
// of five and five, each of a is better than each of b; of more, some may be worse.
bool is_clearly_better(const Measured& a, const Measured& b, Better better);

inline constexpr double kMinGain = 0.01;  // of the worse median: less is not worth a line of configuration
inline constexpr double kMinOrder = 2.6;  // standard deviations; five and five in order are 2.61

struct Choice {
    std::size_t chosen = 0;
    std::size_t top = 0;  // the best median among those that are clearly better; else as chosen
};

// measured[0] is the setting of now, and is kept unless others are clearly better. Of these, those that are
// not clearly worse than the best do as well as that one: the first of them is chosen.
Choice choose(std::span<const Measured> measured, Better better);

// How many times as good a is as b: more than 1 is better. 0 if that cannot be said (values that are not
// positive).
double gain_of(double a, double b, Better better);

}  // namespace xylem::cli
