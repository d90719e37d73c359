// Verdict: a choice among the settings of one part, and never across parts, which are minutes apart.
#include "control/cli/tune_findings.hpp"

#include <algorithm>

namespace xylem::cli {
namespace {

bool is_enough(const std::vector<Measured>& part) {
    return !part.empty() && part[0].counts() &&
           std::all_of(part.begin(), part.end(),
                       [](const Measured& measured) { return measured.counts() || !measured.fault.empty(); });
}

}  // namespace

Verdict verdict_of(const TuneFindings& findings, Better better) {
    const std::vector<Measured>& part = is_enough(findings.spins) ? findings.spins : findings.rings;
    Verdict verdict;
    if (!is_enough(part)) return verdict;
    const Choice choice = choose(part, better);
    verdict.is_known = true;
    verdict.now = part[0];
    verdict.best = part[choice.chosen];
    verdict.top = part[choice.top];
    verdict.gain =
        gain_of(spread_of(verdict.best.values).median, spread_of(verdict.now.values).median, better);
    return verdict;
}

}  // namespace xylem::cli
