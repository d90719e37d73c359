// VsockOptions: three sizes, of which one stays between the other two, and a time.
#include "guest-lib/vsock_options.hpp"

#include <linux/vm_sockets.h>
#include <sys/time.h>

#include <cstring>

#include "guest-lib/real_libc.hpp"

namespace xylem {
namespace {

constexpr std::uint64_t kUsPerSecond = 1'000'000;
constexpr std::uint64_t kDefaultTimeoutUs = 2 * kUsPerSecond;  // VSOCK_DEFAULT_CONNECT_TIMEOUT

bool is_timeout(int name) {
    return name == SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD || name == SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW;
}

}  // namespace

void VsockOptions::clamp_size() {
    if (size_bytes_ > max_size_bytes_) size_bytes_ = max_size_bytes_;
    if (size_bytes_ < min_size_bytes_) size_bytes_ = min_size_bytes_;
}

int VsockOptions::set_size(int name, const void* value, socklen_t length) {
    if (length < sizeof(std::uint64_t)) return fail_errno_with(EINVAL);
    std::uint64_t& size = name == SO_VM_SOCKETS_BUFFER_SIZE       ? size_bytes_
                          : name == SO_VM_SOCKETS_BUFFER_MAX_SIZE ? max_size_bytes_
                                                                  : min_size_bytes_;
    std::memcpy(&size, value, sizeof size);
    clamp_size();
    return 0;
}

int VsockOptions::set_timeout(const void* value, socklen_t length) {
    timeval timeout{};
    if (length < sizeof timeout) return fail_errno_with(EINVAL);
    std::memcpy(&timeout, value, sizeof timeout);
    constexpr long kMostSeconds = INT64_MAX / static_cast<long>(kUsPerSecond) - 1;
    const bool is_time = timeout.tv_sec >= 0 && timeout.tv_sec < kMostSeconds && timeout.tv_usec >= 0 &&
                         timeout.tv_usec < static_cast<long>(kUsPerSecond);
    if (!is_time) return fail_errno_with(ERANGE);
    connect_timeout_us_ = static_cast<std::uint64_t>(timeout.tv_sec) * kUsPerSecond +
                          static_cast<std::uint64_t>(timeout.tv_usec);
    if (connect_timeout_us_ == 0) connect_timeout_us_ = kDefaultTimeoutUs;
    return 0;
}

int VsockOptions::set(int name, const void* value, socklen_t length) {
    const bool is_size = name == SO_VM_SOCKETS_BUFFER_SIZE || name == SO_VM_SOCKETS_BUFFER_MAX_SIZE ||
                         name == SO_VM_SOCKETS_BUFFER_MIN_SIZE;
    if (!is_size && !is_timeout(name)) return fail_errno_with(ENOPROTOOPT);
    if (value == nullptr) return fail_errno_with(EFAULT);
    return is_size ? set_size(name, value, length) : set_timeout(value, length);
}

int VsockOptions::get(int name, void* value, socklen_t* length) const {
    std::uint64_t size = size_bytes_;
    timeval timeout{};
    timeout.tv_sec = static_cast<time_t>(connect_timeout_us_ / kUsPerSecond);
    timeout.tv_usec = static_cast<suseconds_t>(connect_timeout_us_ % kUsPerSecond);
    const void* told = is_timeout(name) ? static_cast<const void*>(&timeout) : &size;
    const socklen_t full = is_timeout(name) ? sizeof timeout : sizeof size;
    switch (name) {
        case SO_VM_SOCKETS_BUFFER_MAX_SIZE:
            size = max_size_bytes_;
            break;
        case SO_VM_SOCKETS_BUFFER_MIN_SIZE:
            size = min_size_bytes_;
            break;
        case SO_VM_SOCKETS_BUFFER_SIZE:
        case SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD:
        case SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW:
            break;
        default:
            return fail_errno_with(ENOPROTOOPT);
    }
    if (value == nullptr || length == nullptr) return fail_errno_with(EFAULT);
    if (*length < full) return fail_errno_with(EINVAL);
    std::memcpy(value, told, full);
    *length = full;
    return 0;
}

}  // namespace xylem
