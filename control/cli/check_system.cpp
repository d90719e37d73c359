// What the kernel and the limits of this shell offer. Each is tried, not looked up, where trying is cheap.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/cli/check.hpp"
#include "hosts-map/map.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {
namespace {

constexpr rlim_t kFewDescriptors = 1024;  // the usual soft limit
constexpr unsigned kSpinCores = 2;

Check check_memfd() {
    UniqueFd fd(::memfd_create("xylem-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const bool works = fd && ::ftruncate(fd.get(), ::sysconf(_SC_PAGESIZE)) == 0 &&
                       ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
                       ::ftruncate(fd.get(), 0) != 0;
    if (works) return {Verdict::ok, "shared memory", "memfd_create and its seals work", ""};
    return {Verdict::fail, "shared memory",
            fmt::format("a memfd cannot be made or sealed: {}", ::strerror(errno)),
            "allow memfd_create(2) and fcntl(2) F_ADD_SEALS (Linux 3.17, or a seccomp profile)"};
}

Check check_loopback() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, "127.44.0.1", &address.sin_addr);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        return {Verdict::ok, "addresses", "127.44.0.1 is local: no set-up needed", ""};
    }
    return {Verdict::warn, "addresses", fmt::format("127.44.0.1 is not local: {}", ::strerror(errno)),
            "bring the loopback interface up (ip link set lo up), or write a hosts map"};
}

Check check_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
    const auto cores = static_cast<unsigned>(known ? CPU_COUNT(&set) : ::sysconf(_SC_NPROCESSORS_ONLN));
    if (cores >= kSpinCores) {
        return {Verdict::ok, "cores", fmt::format("{}: waits can spin before they sleep", cores), ""};
    }
    return {Verdict::warn, "cores",
            "one: each message costs a wake-up, since spinning would keep the peer from running",
            "give the machine or the container a second core"};
}

Check check_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const bool is_unlimited = limit.rlim_cur == RLIM_INFINITY;
    const std::string found =
        is_unlimited ? "unlimited" : fmt::format("{} a process, at most {}", limit.rlim_cur, limit.rlim_max);
    if (limit.rlim_cur >= kFewDescriptors) return {Verdict::ok, "descriptors", found, ""};
    return {Verdict::warn, "descriptors", found,
            "raise it: ulimit -n 4096; the library needs some beside each socket"};
}

}  // namespace

Checks check_system() { return {check_memfd(), check_loopback(), check_cores(), check_descriptors()}; }

}  // namespace xylem::cli
