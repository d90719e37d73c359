// One line of the hosts map: an address or prefix, where it is, and options.
//
//     10.0.0.3      dom:3                     ring=1M spin=50us
//     10.0.9.0/24   node:192.168.7.2/dom:4    # on another machine
//     10.0.0.250    tcp                       # never accelerate
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hosts-map/diagnostic.hpp"
#include "hosts-map/options.hpp"
#include "hosts-map/place.hpp"
#include "hosts-map/prefix.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

struct HostsEntry {
    Prefix prefix;
    Place place;
    HostsOptions options;
    std::uint32_t line = 0;    // where it stands in its file, counted from 1; 0: in no file (built in)
    std::uint32_t column = 0;  // of the prefix
};

// Nothing for a blank or comment line. The text is one line without its line feed.
Result<std::optional<HostsEntry>, Diagnostic> parse_hosts_line(std::string_view text,
                                                               std::uint32_t line_number);
// The entry in the file's grammar; parses back to an equal prefix, place and options.
std::string to_string(const HostsEntry& entry);

}  // namespace xylem
