// The options after a hosts map line's place. One that is not given leaves the choice to the process or
// to the built-in default. On a `tcp` line they mean nothing and are only checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "hosts-map/word.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

constexpr std::uint64_t kMinRingSizeBytes = 4ULL << 10;  // one page
constexpr std::uint64_t kMaxRingSizeBytes = 64ULL << 20;
constexpr std::uint64_t kMaxSpinNs = 10'000'000;  // a thousand wake-ups' cost: beyond it spinning never wins

struct HostsOptions {
    std::optional<std::uint64_t> ring_size_bytes;  // a power of two, kMinRingSizeBytes to kMaxRingSizeBytes
    std::optional<std::uint64_t> spin_ns;          // 0 to kMaxSpinNs, whole microseconds

    bool operator==(const HostsOptions&) const = default;
};

// ring=SIZE (bytes, or with suffix K or M) and spin=TIME (0, or with suffix us or ms), each at most once.
Result<HostsOptions, Diagnostic> parse_options(std::span<const text::Word> words);
// As they are written in the file, each after a blank: " ring=1M spin=50us"; empty if none is set.
std::string to_string(const HostsOptions& options);

}  // namespace xylem
