// MetricsText: the text itself is prometheus-cpp's work.
#include "control/agent/metrics/metrics_text.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>

#include "control/agent/metrics/metric_families.hpp"

namespace xylem::agent {
namespace {

std::string key_of(const prometheus::MetricFamily& family, const prometheus::ClientMetric& metric) {
    std::string key = family.name;
    for (const auto& label : metric.label) key += '\n' + label.value;
    return key;
}

}  // namespace

std::string MetricsText::text_of(const nlohmann::json& statistics) {
    std::vector<prometheus::MetricFamily> families = metric_families(statistics);
    for (auto& family : families) {
        if (family.type != prometheus::MetricType::Counter) continue;
        for (auto& metric : family.metric) {
            const std::string key = key_of(family, metric);
            const auto told = told_.find(key);
            if (told != told_.end()) {
                told->second = metric.counter.value = std::max(told->second, metric.counter.value);
            } else if (told_.size() < kMostTold) {
                told_.emplace(key, metric.counter.value);
            }
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace xylem::agent
