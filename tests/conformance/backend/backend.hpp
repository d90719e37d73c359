// What a backend must offer to be put through this suite: connections whose two ends live in this process (or
// whose far end runs in a process of its own), and doorbells of its kind. A backend is done when the suite
// passes on it unmodified. Register one with a static BackendRegistration in any file of the test binary.
//
// Side 0 and side 1 of a connection belong to domains 1 and 2. A far script runs beside the near one, in a
// thread or in a forked process: it may use the connection and constants, and report with EXPECT_*, but must
// not leave results in variables. Start it before any other thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/blocking_end.hpp"

namespace xylem::conformance {

using testing_support::BlockingEnd;
using testing_support::Sleeper;

// One connection, both ends. Thread safe as Stream is.
class Connection {
  public:
    virtual ~Connection() = default;
    virtual Stream& end(unsigned side) = 0;
    // The words that this side publishes and the other must not trust: for scripts that lie.
    virtual EndBlock& block(unsigned side) = 0;
};

// Doorbells of both domains.
class Bells {
  public:
    virtual ~Bells() = default;
    virtual std::unique_ptr<Sleeper> make_sleeper(unsigned side) = 0;
    // The epoll set of the side's domain: its flag area, its kick, and the tokens that name it.
    virtual DoorbellArea* set_area(unsigned side) = 0;
    virtual std::unique_ptr<Sleeper> make_set_sleeper(unsigned side) = 0;
    virtual WaitToken set_token(unsigned side, std::uint16_t index) = 0;
    // Kicks every thread of the side's domain for no reason.
    virtual void kick_everybody(unsigned side) = 0;
    // From now on kicks are lost.
    virtual void withhold_kicks() = 0;
};

class FarScript {
  public:
    virtual ~FarScript() = default;
    virtual void join() = 0;
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual Bells& bells() = 0;
    virtual std::unique_ptr<Connection> connect(const SlabGeometry& geometry) = 0;
    virtual std::unique_ptr<FarScript> run(std::function<void()> script) = 0;
    // Whether what the far script does to a Stream is seen by the near script through the same object.
    virtual bool is_one_process() const = 0;
};

struct BackendKind {
    std::string name;
    std::function<std::unique_ptr<Backend>()> make;
};

inline void PrintTo(const BackendKind& kind, std::ostream* out) { *out << kind.name; }

inline std::vector<BackendKind>& backend_kinds() {
    static std::vector<BackendKind> kinds;
    return kinds;
}

struct BackendRegistration {
    BackendRegistration(std::string name, std::function<std::unique_ptr<Backend>()> make) {
        backend_kinds().push_back({std::move(name), std::move(make)});
    }
};

// The base of all suites: a backend, and shorthands.
class BackendTest : public testing::TestWithParam<BackendKind> {
  protected:
    void SetUp() override { backend_ = GetParam().make(); }

    Backend& backend() { return *backend_; }
    Bells& bells() { return backend_->bells(); }
    std::unique_ptr<Connection> connect(std::uint64_t size_0 = 4096, std::uint64_t size_1 = 4096) {
        return backend_->connect({{size_0, size_1}});
    }
    BlockingEnd blocking(Connection& connection, unsigned side, std::uint32_t spin_ns = 0) {
        return {connection.end(side), [this, side] { return bells().make_sleeper(side); }, spin_ns};
    }

  private:
    std::unique_ptr<Backend> backend_;
};

#define XYLEM_FOR_ALL_BACKENDS(suite)                                                                  \
    INSTANTIATE_TEST_SUITE_P(backend, suite, testing::ValuesIn(::xylem::conformance::backend_kinds()), \
                             [](const auto& kind) { return kind.param.name; })

}  // namespace xylem::conformance
