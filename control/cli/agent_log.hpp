// The log of an agent that `xylem run` starts: a file that is appended to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "control/cli/failure.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {

class AgentLog {
  public:
    // named: that file; none: agent.log in the domain's folder, which is made if it is missing.
    static Outcome<AgentLog> open(std::uint32_t domain, const std::optional<std::string>& named);

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    // What was written since open(), at most the last kMaxWordsBytes, each line indented.
    std::string last_words() const;

  private:
    AgentLog(std::string path, UniqueFd fd, off_t start)
        : path_(std::move(path)), fd_(std::move(fd)), start_(start) {}

    std::string path_;
    UniqueFd fd_;
    off_t start_;
};

}  // namespace xylem::cli
