// Doorbells of this process: those it sleeps on, and those of others that it rings.
#pragma once

#include "guest-lib/interruption.hpp"
#include "vsock-transport/base/unique_fd.hpp"
#include "vsock-transport/stream/blocking.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"
#include "vsock-transport/xen/channel_waiter.hpp"

namespace xylem {

// A doorbell for sleeping, registered with the agent for waiting on ends whose peer is in one domain.
struct OwnBell {
    AtomicU32 in_use;
    AtomicU32 is_lost;  // no agent knows it; it goes when it is given back
    AtomicU32 id;       // 0: never made; stored last
    std::uint32_t peer_domain = 0;
    UniqueFd waiter;
    UniqueFd kicker;        // for the next agent
    ChannelWaiter channel;  // rung by a peer in another guest without agents; may be empty
    std::uint16_t epoch = 0;
};

// Takes a free doorbell for that domain, making one if need be; null without an agent.
OwnBell* take_bell(std::uint32_t peer_domain);
void give_back(OwnBell* bell);

// What comes with a doorbell whose peers are in another guest, where event channels do not run short.
struct ChannelParts {
    UniqueFd waiter;
    UniqueFd area;  // granted pages, where the bell has an area
};

// Names a doorbell to the agent, with an area if it is an epoll set's. Returns its id, which is wanted_id if
// that is not 0 and still free; 0 without an agent. channel: asks for one; stays empty where there is none.
std::uint32_t register_bell(std::uint32_t peer_domain, std::uint32_t wanted_id, int kicker_fd, int area_fd,
                            ChannelParts* channel = nullptr);
void unregister_bell(std::uint32_t id);

// After a restart of the agent: names the own doorbells to it, so that peers find them who do not know them.
void register_own_bells_again();
// In a fork child: they are the parent's.
void forget_parents_bells();
void reset_bell_locks();
// In a fork child: peers' flag areas that did not come along are asked for again.
void forget_lost_areas();
// Takes the kicks of an event channel; one that rings without end is counted for its peer. Never blocks.
void take_kicks(ChannelWaiter& channel, std::uint32_t peer_domain);
// Before a sandbox: event channels are rung by ioctl, which filters do not expect; from here on, agents
// relay.
void relay_kicks();

// Finds a doorbell by domain and id (asking the agent the first time) and rings it.
BellRinger& bell_ringer();
// Whether that doorbell is found, without ringing it.
bool can_ring(std::uint32_t domain, WaitToken token);

// Takes back what a ThreadSleeper of the calling thread left when the thread was cancelled in its sleep: the
// doorbell, and the slots of the stream that name it.
void withdraw_sleeper(Stream& stream);

// The calling thread while it waits on one stream (stream/blocking.hpp). Its sleep is a cancellation point.
class ThreadSleeper {
  public:
    // A sleep ends at once if the interruption is due.
    ThreadSleeper(std::uint32_t peer_domain, const Interruption& interruption)
        : bell_(take_bell(peer_domain)), interruption_(interruption) {}
    ThreadSleeper(ThreadSleeper&& other) noexcept
        : bell_(std::exchange(other.bell_, nullptr)), interruption_(other.interruption_) {}
    ~ThreadSleeper() {
        if (bell_ != nullptr) give_back(bell_);
    }
    WaitToken next_token() const;
    WaitResult sleep(std::uint64_t deadline_ns) const;
    // The same, but neither a signal nor cancellation ends it: for what takes no longer than a question to
    // the agent.
    void sleep_through(std::uint64_t deadline_ns) const;

  private:
    OwnBell* bell_;
    const Interruption& interruption_;
};

}  // namespace xylem
