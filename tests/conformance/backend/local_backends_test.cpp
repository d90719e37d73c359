// The backends of one machine:
//   local                the two ends have mappings of their own of one sealed memfd; the far end is a thread
//   local_two_processes  the same, and the far script is a forked process
//   one_mapping          both ends use one mapping at one address, so that TSan sees who races with whom
#include "tests/conformance/backend/far_scripts.hpp"
#include "tests/conformance/backend/table_bells.hpp"
#include "tests/support/stream_memory.hpp"

namespace xylem::conformance {
namespace {

using testing_support::StreamMemory;
using testing_support::TwoDomainBells;

class LocalConnection final : public Connection {
  public:
    LocalConnection(const StreamMemory& memory, TwoDomainBells& bells)
        : ends_{open(memory, bells, 0), open(memory, bells, 1)} {}
    Stream& end(unsigned side) override { return ends_[side]; }
    EndBlock& block(unsigned side) override { return *blocks_[side]; }

  private:
    Stream open(const StreamMemory& memory, TwoDomainBells& bells, unsigned side) {
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
    SharedConnection(const StreamMemory& memory, TwoDomainBells& bells) : slab_(memory.map_slab()) {
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
    TableBells bells_{testing_support::local_bell_maker()};
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
