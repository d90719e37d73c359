// What an agent was told at its start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vsock-transport/ring/geometry.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem::agent {

struct Settings {
    std::uint32_t domain = 1;
    bool domain_is_named = false;
    std::string hosts_file = "/etc/xylem/hosts";
    bool hosts_file_is_named = false;  // named: it must be there
    std::string policy_file = "/etc/xylem/policy";
    bool policy_file_is_named = false;
    std::string log_level = "info";
    std::string metrics;  // where figures are served (metrics/metrics_address.hpp); empty: nowhere
    std::string group;    // whose programs may use the agent, too; empty: nobody's
    std::uint64_t ring_size_bytes = kDefaultRingSizeBytes;
    bool ring_size_is_named = false;
    std::uint32_t spin_ns = kDefaultSpinNs;
    bool spin_is_named = false;
    std::optional<std::uint64_t> idle_exit_ns;
    std::uint64_t max_ends = 16384;
    std::uint64_t max_ends_per_peer = 16384;
    std::uint64_t max_memory_bytes = 64ULL << 30;
    std::uint64_t max_listeners = 16384;
    std::uint64_t max_sessions = 8192;
    std::uint64_t max_bells = 65536;
    // Of a Xen guest:
    std::uint64_t max_channels = 768;  // it has 1023 by default; the rest is for its devices and processors
    std::uint64_t max_grants = 0;      // pages; 0: as many as there are (grant_limit.hpp)
    std::uint64_t max_mapped = 0;      // pages of other guests (grant_limit.hpp)
};

inline constexpr const char* kVersion = "0.1.0";

}  // namespace xylem::agent
