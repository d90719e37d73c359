// Where a far script runs: in a thread, or in a forked process, which reports by its exit code.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "tests/conformance/backend/backend.hpp"

namespace xylem::conformance {

class ThreadScript final : public FarScript {
  public:
    explicit ThreadScript(std::function<void()> script) : thread_(std::move(script)) {}
    ~ThreadScript() override { join(); }
    void join() override {
        if (thread_.joinable()) thread_.join();
    }

  private:
    std::thread thread_;
};

class ProcessScript final : public FarScript {
  public:
    explicit ProcessScript(const std::function<void()>& script) {
        std::fflush(nullptr);
        child_ = ::fork();
        if (child_ != 0) return;
        script();
        std::fflush(nullptr);
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    ~ProcessScript() override { join(); }
    void join() override {
        if (child_ <= 0) return;
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = 0;
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "far process: status " << status;
    }

  private:
    pid_t child_ = 0;
};

}  // namespace xylem::conformance
