// In a Xen guest: the devices that the agent needs, and what is left of grants, of what can be mapped of
// others' and of event channels. Where there is no Xen nothing is said. Only the agent opens the devices;
// programs need no permission for them.
#include <errno.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "control/cli/agent_client.hpp"
#include "control/cli/check.hpp"
#include "control/cli/json_field.hpp"

namespace xylem::cli {
namespace {

bool is_guest() {
    std::string type;
    return std::ifstream("/sys/hypervisor/type") >> type && type == "xen";
}

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

// What the agent has of it, and uses.
Check check_quota(const Json& quotas, const char* name, const char* subject, const char* remedy) {
    for (const Json& quota : quotas) {
        if (text_at(quota, "name") != name) continue;
        const auto used = number_at(quota, "used").value_or(0);
        const auto limit = number_at(quota, "limit").value_or(0);
        const std::string found = fmt::format("{} of {} in use", used, limit);
        const bool is_scarce = static_cast<double>(used) >= kNearlyFull * static_cast<double>(limit);
        return is_scarce ? Check{Verdict::warn, subject,
                                 found + "; beyond that TCP is used, or the agents relay kicks", remedy}
                         : Check{Verdict::ok, subject, found, ""};
    }
    return {Verdict::warn, subject, "the agent does not say", "restart the agent"};
}

}  // namespace

Checks check_xen(std::uint32_t domain) {
    if (!is_guest()) return {};
    Checks checks{check_devices()};
    const auto statistics = ask_agent(domain, QueryKind::statistics);
    if (!statistics) return checks;  // check_agent has said so
    const Json& quotas = member(*statistics, "quotas");
    checks.push_back(
        check_quota(quotas, "grants", "Xen grants",
                    "raise gntalloc's parameter `limit`, or let the agent do so (root); see: xylem stat"));
    checks.push_back(check_quota(quotas, "mapped", "Xen maptrack",
                                 "close connections with other guests; the limit is Xen's and the memory's"));
    checks.push_back(check_quota(quotas, "channels", "Xen channels",
                                 "raise xylemd --max-channels; Xen's default is 1023 a guest"));
    return checks;
}

}  // namespace xylem::cli
