// The options at level AF_VSOCK of a socket whose descriptor is no AF_VSOCK socket: taken, checked and told
// again as net/vmw_vsock/af_vsock.c does. A ring has its own size; nothing else reads them.
#pragma once

#include <sys/socket.h>

#include <cstdint>

namespace xylem {

class VsockOptions {
  public:
    // libc semantics.
    int set(int name, const void* value, socklen_t length);
    int get(int name, void* value, socklen_t* length) const;

  private:
    int set_size(int name, const void* value, socklen_t length);
    int set_timeout(const void* value, socklen_t length);
    void clamp_size();

    std::uint64_t size_bytes_ = 256 << 10;  // VSOCK_DEFAULT_BUFFER_SIZE, and so on
    std::uint64_t max_size_bytes_ = 256 << 10;
    std::uint64_t min_size_bytes_ = 128;
    std::uint64_t connect_timeout_us_ = 2'000'000;
};

}  // namespace xylem
