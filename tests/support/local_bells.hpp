// Doorbells of two domains (1 and 2) for tests: socket pairs made in advance, so that a process forked later
// has them all. A sleeper takes a free one of its domain and gives it back. Epochs of an id go
// on from one sleeper to the next: a kicker that has rung a token does not ring an equal one again.
#pragma once

#include <memory>

#include "vsock-transport/stream/blocking.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::testing_support {

inline constexpr unsigned kBellsPerDomain = 96;
inline constexpr std::uint32_t kSetId = kBellsPerDomain;  // the last one belongs to the domain's epoll set

class LocalBells : public BellRinger {
  public:
    LocalBells();
    LocalBells(const LocalBells&) = delete;
    LocalBells& operator=(const LocalBells&) = delete;

    // A free id of that domain, for one thread at a time. Throws if all are taken.
    std::uint32_t take_id(std::uint32_t domain);
    void give_back_id(std::uint32_t domain, std::uint32_t id) { place(domain, id).taken.store_release(0); }
    WaitToken next_token(std::uint32_t domain, std::uint32_t id) {
        return {id, 0, static_cast<std::uint16_t>(place(domain, id).epoch.fetch_add(1) + 1)};
    }
    int waiter_fd(std::uint32_t domain, std::uint32_t id) const { return waiters_[domain - 1][id - 1].get(); }
    // The flag area of the domain's epoll set.
    DoorbellArea* set_area(std::uint32_t domain) const { return areas_[domain - 1].as<DoorbellArea>(); }
    // Kicks every thread's doorbell of a domain, whether or not somebody waits.
    void kick_everybody(std::uint32_t domain);
    // From now on rings are counted and thrown away, as by a peer that withholds its kicks.
    void withhold_kicks() { shared_->withheld.store_release(1); }
    std::uint64_t unknown_tokens() const { return shared_->unknown.load_relaxed(); }

  private:
    struct Place {
        AtomicU32 taken;
        AtomicU32 epoch;
    };
    struct Shared {
        Place places[2][kBellsPerDomain];
        AtomicU32 withheld;
        AtomicU64 unknown;
    };
    Place& place(std::uint32_t domain, std::uint32_t id) { return shared_->places[domain - 1][id - 1]; }
    Mapping make_area(unsigned domain_index);
    static bool ring_one(BellRinger& self, const EndPage& page, std::uint32_t domain, WaitToken token);

    Mapping memory_;
    Shared* shared_;
    Mapping areas_[2];
    UniqueFd waiters_[2][kBellsPerDomain];
    Doorbell bells_[2][kBellsPerDomain];
};

// One thread's doorbell, as stream/blocking.hpp wants it.
class Sleeper {
  public:
    virtual ~Sleeper() = default;
    virtual WaitToken next_token() = 0;
    virtual WaitResult sleep(std::uint64_t deadline_ns) = 0;
};

std::unique_ptr<Sleeper> make_local_sleeper(LocalBells& bells, std::uint32_t domain);
std::unique_ptr<Sleeper> make_local_set_sleeper(LocalBells& bells, std::uint32_t domain);

}  // namespace xylem::testing_support
