// What `xylem tune` prints on standard output, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/json_field.hpp"
#include "control/cli/tune_findings.hpp"

namespace xylem::cli {

// How the values are to be read.
struct TuneQuantity {
    std::string metric;  // the expression; empty for the wall time
    Better better = Better::lower;
};

// "2.31 s", "12.4 ms" of a wall time; a metric's number as it is.
std::string value_text(double value, bool is_metric);

// Of what is not set, that of now.
std::optional<std::uint64_t> ring_size_of(const TuneSetting& setting, const TuneSetting& now);
std::optional<std::uint64_t> spin_of(const TuneSetting& setting, const TuneSetting& now);

// The lines that give the peers of the command the setting, each once.
struct HostsAdvice {
    std::string line;
    std::string place;  // whose place it takes
    bool is_built_in = false;
    bool operator==(const HostsAdvice&) const = default;
};
std::vector<HostsAdvice> hosts_advice(const TuneFindings& findings, const TuneSetting& setting);

std::string result_text(const TuneFindings& findings, const TuneQuantity& quantity, bool colours);
Json result_json(const TuneFindings& findings, const TuneQuantity& quantity);

// "--ring-size 1M --spin 50": the setting as options of `xylem run`; empty for what is now.
std::string run_options_text(const TuneSetting& setting);

}  // namespace xylem::cli
