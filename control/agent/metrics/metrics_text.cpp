// MetricsText: the text itself is prometheus-cpp's work.
#include "control/agent/metrics/metrics_text.hpp"

#include <fmt/format.h>
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

double MetricsText::at_least_as_told(const std::string& key, double value) {
    const auto told = told_.find(key);
    if (told != told_.end()) return told->second = std::max(told->second, value);
    if (told_.size() < kMostTold) told_.emplace(key, value);
    return value;
}

std::string MetricsText::text_of(const nlohmann::json& statistics) {
    std::vector<prometheus::MetricFamily> families = metric_families(statistics);
    const auto count = [this](const std::string& key, std::uint64_t value) {
        return static_cast<std::uint64_t>(at_least_as_told(key, static_cast<double>(value)));
    };
    for (auto& family : families) {
        const bool is_histogram = family.type == prometheus::MetricType::Histogram;
        if (family.type != prometheus::MetricType::Counter && !is_histogram) continue;
        for (auto& metric : family.metric) {
            const std::string key = key_of(family, metric);
            if (!is_histogram) {
                metric.counter.value = at_least_as_told(key, metric.counter.value);
                continue;
            }
            auto& histogram = metric.histogram;
            histogram.sample_count = count(key + "\n count", histogram.sample_count);
            histogram.sample_sum = at_least_as_told(key + "\n sum", histogram.sample_sum);
            for (auto& bucket : histogram.bucket) {
                bucket.cumulative_count =
                    count(key + fmt::format("\n {}", bucket.upper_bound), bucket.cumulative_count);
            }
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace xylem::agent
