// The result for programs: what result_text() says, with every value that was measured.
#include "control/cli/tune_result.hpp"

namespace xylem::cli {
namespace {

template <class T>
Json json_or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json setting_json(const TuneSetting& setting, const TuneSetting& now) {
    return {{"ring_size_bytes", json_or_null(ring_size_of(setting, now))},
            {"spin_ns", json_or_null(spin_of(setting, now))},
            {"is_now", setting.is_now()}};
}

Json measured_json(const Measured& measured, const TuneSetting& now) {
    Json json = setting_json(measured.setting, now);
    json["values"] = measured.values;
    json["fault"] = measured.fault.empty() ? Json(nullptr) : Json(measured.fault);
    json["median"] = nullptr;
    json["quartiles"] = nullptr;
    if (measured.values.empty()) return json;
    const Spread spread = spread_of(measured.values);
    json["median"] = spread.median;
    json["quartiles"] = {spread.low, spread.high};
    return json;
}

Json part_json(const std::vector<Measured>& part, const TuneSetting& now) {
    Json list = Json::array();
    for (const Measured& measured : part) list.push_back(measured_json(measured, now));
    return list;
}

const char* end_name(TuneEnd end) {
    switch (end) {
        case TuneEnd::complete:
            break;
        case TuneEnd::time_limit:
            return "time_limit";
        case TuneEnd::interrupted:
            return "interrupted";
    }
    return "complete";
}

}  // namespace

Json result_json(const TuneFindings& findings, const TuneQuantity& quantity) {
    const Verdict verdict = verdict_of(findings, quantity.better);
    Json lines = Json::array();
    if (verdict.is_better()) {
        for (const HostsAdvice& advice : hosts_advice(findings, verdict.best.setting)) {
            lines.push_back({{"line", advice.line}, {"in_place_of", advice.place}});
        }
    }
    const bool is_known = verdict.is_known;
    return {{"quantity", quantity.metric.empty() ? "wall_seconds" : "metric"},
            {"metric", quantity.metric.empty() ? Json(nullptr) : Json(quantity.metric)},
            {"better", quantity.better == Better::lower ? "lower" : "higher"},
            {"end", end_name(findings.end)},
            {"now", setting_json({}, findings.now)},
            {"rings", part_json(findings.rings, findings.now)},
            {"spins", part_json(findings.spins, findings.now)},
            {"best", is_known ? measured_json(verdict.best, findings.now) : Json(nullptr)},
            {"gain", is_known && verdict.gain > 0 ? Json(verdict.gain) : Json(nullptr)},
            {"hosts_lines", lines},
            {"run_options", is_known ? run_options_text(verdict.best.setting) : ""},
            {"remarks", findings.remarks}};
}

}  // namespace xylem::cli
