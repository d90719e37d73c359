// The `statistics` report in the text format of Prometheus (version 0.0.4). Names, units and labels follow
// https://prometheus.io/docs/practices/naming/; which there are stands in docs/man/xylemd.8.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace xylem::agent {

class MetricsText {
  public:
    // Counters and histograms never go back from one text to the next: what programs wrote into their pages
    // may.
    std::string text_of(const nlohmann::json& statistics);

  private:
    // A row each of everything that is counted by peer; more is not remembered.
    static constexpr std::size_t kMostTold = 1 << 14;

    double at_least_as_told(const std::string& key, double value);

    std::map<std::string, double> told_;  // by name and labels
};

}  // namespace xylem::agent
