// The allow/deny list in force, kept up to date with its file.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/agent/event_loop.hpp"
#include "hosts-map/policy.hpp"
#include "hosts-map/watch.hpp"

namespace xylem::agent {

struct Counters;

class PolicyFile {
  public:
    PolicyFile(EventLoop& loop, Counters& counters) : loop_(loop), counters_(counters) {}

    // Without a name, a missing file allows everything, until there is one. False with the reason in `error`.
    bool open(const std::string& path, bool is_named, std::string& error);

    bool allows(const PolicySource& source, std::uint32_t port) const { return policy_.allows(source, port); }
    const Policy& policy() const { return policy_; }
    const std::string& path() const { return path_; }
    const std::string& last_error() const { return last_error_; }

    std::function<void()> on_change;  // what is in force has changed

  private:
    bool load(std::string& error);
    void reload();

    EventLoop& loop_;
    Counters& counters_;
    std::string path_;
    bool is_named_ = false;
    Policy policy_;
    std::optional<FileWatch> file_watch_;
    Watch watch_;
    std::string last_error_;
};

}  // namespace xylem::agent
