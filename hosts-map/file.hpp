// Reads configuration files: bounded, regular files only, so that a wrong path (a FIFO, a device, a
// disk image) is an error and not a hang or a full memory.
#pragma once

#include <cstddef>
#include <string>

#include "hosts-map/diagnostic.hpp"
#include "hosts-map/map.hpp"
#include "hosts-map/policy.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

constexpr std::size_t kMaxFileBytes = 16U << 20;  // 300,000 hosts map lines and more

// Why a file could not be used: either the file as a whole (reason) or some of its lines (diagnostics).
struct LoadFailure {
    std::string path;
    int sys_errno = 0;        // of the system call that failed, if one did
    std::string reason;       // empty when there are diagnostics
    Diagnostics diagnostics;  // empty when there is a reason

    // No such file, or no such directory on the way to it.
    bool is_missing_file() const;
};

Result<std::string, LoadFailure> read_text_file(const std::string& path);
Result<HostsMap, LoadFailure> load_hosts_map(const std::string& path);
Result<Policy, LoadFailure> load_policy(const std::string& path);

// "path: reason", or one line a diagnostic. Ends without a line feed.
std::string to_string(const LoadFailure& failure);

}  // namespace xylem
