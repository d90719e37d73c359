// Folders that agents and programs meet in, and the two configuration files. A folder that does not exist is
// fine: the first agent makes it.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "control/cli/check.hpp"
#include "control/cli/hosts_source.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "hosts-map/file.hpp"

namespace xylem::cli {
namespace {

constexpr const char* kPolicyFile = "/etc/xylem/policy";

// is_private: others must not even look inside. Those of a group may pass it (xylemd --group).
Check check_folder(const char* subject, const std::string& path, bool is_private) {
    if (path.empty()) {
        return {Verdict::fail, subject, "its path is longer than a unix socket's may be",
                "set XYLEM_RUNTIME_DIR to a shorter one"};
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return {Verdict::ok, subject, path + " does not exist yet; the first agent makes it", ""};
    }
    const mode_t mode = status.st_mode & 07777U;
    const std::string found = fmt::format("{} (uid {}, mode {:04o})", path, status.st_uid, mode);
    if (!S_ISDIR(status.st_mode)) return {Verdict::fail, subject, path + " is no directory", "remove it"};
    const bool is_ours = status.st_uid == ::geteuid() || status.st_uid == 0;
    const bool others_may_write = (mode & 0022U) != 0 && (mode & S_ISVTX) == 0;
    if (!is_ours || others_may_write || (is_private && (mode & 0067U) != 0)) {
        return {
            Verdict::fail, subject, found + ": others could replace what is in it",
            fmt::format("chown it to uid {} and chmod it to 0700, or set XYLEM_RUNTIME_DIR", ::geteuid())};
    }
    return {Verdict::ok, subject, found, ""};
}

Check check_hosts(std::uint32_t domain) {
    auto source = read_hosts(std::nullopt);
    if (!source) {
        return {Verdict::fail, "hosts map", source.error().wrong,
                "mend the lines; until then an agent keeps its old map, or does not start"};
    }
    if (!source->from_file) {
        return {Verdict::ok, "hosts map", source->file + " does not exist: 127.44.H.L is domain 256*H+L", ""};
    }
    // Lines of nodes and guests name this domain, too, which its agent alone finds out.
    const auto& entries = source->map.entries();
    const bool may_be_named = std::any_of(entries.begin(), entries.end(), [](const HostsEntry& entry) {
        return entry.place.kind == PlaceKind::node || entry.place.kind == PlaceKind::guest;
    });
    if (!may_be_named && !source->map.address_of(domain, AF_INET) &&
        !source->map.address_of(domain, AF_INET6)) {
        return {Verdict::warn, "hosts map",
                fmt::format("{} gives domain {} no address", source->file, domain),
                fmt::format("add a line: ADDRESS dom:{}; without one its servers cannot be reached", domain)};
    }
    return {Verdict::ok, "hosts map", fmt::format("{}: {} lines", source->file, source->map.entries().size()),
            ""};
}

Check check_policy() {
    auto policy = load_policy(kPolicyFile);
    if (policy) {
        return {Verdict::ok, "policy", fmt::format("{}: {} rules", kPolicyFile, policy->rules().size()), ""};
    }
    if (policy.error().is_missing_file()) {
        return {Verdict::ok, "policy", fmt::format("{} does not exist: everything is allowed", kPolicyFile),
                ""};
    }
    return {Verdict::fail, "policy", to_string(policy.error()),
            "mend the lines; an agent does not start with them"};
}

}  // namespace

Checks check_folders(std::uint32_t domain) {
    return {check_folder("runtime dir", runtime_directory().text, false),
            check_folder("domain dir", domain_directory(domain).text, true),
            check_folder("fabric dir", fabric_directory().text, false)};
}

Checks check_files(std::uint32_t domain) { return {check_hosts(domain), check_policy()}; }

}  // namespace xylem::cli
