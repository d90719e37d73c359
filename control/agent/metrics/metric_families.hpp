// What is told to Prometheus, out of the `statistics` report (control/README.md), as families of metrics.
#pragma once

#include <prometheus/metric_family.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace xylem::agent {

// Rows by peer domain are at most so many in a family (DataSums has its own bound).
inline constexpr std::size_t kMostPeerRows = 256;

// In a fixed order. A field that the report does not have is 0.
std::vector<prometheus::MetricFamily> metric_families(const nlohmann::json& statistics);

}  // namespace xylem::agent
