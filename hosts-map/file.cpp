// Loading: open without blocking (a FIFO would wait for a writer), check what was opened rather than
// what the path names (no race in between), and read at most one byte more than the bound, because the
// size that fstat tells may grow. Nothing is logged here; the caller has the whole reason.
#include "hosts-map/file.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {

namespace {

constexpr std::size_t kChunkBytes = 64U << 10;

tl::unexpected<LoadFailure> unusable(const std::string& path, std::string reason) {
    return tl::unexpected<LoadFailure>(LoadFailure{path, 0, std::move(reason), {}});
}

tl::unexpected<LoadFailure> system_failure(const std::string& path, int sys_errno) {
    const char* description = ::strerrordesc_np(sys_errno);
    return tl::unexpected<LoadFailure>(
        LoadFailure{path, sys_errno, description != nullptr ? description : "unknown error", {}});
}

Result<std::string, LoadFailure> read_all(int fd, const std::string& path) {
    std::string text;
    for (;;) {
        std::size_t had_bytes = text.size();
        text.resize(had_bytes + kChunkBytes);
        ssize_t read_bytes = ::read(fd, text.data() + had_bytes, kChunkBytes);
        int read_errno = errno;
        text.resize(had_bytes + (read_bytes > 0 ? static_cast<std::size_t>(read_bytes) : 0));
        if (read_bytes == 0) return text;
        if (read_bytes < 0 && read_errno != EINTR) return system_failure(path, read_errno);
        if (text.size() > kMaxFileBytes) {
            return unusable(path, "the file is too large; expected at most 16 MiB");
        }
    }
}

template <class Parsed>
Result<Parsed, LoadFailure> load(const std::string& path) {
    auto text = read_text_file(path);
    if (!text) return tl::unexpected(text.error());
    auto parsed = Parsed::parse(*text);
    if (parsed) return std::move(*parsed);
    return tl::unexpected<LoadFailure>(LoadFailure{path, 0, {}, std::move(parsed.error())});
}

}  // namespace

bool LoadFailure::is_missing_file() const { return sys_errno == ENOENT || sys_errno == ENOTDIR; }

Result<std::string, LoadFailure> read_text_file(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return system_failure(path, errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return system_failure(path, errno);
    if (!S_ISREG(status.st_mode)) return unusable(path, "not a regular file; expected a text file");
    return read_all(fd.get(), path);
}

Result<HostsMap, LoadFailure> load_hosts_map(const std::string& path) { return load<HostsMap>(path); }

Result<Policy, LoadFailure> load_policy(const std::string& path) { return load<Policy>(path); }

std::string to_string(const LoadFailure& failure) {
    if (failure.diagnostics.empty()) return failure.path + ": " + failure.reason;
    std::string result;
    for (const Diagnostic& diagnostic : failure.diagnostics) {
        result += (result.empty() ? "" : "\n") + to_string(diagnostic, failure.path);
    }
    return result;
}

}  // namespace xylem
