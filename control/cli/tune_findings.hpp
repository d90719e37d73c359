// What `xylem tune` has measured so far, and what follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/tune_choice.hpp"
#include "control/cli/tune_peers.hpp"

namespace xylem::cli {

enum class TuneEnd : std::uint8_t { complete, time_limit, interrupted };

struct TuneFindings {
    TuneSetting now;              // what is known of it
    std::vector<TunePeer> peers;  // the busiest first
    std::vector<Measured> rings;  // [0] of each part: as it is now
    std::vector<Measured> spins;
    std::vector<std::string> remarks;  // for people, one sentence each
    TuneEnd end = TuneEnd::complete;
    int stop_signal = 0;
};

struct Verdict {
    bool is_known = false;  // enough was measured
    Measured now;
    Measured best;  // the same as now where nothing was clearly better
    Measured top;   // the best median, where something smaller does as well
    double gain = 1;
    bool is_better() const { return !best.setting.is_now(); }
};

// Of the spins' part, which has the best ring size in it, as soon as its settings count; else of the rings'
// part.
Verdict verdict_of(const TuneFindings& findings, Better better);

}  // namespace xylem::cli
