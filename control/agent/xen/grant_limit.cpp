// The parameter `limit` of gntalloc: pages, 1024 by default, writable by root while the module is loaded.
#include "control/agent/xen/grant_limit.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace xylem::agent {
namespace {

constexpr std::uint64_t kMostPages = 24'576;    // of 64 grant frames with 512 grants each
constexpr std::uint64_t kMostMapped = 131'072;  // of 1,024 maptrack frames with 256 entries each

std::uint64_t quarter_of_memory() { return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) / 4; }

}  // namespace

std::uint64_t raise_grant_limit(const char* module_folder) {
    const std::string path = std::string(module_folder) + "/parameters/limit";
    std::uint64_t limit = 0;
    if (!(std::ifstream(path) >> limit)) return 0;
    const std::uint64_t wanted = std::min(kMostPages, quarter_of_memory());
    if (limit >= wanted) return std::min(limit, kMostPages);
    std::ofstream file(path);
    file << wanted << std::flush;
    return file ? wanted : limit;
}

std::uint64_t most_mapped_pages() {
    return std::clamp(quarter_of_memory(), std::min(kMostPages, kMostMapped), kMostMapped);
}

}  // namespace xylem::agent
