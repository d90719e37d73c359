// Health: what `xylem doctor` wants to know of a living agent.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "control/agent/agent.hpp"
#include "control/agent/report.hpp"

namespace xylem::agent {
namespace {

Json number_or_null(rlim_t limit) { return limit == RLIM_INFINITY ? Json() : Json(limit); }

Json open_descriptors() {
    std::error_code error;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
         entry.increment(error)) {
        ++count;
    }
    return count;
}

Json limits() {
    rlimit files{};
    rlimit locked{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_MEMLOCK, &locked);
    std::uint64_t max_maps = 0;
    std::ifstream("/proc/sys/vm/max_map_count") >> max_maps;
    return {{"nofile_soft", number_or_null(files.rlim_cur)},
            {"nofile_hard", number_or_null(files.rlim_max)},
            {"nofile_used", open_descriptors()},
            {"memlock_soft", number_or_null(locked.rlim_cur)},
            {"memlock_hard", number_or_null(locked.rlim_max)},
            {"max_map_count", max_maps}};
}

Json fabric_directory_state() {
    const RuntimePath path = fabric_directory();
    struct stat status {};
    const bool exists = ::stat(path.text, &status) == 0 && S_ISDIR(status.st_mode);
    const bool is_own = status.st_uid == ::geteuid() || status.st_uid == 0;
    const bool is_closed = (status.st_mode & 0022) == 0 || (status.st_mode & S_ISVTX) != 0;
    return {{"path", path.text},
            {"exists", exists},
            {"mode", fmt::format("{:04o}", status.st_mode & 07777U)},
            {"uid", status.st_uid},
            {"private", exists && is_own && is_closed}};
}

}  // namespace

Json report_health(const Agent& agent) {
    const std::uint32_t domain = agent.settings.domain;
    Json report = begin_report(agent);
    report["pid"] = ::getpid();
    report["uid"] = ::geteuid();
    report["version"] = kVersion;
    report["protocol_version"] = kProtocolVersion;
    report["uptime_seconds"] = (now_ns() - agent.started_ns) / kNsPerSecond;
    report["runtime_dir"] = runtime_directory().text;
    report["domain_dir"] = domain_directory(domain).text;
    report["agent_socket"] = agent_socket(domain).text;
    report["link_socket"] = agent.link_socket(domain).text;
    report["fabric_dir"] = fabric_directory_state();
    report["limits"] = limits();
    report["ring_size_bytes"] = agent.settings.ring_size_bytes;
    report["spin_ns"] = agent.settings.spin_ns;
    report["idle_exit_seconds"] = nullptr;
    if (agent.settings.idle_exit_ns) {
        report["idle_exit_seconds"] = *agent.settings.idle_exit_ns / kNsPerSecond;
    }
    report["links"] = json_of_links(agent);
    return report;
}

}  // namespace xylem::agent
