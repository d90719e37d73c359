// Live: a look each interval, counted from the first one, so that no time is lost to the looks themselves;
// what is shown is the difference of the last two. Between two looks agents may end, begin and be too busy to
// answer: that ends no view once there was a first look.
#include "control/cli/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

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

struct Look {
    Json reports;
    std::uint64_t at_ns = 0;
};

// Who did not answer the first question is not asked the second one.
std::vector<std::uint32_t> domains_of(const Json& reports) {
    std::vector<std::uint32_t> domains;
    for (const Json& report : member(reports, "domains")) {
        if (const auto domain = number_at(report, "domain"))
            domains.push_back(static_cast<std::uint32_t>(*domain));
    }
    return domains;
}

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
        Look before = std::move(*first);
        std::uint64_t due_ns = before.at_ns;
        if (!options_.is_json && LiveScreen::is_possible()) screen_.emplace();
        if (!show()) return kFailed;
        for (std::uint64_t shown = 0; !options_.count || shown < *options_.count; ++shown) {
            due_ns += options_.interval_seconds * kNsPerSecond;
            if (!wait_until(due_ns)) return kOk;
            auto now = look_again();
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
        const auto tell = [this](const Failure& failure) { leave_out(failure); };
        fault_.clear();
        auto sockets = gather(domains_, QueryKind::sockets, tolerate, tell);
        if (!sockets) return tl::unexpected(sockets.error());
        const std::uint64_t at_ns = now_ns();
        auto statistics = gather(domains_of(*sockets), QueryKind::statistics, tolerate, tell);
        if (!statistics) return tl::unexpected(statistics.error());
        for (Json& report : (*sockets)["domains"]) {
            for (const Json& sums : (*statistics)["domains"]) {
                if (member(sums, "domain") != member(report, "domain")) continue;
                for (const char* field : {"data", "uptime_seconds"}) report[field] = member(sums, field);
            }
        }
        return Look{std::move(*sockets), at_ns};
    }
    // Where none answers, there are no connections for now.
    Outcome<Look> look_again() {
        if (is_all_) domains_ = domains_present();
        auto now = look(true);
        if (now || now.error().exit_code != kNoAgent) return now;
        return Look{Json{{"domains", Json::array()}}, now_ns()};
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
    std::string fault_;  // of the last look
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
