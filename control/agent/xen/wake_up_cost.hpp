// What it costs to wake somebody by an event channel here: a few microseconds on a processor of its own, half
// a millisecond in an emulator.
#pragma once

#include <cstdint>
#include <optional>

#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

// From the kick until the thread that was asleep runs, the median of some. Takes some ten milliseconds.
// Nothing where channels cannot be had.
std::optional<std::uint64_t> measure_wake_up_ns(DomainId own_domain);

// The longest spin that pays: as long as a wake-up in another guest may take, whose processor has to be woken
// as well, and never less than the default.
std::uint32_t spin_for_wake_up(std::uint64_t wake_up_ns);

}  // namespace xylem::agent
