// The daemon: limits, directories, lock, configuration, sockets, readiness, loop. In this order, so that
// nobody can connect to an agent that is not ready, and a second agent of a domain touches nothing.
#include "control/agent/daemon.hpp"

#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/idle.hpp"
#include "control/agent/metrics/metrics_endpoint.hpp"
#include "control/agent/runtime_directory.hpp"
#include "control/agent/xen/grant_limit.hpp"
#include "control/agent/xen/wake_up_cost.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {
namespace {

constexpr std::uint64_t kGuestRingSizeBytes = 1 << 20;  // at most (xen/grant_share.hpp)

void set_up_log(const Settings& settings) {
    spdlog::set_default_logger(spdlog::stderr_color_mt("xylemd"));
    // systemd stamps the lines itself.
    const bool is_service = ::getenv("JOURNAL_STREAM") != nullptr;
    spdlog::set_pattern(is_service ? fmt::format("dom-{}: %v", settings.domain)
                                   : fmt::format("%Y-%m-%d %T.%e xylemd[%P] dom-{} %l: %v", settings.domain));
    spdlog::set_level(spdlog::level::from_str(settings.log_level));
}

// Raises the soft limit to the hard one, and promises no more than there are descriptors for: two for each
// end and doorbell, three for each session, one for each listener.
Settings fitted_to_descriptors(Settings settings) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return settings;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const std::uint64_t wanted = settings.max_ends;
    settings.max_ends = std::min<std::uint64_t>(settings.max_ends, limit.rlim_max / 4);
    settings.max_bells = std::min<std::uint64_t>(settings.max_bells, limit.rlim_max / 8);
    settings.max_sessions = std::min<std::uint64_t>(settings.max_sessions, limit.rlim_max / 24);
    settings.max_listeners = std::min<std::uint64_t>(settings.max_listeners, limit.rlim_max / 16);
    if (settings.max_ends < wanted) {
        spdlog::warn("only {} descriptors: at most {} connection ends", limit.rlim_max, settings.max_ends);
    }
    return settings;
}

// An agent that serves the Xen guest itself.
void fit_to_guest(Settings& settings) {
    if (!settings.ring_size_is_named) settings.ring_size_bytes = kGuestRingSizeBytes;
    const std::uint64_t grants = raise_grant_limit();
    if (settings.max_grants == 0 || settings.max_grants > grants) settings.max_grants = grants;
    settings.max_mapped = most_mapped_pages();
    const auto wake_up_ns = measure_wake_up_ns(static_cast<DomainId>(settings.domain));
    if (!settings.spin_is_named && wake_up_ns) settings.spin_ns = spin_for_wake_up(*wake_up_ns);
    spdlog::info("{} pages can be granted; a wake-up takes {} us: spins of {} us", settings.max_grants,
                 wake_up_ns.value_or(0) / kNsPerUs, settings.spin_ns / kNsPerUs);
}

void block_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

int failure(const std::string& error) {
    spdlog::error("{}", error);
    return 1;
}

int serve(EventLoop& loop, Agent& agent, RuntimeDirectory& directory) {
    const Watch sessions = loop.on_ready(directory.session_socket(), EPOLLIN, [&](std::uint32_t) {
        agent.sessions.accept_from(directory.session_socket());
    });
    const Watch links = loop.on_ready(directory.link_socket(), EPOLLIN, [&](std::uint32_t) {
        agent.links.accept_from(directory.link_socket());
    });
    const Watch term = loop.on_signal(SIGTERM, [&] { loop.stop(0); });
    const Watch interrupt = loop.on_signal(SIGINT, [&] { loop.stop(0); });
    const Watch hang_up = loop.on_signal(SIGHUP, [] {});  // files are watched: nothing to reload
    if (!sessions || !links || !term || !interrupt || !hang_up) return 1;
    const Idle idle(agent);
    const auto metrics = MetricsEndpoint::open(agent, loop, agent.settings.metrics);
    spdlog::info("serving domain {}, {} map entries, {}", agent.settings.domain,
                 agent.map.table().entry_count, agent_socket(agent.settings.domain).text);
    sd_notifyf(0, "READY=1\nSTATUS=Serving domain %u", agent.settings.domain);
    const int exit_code = loop.run();
    sd_notify(0, "STOPPING=1");
    spdlog::info("stopped");
    return exit_code;
}

}  // namespace

int run_daemon(const Options& options) {
    if (!options.runtime_dir.empty()) ::setenv("XYLEM_RUNTIME_DIR", options.runtime_dir.c_str(), 1);
    if (!options.fabric_dir.empty()) ::setenv("XYLEM_FABRIC_DIR", options.fabric_dir.c_str(), 1);
    Settings wanted = options.settings;
    std::unique_ptr<XenStore> store = XenStore::open();
    if (store != nullptr && !wanted.domain_is_named) wanted.domain = store->own_domain();
    set_up_log(wanted);
    if (store != nullptr && wanted.domain != store->own_domain()) store.reset();
    if (store != nullptr) fit_to_guest(wanted);
    block_signals();
    std::string error;
    RuntimeDirectory directory;
    const Claim claim = directory.claim(wanted.domain, wanted.group, error);
    if (claim != Claim::mine) return claim == Claim::taken ? (failure(error), kExitTaken) : failure(error);
    auto loop = EventLoop::make();
    if (!loop) return failure("no event loop: the system is short of memory or descriptors");
    Agent agent(**loop, fitted_to_descriptors(wanted));
    const Settings& settings = agent.settings;
    if (!agent.map.open(settings.hosts_file, settings.hosts_file_is_named, error)) return failure(error);
    if (!agent.policy.open(settings.policy_file, settings.policy_file_is_named, error)) return failure(error);
    if (!directory.bind_sockets(error)) return failure(error);
    if (!settings.domain_is_named && !directory.make_default())
        spdlog::warn("{}: cannot make the link: programs have to be told the domain", default_link().text);
    if (store != nullptr) {
        agent.xen = std::make_unique<XenPeers>(agent, std::move(store));
        agent.xen->begin();
    }
    return serve(**loop, agent, directory);
}

}  // namespace xylem::agent
