// The bridge writes its report to whoever connects, and closes.
#include "control/cli/bridge_report.hpp"

#include <sys/socket.h>

#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/unix_address.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {
namespace {

constexpr timeval kPatience{1, 0};
constexpr std::size_t kMostBytes = 4 << 20;

}  // namespace

std::optional<Json> ask_bridge(const std::string& fabric_directory) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_address((fabric_directory + kBridgeReportName).c_str());
    if (!socket || !address) return std::nullopt;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
        return std::nullopt;
    std::string text;
    char piece[4096];
    while (text.size() < kMostBytes) {
        const ssize_t got = ::recv(socket.get(), piece, sizeof piece, 0);
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        text.append(piece, static_cast<std::size_t>(got));
    }
    Json report = Json::parse(text, nullptr, false);
    if (!report.is_object()) return std::nullopt;
    return report;
}

}  // namespace xylem::cli
