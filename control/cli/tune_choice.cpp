// Choosing: medians and quartiles say whether a gain is larger than the noise, and ranks whether it is one.
// The quartiles of five values are themselves a matter of chance: their distances alone would call one in 40
// settings better that is as good as the present one, and a tune compares seven or more. The order of the
// runs is the same chance whatever the noise is like: of five and five all are in order once in 252 times.
#include "control/cli/tune_choice.hpp"

#include <algorithm>
#include <cmath>

namespace xylem::cli {
namespace {

double quantile(const std::vector<double>& sorted, double part) {
    const double position = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

bool is_better(double a, double b, Better better) { return better == Better::lower ? a < b : a > b; }

// How far the order of the runs is from that of chance, in its standard deviations: the test of Mann and
// Whitney.
double order_of(const Measured& a, const Measured& b, Better better) {
    double in_order = 0;  // pairs
    for (const double of_a : a.values) {
        for (const double of_b : b.values) {
            in_order += is_better(of_a, of_b, better) ? 1 : of_a == of_b ? 0.5 : 0;
        }
    }
    const auto pairs = static_cast<double>(a.values.size() * b.values.size());
    const auto runs = static_cast<double>(a.values.size() + b.values.size());
    return (in_order - pairs / 2) / std::sqrt(pairs * (runs + 1) / 12);
}

bool has_better_median(const Measured& a, const Measured& b, Better better) {
    return is_better(spread_of(a.values).median, spread_of(b.values).median, better);
}

}  // namespace

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

bool is_clearly_better(const Measured& a, const Measured& b, Better better) {
    if (!a.counts() || !b.counts()) return false;
    const Spread of_a = spread_of(a.values);
    const Spread of_b = spread_of(b.values);
    const double gain = better == Better::lower ? of_b.median - of_a.median : of_a.median - of_b.median;
    return gain > of_a.width() + of_b.width() && gain > kMinGain * std::abs(of_b.median) &&
           order_of(a, b, better) >= kMinOrder;
}

Choice choose(std::span<const Measured> measured, Better better) {
    Choice choice;
    std::vector<std::size_t> winners;
    for (std::size_t i = 1; i < measured.size(); ++i) {
        if (is_clearly_better(measured[i], measured[0], better)) winners.push_back(i);
    }
    if (winners.empty()) return choice;
    choice.top = *std::min_element(winners.begin(), winners.end(), [&](std::size_t a, std::size_t b) {
        return has_better_median(measured[a], measured[b], better);
    });
    choice.chosen = *std::find_if(winners.begin(), winners.end(), [&](std::size_t i) {
        return !is_clearly_better(measured[choice.top], measured[i], better);
    });
    return choice;
}

double gain_of(double a, double b, Better better) {
    if (!(a > 0) || !(b > 0)) return 0;
    return better == Better::lower ? b / a : a / b;
}

}  // namespace xylem::cli
