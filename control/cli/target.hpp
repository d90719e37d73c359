// ADDRESS[:PORT] as people type it, as a socket name and back.
#pragma once

#include <string>

#include "control/cli/failure.hpp"
#include "hosts-map/address.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem::cli {

struct Target {
    SocketName name{};        // port 0: none was given
    std::string resolved_by;  // the host name that was looked up; empty for an address
};

// 10.0.0.2, 10.0.0.2:80, fd00::7, [fd00::7]:80, vsock:CID, vsock:CID:PORT, or a host name in place of the
// address. Errors: kUsage for words that are none of these, kFailed for a name that does not resolve.
Outcome<Target> parse_target(const std::string& text);

// The address without its port; an AF_VSOCK name has none.
std::optional<Address> address_of(const SocketName& name);
std::string target_text(const SocketName& name);

}  // namespace xylem::cli
