// Doorbells of two domains (1 and 2) for tests, made in advance by a backend, so that a process forked later
// has them all. A sleeper takes a free one of its domain and gives it back. Epochs of an id go
// on from one sleeper to the next: a kicker that has rung a token does not ring an equal one again.
#pragma once

#include <functional>
#include <memory>

#include "vsock-transport/stream/blocking.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::testing_support {

inline constexpr unsigned kBellsPerDomain = 96;
inline constexpr std::uint32_t kSetId = kBellsPerDomain;  // the last one belongs to the domain's epoll set

// One doorbell, both sides.
struct BellPair {
    UniqueFd waiter;
    UniqueFd kicker;
    std::uint32_t port = 0;
};

// The flag area of one epoll set, as its owner and as its kickers have it.
struct AreaPair {
    Mapping owners;
    Mapping kickers;
};

// What a backend offers. Its functions throw if the system refuses.
struct BellMaker {
    KickKind kind;
    std::function<BellPair()> make;
    std::function<AreaPair()> make_area;
};

BellMaker local_bell_maker();

class TwoDomainBells : public BellRinger {
  public:
    explicit TwoDomainBells(const BellMaker& maker);
    TwoDomainBells(const TwoDomainBells&) = delete;
    TwoDomainBells& operator=(const TwoDomainBells&) = delete;

    KickKind kind() const { return kind_; }

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
    void make_bell(const BellMaker& maker, unsigned domain_index, unsigned index);
    static bool ring_one(BellRinger& self, const EndPage& page, std::uint32_t domain, WaitToken token);

    KickKind kind_;
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

std::unique_ptr<Sleeper> make_sleeper(TwoDomainBells& bells, std::uint32_t domain);
std::unique_ptr<Sleeper> make_set_sleeper(TwoDomainBells& bells, std::uint32_t domain);

// Doorbells of one machine.
class LocalBells : public TwoDomainBells {
  public:
    LocalBells() : TwoDomainBells(local_bell_maker()) {}
};

}  // namespace xylem::testing_support
