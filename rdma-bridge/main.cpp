// xylem-rdma: the bridge of one node.
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>

#include <algorithm>

#include "control/protocol/runtime_paths.hpp"
#include "rdma-bridge/options.hpp"

namespace {

using namespace xylem;
using namespace xylem::bridge;

int failure(const std::string& error) {
    spdlog::error("{}", error);
    return 1;
}

// Raises the soft limit to the hard one. A connection has one descriptor; what else there is fits into the
// quarter that no domain gets.
void fit_to_descriptors(Settings& settings) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    settings.most_connections = std::min<std::size_t>(settings.most_connections, limit.rlim_max);
}

UniqueFd ending_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT}) ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

int main(int argc, char** argv) {
    int exit_code = 0;
    auto settings = read_options(argc, argv, exit_code);
    if (!settings) return exit_code;
    spdlog::set_default_logger(spdlog::stderr_color_mt("xylem-rdma"));
    spdlog::set_pattern("%Y-%m-%d %T.%e xylem-rdma[%P] %l: %v");
    spdlog::set_level(spdlog::level::from_str(settings->log_level));
    if (bridge_socket().text[0] == '\0') {
        return failure(
            "the path of the fabric directory is too long for a unix socket: set XYLEM_RUNTIME_DIR or "
            "XYLEM_FABRIC_DIR to a shorter one");
    }
    fit_to_descriptors(*settings);
    const UniqueFd signals = ending_signals();
    std::string error;
    auto key = NodeKey::read(settings->key_file, error);
    if (!key) return failure(error);
    auto poller = Poller::make();
    if (!poller || !signals) return failure("the system is short of memory or descriptors");
    Bridge bridge(**poller, std::move(*key), *settings);
    if (!bridge.begin(error)) return failure(error);
    (*poller)->add(signals.get(), EPOLLIN, [&](std::uint32_t) { bridge.stop(); });
    sd_notify(0, "READY=1");
    const bool has_ended_well = bridge.run();
    spdlog::info("stopped");
    return has_ended_well ? 0 : 1;
}
