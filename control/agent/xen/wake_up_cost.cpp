// A channel from this domain to itself, and a thread that sleeps at the other end.
#include "control/agent/xen/wake_up_cost.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <semaphore>
#include <thread>

#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem::agent {
namespace {

constexpr std::size_t kRounds = 11;
constexpr std::uint64_t kRestNs = kNsPerMs;  // in which the other thread falls asleep
constexpr int kPatienceMs = 1'000;
constexpr std::uint64_t kWakeUpsWorth = 8;
constexpr std::uint64_t kLongestSpinNs = 2 * kNsPerMs;

}  // namespace

std::optional<std::uint64_t> measure_wake_up_ns(DomainId own_domain) {
    const Result<EventChannel> rung = offer_event_channel(own_domain);
    if (!rung) return std::nullopt;
    const Result<EventChannel> ringing = bind_event_channel(own_domain, rung->port);
    if (!ringing) return std::nullopt;
    drain_event_channel(rung->fd.get());
    std::array<std::uint64_t, kRounds> woke_ns{};
    std::binary_semaphore has_woken{0};
    std::thread sleeper([&] {
        for (std::uint64_t& woke : woke_ns) {
            pollfd item{rung->fd.get(), POLLIN, 0};
            ::poll(&item, 1, kPatienceMs);
            woke = now_ns();
            drain_event_channel(rung->fd.get());
            has_woken.release();
        }
    });
    std::array<std::uint64_t, kRounds> spans_ns{};
    for (std::size_t i = 0; i < kRounds; ++i) {
        const timespec rest = to_timespec(kRestNs);
        ::nanosleep(&rest, nullptr);
        const std::uint64_t kicked_ns = now_ns();
        kick_event_channel(ringing->fd.get(), ringing->port);
        has_woken.acquire();
        spans_ns[i] = woke_ns[i] - std::min(woke_ns[i], kicked_ns);
    }
    sleeper.join();
    std::nth_element(spans_ns.begin(), spans_ns.begin() + kRounds / 2, spans_ns.end());
    return spans_ns[kRounds / 2];
}

std::uint32_t spin_for_wake_up(std::uint64_t wake_up_ns) {
    const std::uint64_t most = std::min(wake_up_ns, kLongestSpinNs);
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(kWakeUpsWorth * most, kDefaultSpinNs, kLongestSpinNs));
}

}  // namespace xylem::agent
