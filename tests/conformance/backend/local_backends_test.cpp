// The backends of one machine:
//   local                the two ends have mappings of their own of one sealed memfd; the far end is a thread
//   local_two_processes  the same, and the far script is a forked process
//   one_mapping          both ends use one mapping at one address, so that TSan sees who races with whom
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "tests/conformance/backend/backend.hpp"
#include "tests/support/stream_memory.hpp"

namespace xylem::conformance {
namespace {

using testing_support::LocalBells;
using testing_support::StreamMemory;

class LocalConnection final : public Connection {
  public:
    LocalConnection(const StreamMemory& memory, LocalBells& bells)
        : ends_{open(memory, bells, 0), open(memory, bells, 1)} {}
    Stream& end(unsigned side) override { return ends_[side]; }
    EndBlock& block(unsigned side) override { return *blocks_[side]; }

  private:
    Stream open(const StreamMemory& memory, LocalBells& bells, unsigned side) {
        Mapping slab = memory.map_slab();
        blocks_[side] = &testing_support::block_of(slab, side);
        return *Stream::open(std::move(slab), memory.map_page(side), bells);
    }

    EndBlock* blocks_[2];
    Stream ends_[2];
};

// Streams own their mappings; here both have the same slab, so neither is ever destroyed.
class SharedConnection final : public Connection {
  public:
    SharedConnection(const StreamMemory& memory, LocalBells& bells) : slab_(memory.map_slab()) {
        for (unsigned side = 0; side < 2; ++side) {
            Mapping alias(slab_.bytes(), slab_.size_bytes());
            new (&ends_[side]) Stream(*Stream::open(std::move(alias), memory.map_page(side), bells));
        }
    }
    ~SharedConnection() override {
        for (unsigned side = 0; side < 2; ++side) ::munmap(&end(side).page(), kEndPageBytes);
    }
    Stream& end(unsigned side) override { return *reinterpret_cast<Stream*>(&ends_[side]); }
    EndBlock& block(unsigned side) override { return testing_support::block_of(slab_, side); }

  private:
    struct alignas(Stream) Room {
        std::byte bytes[sizeof(Stream)];
    };
    Mapping slab_;
    Room ends_[2];
};

class SocketBells final : public Bells {
  public:
    std::unique_ptr<Sleeper> make_sleeper(unsigned side) override {
        return testing_support::make_local_sleeper(bells_, side + 1);
    }
    DoorbellArea* set_area(unsigned side) override { return bells_.set_area(side + 1); }
    std::unique_ptr<Sleeper> make_set_sleeper(unsigned side) override {
        return testing_support::make_local_set_sleeper(bells_, side + 1);
    }
    WaitToken set_token(unsigned, std::uint16_t index) override {
        return {testing_support::kSetId, index, 0};
    }
    void kick_everybody(unsigned side) override { bells_.kick_everybody(side + 1); }
    void withhold_kicks() override { bells_.withhold_kicks(); }
    LocalBells& table() { return bells_; }

  private:
    LocalBells bells_;
};

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

template <class ConnectionType, class ScriptType>
class LocalBackend final : public Backend {
  public:
    Bells& bells() override { return bells_; }
    std::unique_ptr<Connection> connect(const SlabGeometry& geometry) override {
        return std::make_unique<ConnectionType>(StreamMemory(geometry, 0), bells_.table());
    }
    std::unique_ptr<FarScript> run(std::function<void()> script) override {
        return std::make_unique<ScriptType>(std::move(script));
    }
    bool is_one_process() const override { return std::is_same_v<ScriptType, ThreadScript>; }

  private:
    SocketBells bells_;
};

template <class ConnectionType, class ScriptType>
std::unique_ptr<Backend> make() {
    return std::make_unique<LocalBackend<ConnectionType, ScriptType>>();
}

const BackendRegistration local{"local", make<LocalConnection, ThreadScript>};
const BackendRegistration local_two_processes{"local_two_processes", make<LocalConnection, ProcessScript>};
const BackendRegistration one_mapping{"one_mapping", make<SharedConnection, ThreadScript>};

}  // namespace
}  // namespace xylem::conformance
