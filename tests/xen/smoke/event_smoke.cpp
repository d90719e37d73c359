// An event channel between the two guests, which wakes a sleeper on either side.
#include <poll.h>

#include <cstdlib>
#include <string>

#include "tests/xen/smoke/two_guests.hpp"

using xylem::xen_smoke::kPatience;
using xylem::xen_smoke::TwoGuests;

namespace {

constexpr int kRounds = 100;
constexpr int kPatienceMs = std::chrono::milliseconds(kPatience).count();

// Sleeps until the channel rings, and makes it ready to ring again.
bool await_ring(xenevtchn_handle* device, evtchn_port_t port, int timeout_ms) {
    pollfd ready{xenevtchn_fd(device), POLLIN, 0};
    if (poll(&ready, 1, timeout_ms) != 1) return false;
    const auto rung = static_cast<evtchn_port_t>(xenevtchn_pending(device));
    return rung == port && xenevtchn_unmask(device, port) == 0;
}

int answer(xenevtchn_handle* device, evtchn_port_t port) {
    int rounds = 0;
    while (rounds < kRounds && await_ring(device, port, kPatienceMs) && xenevtchn_notify(device, port) == 0)
        ++rounds;
    return rounds;
}

int ask(xenevtchn_handle* device, evtchn_port_t port) {
    // The hypervisor rings a port when it is bound, since it may have missed a ring before that.
    constexpr int kFirstRingMs = 2000;
    await_ring(device, port, kFirstRingMs);
    int rounds = 0;
    while (rounds < kRounds && xenevtchn_notify(device, port) == 0 && await_ring(device, port, kPatienceMs))
        ++rounds;
    return rounds;
}

}  // namespace

int main() {
    TwoGuests guests("event");
    xenevtchn_handle* device = xenevtchn_open(nullptr, 0);
    if (!guests.check(device != nullptr, "the event channel device opens")) return guests.finish();
    int port = -1;
    if (guests.is_a()) {
        port = xenevtchn_bind_unbound_port(device, guests.peer_domid());
        guests.check(port >= 0, "a makes a port for b");
        guests.publish("port", std::to_string(port));
        guests.check(answer(device, static_cast<evtchn_port_t>(port)) == kRounds,
                     "each ring of b wakes a, which rings back");
    } else {
        const std::string peer_port = guests.peer_says("port").value_or("0");
        port = xenevtchn_bind_interdomain(
            device, guests.peer_domid(),
            static_cast<evtchn_port_t>(std::strtoul(peer_port.c_str(), nullptr, 10)));
        guests.check(port >= 0, "b binds to the port of a");
        guests.check(ask(device, static_cast<evtchn_port_t>(port)) == kRounds,
                     "each ring of a wakes b, which rings again");
    }
    guests.check(xenevtchn_unbind(device, static_cast<evtchn_port_t>(port)) == 0, "the port is given back");
    xenevtchn_close(device);
    return guests.finish();
}
