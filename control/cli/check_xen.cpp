// In a Xen guest: the devices that the agent needs, what it holds of grants, of others' pages and of event
// channels, and what the kernel tells of all programs. Where there is no Xen nothing is said. Only the agent
// opens the devices; programs need no permission for them.
#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "control/cli/agent_client.hpp"
#include "control/cli/check.hpp"
#include "control/cli/json_field.hpp"
#include "control/cli/xen_figures.hpp"

namespace xylem::cli {
namespace {

struct Device {
    const char* path;
    const char* module;
};
constexpr Device kDevices[] = {{"/dev/xen/gntalloc", "xen-gntalloc"},
                               {"/dev/xen/gntdev", "xen-gntdev"},
                               {"/dev/xen/evtchn", "xen-evtchn"},
                               {"/dev/xen/xenbus", "xenfs"}};

Check check_devices() {
    for (const Device& device : kDevices) {
        if (::access(device.path, F_OK) != 0) {
            return {Verdict::warn, "Xen devices",
                    fmt::format("no {}: rings between guests are not possible", device.path),
                    fmt::format("modprobe {}, at each start: /etc/modules-load.d", device.module)};
        }
    }
    return {Verdict::ok, "Xen devices", "grants, event channels and XenStore are there", ""};
}

// What this agent holds since it began, and beside it what others have of the same.
struct Held {
    const char* quota;
    const char* subject;
    const char* unit;
    std::string of_all;
    const char* remedy;
};

Check check_held(const Json& quotas, const Held& held) {
    for (const Json& quota : quotas) {
        if (text_at(quota, "name") != held.quota) continue;
        const auto used = number_at(quota, "used").value_or(0);
        const auto limit = number_at(quota, "limit").value_or(0);
        const std::string found =
            fmt::format("{} of {} {} held by this agent; {}", used, limit, held.unit, held.of_all);
        const bool is_scarce = static_cast<double>(used) >= kNearlyFull * static_cast<double>(limit);
        return is_scarce
                   ? Check{Verdict::warn, held.subject,
                           found + "; beyond its limit TCP is used, or the agents relay kicks", held.remedy}
                   : Check{Verdict::ok, held.subject, found, ""};
    }
    return {Verdict::warn, held.subject, "the agent does not say", "restart the agent"};
}

std::string grants_of_all(const XenFigures& figures) {
    const std::string mapped = fmt::format("programs map {} that were granted", figures.granted_pages_mapped);
    if (!figures.grant_limit_pages) return mapped;
    return fmt::format("gntalloc grants {} in all; {}", *figures.grant_limit_pages, mapped);
}

std::string mappings_of_all(const XenFigures& figures) {
    const std::uint64_t hidden = figures.processes_not_seen;
    return fmt::format("programs map {}, each process for itself{}", figures.others_pages_mapped,
                       hidden > 0 ? fmt::format(" (without {} processes of other users)", hidden) : "");
}

}  // namespace

Checks check_xen(std::uint32_t domain) {
    const auto figures = read_xen_figures();
    if (!figures) return {};
    Checks checks{check_devices()};
    const auto statistics = ask_agent(domain, QueryKind::statistics);
    if (!statistics) return checks;  // check_agent has said so
    const Json& quotas = member(*statistics, "quotas");
    const Held all_held[] = {
        {"grants", "Xen grants", "pages", grants_of_all(*figures),
         "raise gntalloc's parameter `limit`, or let the agent do so (root); see: xylem stat"},
        {"mapped", "Xen mappings", "pages of others", mappings_of_all(*figures),
         "close connections with other guests; the limit is Xen's and the memory's"},
        {"channels", "Xen channels", "event channels",
         fmt::format("{} are bound in this guest", figures->event_channels),
         "raise xylemd --max-channels; Xen's default is 1023 a guest"}};
    for (const Held& held : all_held) checks.push_back(check_held(quotas, held));
    return checks;
}

}  // namespace xylem::cli
