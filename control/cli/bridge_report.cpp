// The bridge writes its report to whoever connects, and closes. The directory may be shared with others: what
// answers there is believed only if it is root's, ours or the directory's owner's.
#include "control/cli/bridge_report.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "control/protocol/nonblocking_dial.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/unix_address.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kPatienceNs = kNsPerSecond;
constexpr std::size_t kMostBytes = 1 << 20;

bool is_trusted(int socket, const std::string& fabric_directory) {
    struct stat folder {};
    const uid_t uid = peer_of(socket).uid;
    return uid == 0 || uid == ::geteuid() ||
           (::stat(fabric_directory.c_str(), &folder) == 0 && uid == folder.st_uid);
}

// All that comes until it closes. Nothing: not within the time, or too much.
std::optional<std::string> read_all(int socket) {
    const std::uint64_t deadline_ns = deadline_after(kPatienceNs);
    std::string text;
    char piece[4096];
    while (text.size() < kMostBytes) {
        const std::uint64_t now = now_ns();
        pollfd item{socket, POLLIN, 0};
        if (now >= deadline_ns || ::poll(&item, 1, static_cast<int>((deadline_ns - now) / kNsPerMs) + 1) <= 0)
            return std::nullopt;
        const ssize_t got = ::recv(socket, piece, sizeof piece, MSG_DONTWAIT);
        if (got == 0) return text;
        if (got < 0 && errno != EAGAIN && errno != EINTR) return std::nullopt;
        text.append(piece, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    return std::nullopt;
}

}  // namespace

std::optional<Json> ask_bridge(const std::string& fabric_directory) {
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = unix_address((fabric_directory + kBridgeReportName).c_str());
    const bool is_there =
        socket && address &&
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
    if (!is_there || !is_trusted(socket.get(), fabric_directory)) return std::nullopt;
    const auto text = read_all(socket.get());
    if (!text) return std::nullopt;
    Json report = Json::parse(*text, nullptr, false);
    if (!report.is_object()) return std::nullopt;
    return report;
}

}  // namespace xylem::cli
