// XenFigures: /sys/module/xen_gntalloc, and what /proc says of mappings and interrupts.
#include "control/cli/xen_figures.hpp"

#include <errno.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace xylem::cli {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

bool is_xen(const std::string& root) {
    std::string type;
    return std::ifstream(root + "/sys/hypervisor/type") >> type && type == "xen";
}

std::optional<std::uint64_t> number_in(const std::string& path) {
    std::uint64_t number = 0;
    if (!(std::ifstream(path) >> number)) return std::nullopt;
    return number;
}

// Of a line of /proc/PID/maps: FIRST-BEHIND in hexadecimal digits, and so on.
std::uint64_t pages_of(std::string_view line) {
    std::uint64_t first = 0;
    std::uint64_t behind = 0;
    const char* end = line.data() + line.size();
    const auto dash = std::from_chars(line.data(), end, first, 16);
    if (dash.ptr == end || *dash.ptr != '-') return 0;
    std::from_chars(dash.ptr + 1, end, behind, 16);
    return behind > first ? (behind - first) / kPageBytes : 0;
}

void count_mappings(const std::string& process, XenFigures& figures) {
    std::ifstream maps(process + "/maps");
    if (!maps) {  // ESRCH: a zombie has no mappings
        figures.processes_not_seen += errno != ESRCH && std::filesystem::exists(process) ? 1 : 0;
        return;
    }
    bool has_any = false;
    for (std::string line; std::getline(maps, line);) {
        const bool is_granted = line.ends_with("/xen/gntalloc");
        if (!is_granted && !line.ends_with("/xen/gntdev")) continue;
        (is_granted ? figures.granted_pages_mapped : figures.others_pages_mapped) += pages_of(line);
        has_any = true;
    }
    figures.processes_mapping += has_any ? 1 : 0;
}

bool is_process(const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Lines of Xen's interrupt chips: xen-dyn, xen-percpu, xen-pirq.
std::uint64_t count_event_channels(const std::string& root) {
    std::ifstream interrupts(root + "/proc/interrupts");
    std::uint64_t count = 0;
    for (std::string line; std::getline(interrupts, line);)
        count += line.find(" xen-") != std::string::npos ? 1 : 0;
    return count;
}

}  // namespace

std::optional<XenFigures> read_xen_figures(const std::string& root) {
    if (!is_xen(root)) return std::nullopt;
    XenFigures figures;
    figures.grant_limit_pages = number_in(root + "/sys/module/xen_gntalloc/parameters/limit");
    figures.event_channels = count_event_channels(root);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(root + "/proc", error)) {
        if (is_process(entry.path().filename())) count_mappings(entry.path(), figures);
    }
    return figures;
}

}  // namespace xylem::cli
