// PolicyFile: watch, then load. A bad file never opens what the last good one closed: the old rules stay. Nor
// does a file that goes away, unless nobody named it, and then it is as if there had never been one.
#include "control/agent/policy_file.hpp"

#include <spdlog/spdlog.h>
#include <string.h>

#include "control/agent/counters.hpp"
#include "hosts-map/file.hpp"

namespace xylem::agent {

bool PolicyFile::open(const std::string& path, bool is_named, std::string& error) {
    path_ = path;
    is_named_ = is_named;
    auto watch = FileWatch::open(path);
    if (!watch) {
        error = fmt::format("{}: cannot watch it: {}", path, ::strerrordesc_np(watch.error().sys_errno));
        return false;
    }
    file_watch_.emplace(std::move(*watch));
    watch_ = loop_.on_ready(file_watch_->fd(), EPOLLIN, [this](std::uint32_t) { reload(); });
    return load(error);
}

bool PolicyFile::load(std::string& error) {
    auto loaded = load_policy(path_);
    if (loaded) {
        policy_ = std::move(*loaded);
    } else if (loaded.error().is_missing_file() && !is_named_) {
        policy_ = Policy();
    } else {
        error = to_string(loaded.error());
        return false;
    }
    last_error_.clear();
    return true;
}

void PolicyFile::reload() {
    if (!file_watch_->drain()) return;
    std::string error;
    if (load(error)) {
        ++counters_.policy_reloads;
        if (on_change) on_change();
        spdlog::info("{}: {} rules in force", path_, policy_.rules().size());
        return;
    }
    ++counters_.policy_errors;
    if (error != last_error_) spdlog::error("the policy stays as it was:\n{}", error);
    last_error_ = std::move(error);
}

}  // namespace xylem::agent
