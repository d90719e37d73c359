// Running another program and reading what it prints, within a time limit.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {

using Environment = std::vector<std::pair<std::string, std::string>>;  // what to set, beside our own

class Child {
  public:
    // words[0] is a path or a name in PATH. Standard input is empty; standard output and error are read here.
    // A child that cannot be made looks like one that printed nothing and ended with 126.
    Child(const std::vector<std::string>& words, const Environment& environment);
    ~Child();  // kills and reaps it if it still runs
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // All that it printed so far and until `text` appeared. False at its end of output or at the deadline.
    bool read_until(const std::string& text, std::uint64_t deadline_ns);
    // Reads to its end; its exit code, or -1 if the deadline came first or a signal ended it.
    int wait(std::uint64_t deadline_ns);

    const std::string& output() const { return output_; }

  private:
    bool read_more(std::uint64_t deadline_ns);

    pid_t pid_ = -1;
    UniqueFd pipe_;
    std::string output_;
};

}  // namespace xylem::cli
