// The options after a hosts map line's place. One that is not given leaves the choice to the process or
// to the built-in default. On a `tcp` line they mean nothing and are only checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hosts-map/word.hpp"
#include "vsock-transport/base/limits.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

// Over what the bridge reaches a node, and what comes next where it cannot.
enum class NodeOrder : std::uint64_t { verbs, tcp, verbs_tcp, tcp_verbs };
// "verbs,tcp": as hosts maps have it.
std::string_view to_string(NodeOrder order);

struct HostsOptions {
    std::optional<std::uint64_t> ring_size_bytes;  // a power of two, kMinRingSizeBytes to kMaxRingSizeBytes
    std::optional<std::uint64_t> spin_ns;          // 0 to kMaxSpinNs, whole microseconds
    std::optional<std::uint64_t> node_order;       // of a node's domains alone: a NodeOrder

    bool operator==(const HostsOptions&) const = default;
};

// ring=SIZE (bytes, or with suffix K or M), spin=TIME (0, or with suffix us or ms) and over=ORDER (verbs,
// tcp, or both with a comma), each at most once.
Result<HostsOptions, Diagnostic> parse_options(std::span<const text::Word> words);
// As they are written in the file, each after a blank: " ring=1M spin=50us over=verbs"; empty if none is set.
std::string to_string(const HostsOptions& options);

}  // namespace xylem
