// AgentLog. The domain's folder may lie in /tmp, where anybody can make it first: it is opened without
// following links and must be ours before a file is opened in it. (The agent checks the same, and more.)
#include "control/cli/agent_log.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "control/cli/agent_client.hpp"
#include "control/protocol/runtime_paths.hpp"

namespace xylem::cli {
namespace {

constexpr int kLogFlags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
constexpr mode_t kLogMode = 0600;
constexpr off_t kMaxWordsBytes = 2000;

tl::unexpected<Failure> cannot_write(const std::string& path) {
    return failed(kNoAgent, fmt::format("cannot write the agent's log {}: {}", path, ::strerror(errno)),
                  "set XYLEM_RUNTIME_DIR to a folder of your own, or name a log with --agent-log");
}

Outcome<UniqueFd> open_domain_folder(const std::string& path) {
    if (path.empty()) return path_too_long();
    int first_errno = 0;  // what keeps a folder from being made, not that it is missing afterwards
    for (std::size_t slash = 0; slash != path.npos;) {
        slash = path.find('/', slash + 1);
        const bool is_made = ::mkdir(path.substr(0, slash).c_str(), 0700) == 0 || errno == EEXIST;
        if (!is_made && first_errno == 0) first_errno = errno;
    }
    UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) {
        if (first_errno != 0) errno = first_errno;
        return cannot_write(path);
    }
    struct stat status {};
    if (::fstat(folder.get(), &status) != 0 || status.st_uid != ::geteuid()) {
        return failed(kNoAgent, fmt::format("{} belongs to another user", path),
                      "set XYLEM_RUNTIME_DIR to a folder of your own");
    }
    return folder;
}

}  // namespace

Outcome<AgentLog> AgentLog::open(std::uint32_t domain, const std::optional<std::string>& named) {
    std::string path;
    UniqueFd fd;
    if (named) {
        std::error_code error;  // there is no working directory any more: open() will say so
        path = std::filesystem::absolute(*named, error).string();
        if (error) path = *named;
        fd.reset(::open(path.c_str(), kLogFlags, kLogMode));
    } else {
        auto folder = open_domain_folder(domain_directory(domain).text);
        if (!folder) return tl::unexpected(folder.error());
        path = fmt::format("{}/agent.log", domain_directory(domain).text);
        fd.reset(::openat(folder->get(), "agent.log", kLogFlags | O_NOFOLLOW, kLogMode));
    }
    if (!fd) return cannot_write(path);
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    return AgentLog(path, std::move(fd), std::max<off_t>(end, 0));
}

std::string AgentLog::last_words() const {
    const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
    const off_t first = std::max(start_, end - kMaxWordsBytes);
    std::string text(static_cast<std::size_t>(std::max<off_t>(end - first, 0)), '\0');
    const ssize_t got = ::pread(fd_.get(), text.data(), text.size(), first);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t feed = std::min(text.find('\n', at), text.size());
        result += fmt::format("{}       {}", result.empty() ? "" : "\n", text.substr(at, feed - at));
        at = feed + 1;
    }
    return result;
}

}  // namespace xylem::cli
