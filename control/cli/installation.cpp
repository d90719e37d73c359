// Everything is found from /proc/self/exe, so that a tree can be moved or unpacked anywhere and needs no
// search path of its own.
#include "control/cli/installation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>

namespace xylem::cli {
namespace {

namespace fs = std::filesystem;

Outcome<std::string> find(const std::string& name, const std::vector<std::string>& folders, int mode) {
    const fs::path beside = fs::path(own_path()).parent_path();
    std::vector<std::string> tried;
    for (const std::string& folder : folders) {
        const std::string path = (beside / folder / name).lexically_normal().string();
        if (::access(path.c_str(), mode) == 0) return path;
        tried.push_back(path);
    }
    return failed(kFailed, fmt::format("{} is not there; looked for {}", name, fmt::join(tried, ", ")),
                  "build it (make) or install it (make install)");
}

}  // namespace

std::string own_path() {
    std::error_code ignored;
    return fs::read_symlink("/proc/self/exe", ignored).string();
}

Outcome<std::string> find_library() { return find("libxylem.so", {".", "../lib", "../lib/xylem"}, R_OK); }

Outcome<std::string> find_agent() { return find("xylemd", {".", "../sbin"}, X_OK); }

}  // namespace xylem::cli
