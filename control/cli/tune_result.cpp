// The result: a table of all settings, one sentence about the best, and what to write where. A setting is
// recommended only if it is clearly better (tune_choice.hpp); otherwise the sentence says that none is.
#include "control/cli/tune_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "control/cli/table.hpp"
#include "hosts-map/options.hpp"

namespace xylem::cli {
namespace {

// The value of the one option that is set, in the hosts map's words.
std::string value_of(const HostsOptions& options) {
    const std::string text = to_string(options);
    const std::size_t equals = text.find('=');
    return equals == text.npos ? "?" : text.substr(equals + 1);
}

std::string ring_text(const std::optional<std::uint64_t>& size_bytes) {
    HostsOptions options;
    options.ring_size_bytes = size_bytes;
    return value_of(options);
}

std::string spin_text(const std::optional<std::uint64_t>& spin_ns) {
    HostsOptions options;
    options.spin_ns = spin_ns;
    return value_of(options);
}

std::string remark_of(const Measured& measured) {
    if (!measured.fault.empty()) return "out: " + measured.fault;
    return measured.setting.is_now() ? "now" : "";
}

void add_part(Table& table, const TuneFindings& findings, const std::vector<Measured>& part,
              const Verdict& verdict, bool is_metric) {
    for (const Measured& measured : part) {
        std::string median = "-";
        std::string spread = "-";
        if (!measured.values.empty()) {
            const Spread of_values = spread_of(measured.values);
            median = value_text(of_values.median, is_metric);
            spread = fmt::format("{} - {}", value_text(of_values.low, is_metric),
                                 value_text(of_values.high, is_metric));
        }
        const bool is_best = verdict.is_better() && measured.setting == verdict.best.setting;
        table.add({ring_text(ring_size_of(measured.setting, findings.now)),
                   spin_text(spin_of(measured.setting, findings.now)),
                   Cell(median, is_best ? Paint::good : Paint::none), spread,
                   fmt::format("{}", measured.values.size()), Cell(remark_of(measured), Paint::faint)});
    }
}

std::string table_text(const TuneFindings& findings, const Verdict& verdict, bool is_metric, bool colours) {
    using enum Align;
    Table table({{"RING", right}, {"SPIN", right}, {"MEDIAN", right}, {"QUARTILES"}, {"RUNS", right}, {""}});
    add_part(table, findings, findings.rings, verdict, is_metric);
    add_part(table, findings, findings.spins, verdict, is_metric);
    return table.empty() ? "" : table.text(colours) + "\n";
}

std::string gain_text(const Verdict& verdict, const TuneQuantity& quantity) {
    const bool is_metric = !quantity.metric.empty();
    const std::string medians =
        fmt::format("(median {}, was {})", value_text(spread_of(verdict.best.values).median, is_metric),
                    value_text(spread_of(verdict.now.values).median, is_metric));
    if (verdict.gain <= 0) return "better than now " + medians;
    if (!is_metric) return fmt::format("{:.2f} times as fast as now {}", verdict.gain, medians);
    if (quantity.better == Better::higher)
        return fmt::format("{:.2f} times as high as now {}", verdict.gain, medians);
    return fmt::format("lower than now by a factor of {:.2f} {}", verdict.gain, medians);
}

std::string advice_text(const TuneFindings& findings, const TuneSetting& setting) {
    std::string text;
    bool has_built_in = false;
    for (const HostsAdvice& advice : hosts_advice(findings, setting)) {
        has_built_in |= advice.is_built_in;
        text += "hosts map:  " + advice.line;
        text += advice.is_built_in ? "\n" : fmt::format("    # in place of {}\n", advice.place);
    }
    if (has_built_in) {
        text +=
            "            # a hosts map takes the place of what is built in: it needs a line for each peer\n";
    }
    return text + fmt::format("or per run: xylem run {} -- COMMAND\n", run_options_text(setting));
}

std::string verdict_text(const TuneFindings& findings, const TuneQuantity& quantity, const Verdict& verdict,
                         bool colours) {
    if (!verdict.is_known) return "too little was measured to say which setting is better\n";
    const TuneSetting& best = verdict.best.setting;
    const std::string setting = setting_text(best, findings.now);
    if (!verdict.is_better()) {
        return fmt::format("{}   kept: no other setting is better by more than the spread of its runs\n",
                           setting);
    }
    std::string text =
        fmt::format("{}   {}\n", painted(setting, Paint::good, colours), gain_text(verdict, quantity));
    if (!(verdict.top.setting == best)) {
        text += fmt::format("{} is not better than that by more than the spread of its runs\n",
                            setting_text(verdict.top.setting, findings.now));
    }
    return text + "\n" + advice_text(findings, best);
}

}  // namespace

std::optional<std::uint64_t> ring_size_of(const TuneSetting& setting, const TuneSetting& now) {
    return setting.ring_size_bytes ? setting.ring_size_bytes : now.ring_size_bytes;
}

std::optional<std::uint64_t> spin_of(const TuneSetting& setting, const TuneSetting& now) {
    return setting.spin_ns ? setting.spin_ns : now.spin_ns;
}

std::string value_text(double value, bool is_metric) {
    if (is_metric)
        return std::abs(value) >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
    if (value < 1) return fmt::format("{:.1f} ms", value * 1000);
    return value < 60 ? fmt::format("{:.2f} s", value) : fmt::format("{:.1f} s", value);
}

std::string run_options_text(const TuneSetting& setting) {
    std::string text;
    if (setting.ring_size_bytes) text = "--ring-size " + ring_text(setting.ring_size_bytes);
    if (setting.spin_ns) text += (text.empty() ? "--spin " : " --spin ") + spin_text(setting.spin_ns);
    return text;
}

std::vector<HostsAdvice> hosts_advice(const TuneFindings& findings, const TuneSetting& setting) {
    std::vector<HostsAdvice> list;
    for (const TunePeer& peer : findings.peers) {
        if (peer.line.empty()) continue;
        const HostsAdvice advice{hosts_line(peer, setting), peer.place, peer.is_built_in};
        if (std::find(list.begin(), list.end(), advice) == list.end()) list.push_back(advice);
    }
    return list;
}

std::string result_text(const TuneFindings& findings, const TuneQuantity& quantity, bool colours) {
    const Verdict verdict = verdict_of(findings, quantity.better);
    std::string text = table_text(findings, verdict, !quantity.metric.empty(), colours);
    for (const std::string& remark : findings.remarks) text += remark + "\n";
    if (findings.end == TuneEnd::time_limit) text += "the time limit ended the measurement\n";
    if (findings.end == TuneEnd::interrupted) text += "the measurement was interrupted\n";
    return text + verdict_text(findings, quantity, verdict, colours);
}

}  // namespace xylem::cli
