// Live: a look each interval, counted from the first one, so that no time is lost to the looks themselves;
// what is shown is the difference of the last two, each report's by when it came. Between two looks agents
// may end, begin and be too busy to answer: that ends no view once there was a first look. One that does not
// answer costs a look some seconds; it is asked again after a while, and a screen listens to its user in
// between.
#include "control/cli/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "control/cli/agent_client.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/gather.hpp"
#include "control/cli/live_rates.hpp"
#include "control/cli/live_screen.hpp"
#include "control/cli/live_text.hpp"
#include "control/cli/terminal.hpp"
#include "hosts-map/word.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kMostIntervalSeconds = 86400;
constexpr std::uint64_t kMostCount = 1'000'000'000;
constexpr std::uint64_t kLongAnswerNs = kNsPerSecond;
constexpr std::uint64_t kLeftAloneNs = 10 * kNsPerSecond;

struct Look {
    Json reports;
    std::uint64_t at_ns = 0;
};

std::string next_key(const std::string& key) {
    const auto keys = live_sort_keys();
    const auto found = std::find(keys.begin(), keys.end(), key);
    return std::string(found == keys.end() || found + 1 == keys.end() ? keys.front() : *(found + 1));
}

class Live {
  public:
    Live(std::vector<std::uint32_t> domains, bool is_all, const LiveOptions& options)
        : domains_(std::move(domains)), is_all_(is_all), options_(options), key_(options.sort_key) {}

    Outcome<int> run() {
        auto first = look(is_all_);
        if (!first) return tl::unexpected(first.error());
        if (first->reports["domains"].empty()) return nobody_answers();
        Look before = std::move(*first);
        std::uint64_t due_ns = before.at_ns;
        if (!options_.is_json && LiveScreen::is_possible()) screen_.emplace();
        if (!show()) return kFailed;
        for (std::uint64_t shown = 0; !options_.count || shown < *options_.count; ++shown) {
            due_ns += options_.interval_seconds * kNsPerSecond;
            if (!wait_until(due_ns)) return kOk;
            auto now = look_again();
            if (has_quit_) return kOk;
            if (!now) return tl::unexpected(now.error());
            const double seconds = static_cast<double>(now->at_ns - before.at_ns) / kNsPerSecond;
            view_ = live_view(before.reports, now->reports, seconds);
            if (!show()) return kFailed;
            before = std::move(*now);
            due_ns = std::max(due_ns, before.at_ns - options_.interval_seconds * kNsPerSecond / 2);
        }
        return kOk;
    }

  private:
    Outcome<Look> look(bool tolerate) {
        Look found{Json{{"domains", Json::array()}}, now_ns()};
        fault_.clear();
        for (const std::uint32_t domain : domains_) {
            if (has_quit()) break;
            if (found.at_ns < left_alone_until_ns_[domain]) continue;
            auto report = report_of(domain);
            if (report) {
                found.reports["domains"].push_back(std::move(*report));
            } else if (!tolerate) {
                return tl::unexpected(report.error());
            } else if (report.error().exit_code != kNoAgent) {
                leave_out(report.error());
            }
        }
        return found;
    }
    Outcome<Json> report_of(std::uint32_t domain) {
        const std::uint64_t begin_ns = now_ns();
        auto report = sockets_and_sums_of(domain);
        if (!report && now_ns() - begin_ns > kLongAnswerNs)
            left_alone_until_ns_[domain] = deadline_after(kLeftAloneNs);
        return report;
    }
    static Outcome<Json> sockets_and_sums_of(std::uint32_t domain) {
        auto agent = AgentClient::open(domain);
        if (!agent) return tl::unexpected(agent.error());
        auto report = agent->ask(QueryKind::sockets);
        if (!report) return report;
        (*report)["asked_at_ns"] = now_ns();
        auto sums = agent->ask(QueryKind::statistics);
        if (!sums) return sums;
        (*report)["summed_at_ns"] = now_ns();
        for (const char* field : {"data", "uptime_seconds"}) (*report)[field] = member(*sums, field);
        return report;
    }
    // Whether whoever looks at the screen has had enough, meanwhile.
    bool has_quit() {
        if (!screen_ || has_quit_) return has_quit_;
        const LiveScreen::Event event = screen_->wait(0);
        if (event == LiveScreen::Event::next_sort) key_ = next_key(key_);
        has_quit_ = event == LiveScreen::Event::quit;
        return has_quit_;
    }
    // Where none answers, there are no connections for now.
    Outcome<Look> look_again() {
        if (is_all_) domains_ = domains_present();
        return look(true);
    }
    // Standard error would be in the middle of the screen.
    void leave_out(const Failure& failure) {
        if (!screen_) {
            report(failure);
            return;
        }
        if (!fault_.empty()) fault_ += "; ";
        fault_ += printable(failure.wrong);
    }
    // False: it was ended.
    bool wait_until(std::uint64_t due_ns) {
        if (!screen_) {
            const timespec due = to_timespec(due_ns);
            while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) == EINTR) continue;
            return true;
        }
        while (true) {
            const LiveScreen::Event event = screen_->wait(due_ns);
            if (event == LiveScreen::Event::time) return true;
            if (event == LiveScreen::Event::quit) return false;
            if (event == LiveScreen::Event::next_sort) key_ = next_key(key_);
            if (!show()) return false;
        }
    }
    // False: nobody sees it any more. Before there is a view, a screen says so.
    bool show() {
        if (view_) sort_rows(view_->rows, key_);
        if (screen_) {
            const LiveScreen::Size size = screen_->size();
            const std::vector<std::string> wait{fmt::format("in {} s; q: quit", options_.interval_seconds)};
            return screen_->draw(view_ ? live_lines(*view_, {key_, true, fault_}, size.columns, size.lines)
                                       : wait);
        }
        if (!view_) return true;
        if (options_.is_json) {
            fmt::print("{}\n", live_json(*view_).dump());
        } else {
            for (const std::string& line : live_lines(*view_, {key_}, 0, 0)) fmt::print("{}\n", line);
            fmt::print("\n");
        }
        return std::fflush(stdout) == 0;
    }

    std::vector<std::uint32_t> domains_;
    const bool is_all_;
    const LiveOptions options_;
    std::string key_;
    std::string fault_;                                           // of the last look
    std::map<std::uint32_t, std::uint64_t> left_alone_until_ns_;  // that did not answer
    bool has_quit_ = false;
    std::optional<LiveView> view_;
    std::optional<LiveScreen> screen_;
};

Outcome<std::uint64_t> parse_number(const std::string& text, const char* what, std::uint64_t most) {
    const auto number = text::number(text, most);
    if (number && *number > 0) return *number;
    return misused(
        fmt::format("{} is {}; expected a number from 1 to {}", what, text::in_quotes(text), most));
}

Outcome<void> check_sort_key(const std::string& key) {
    const auto keys = live_sort_keys();
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return {};
    return misused(
        fmt::format("--sort is {}; expected one of: {}", text::in_quotes(key), fmt::join(keys, " ")));
}

}  // namespace

Outcome<LiveOptions> live_options(const Arguments& arguments) {
    LiveOptions options;
    options.is_json = arguments.has("json");
    if (!arguments.rest().empty()) {
        auto interval = parse_number(arguments.rest()[0], "SECONDS", kMostIntervalSeconds);
        if (!interval) return tl::unexpected(interval.error());
        options.interval_seconds = *interval;
    }
    if (const auto count = arguments.value("count")) {
        auto number = parse_number(*count, "--count", kMostCount);
        if (!number) return tl::unexpected(number.error());
        options.count = *number;
    }
    options.sort_key = arguments.value("sort").value_or(options.sort_key);
    if (auto checked = check_sort_key(options.sort_key); !checked) return tl::unexpected(checked.error());
    return options;
}

Outcome<int> run_live(const Arguments& arguments, const LiveOptions& options) {
    auto domains = chosen_domains(arguments);
    if (!domains) return tl::unexpected(domains.error());
    return Live(std::move(*domains), arguments.has("all"), options).run();
}

}  // namespace xylem::cli
