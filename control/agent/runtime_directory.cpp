// RuntimeDirectory. In /tmp anybody may have made our directory first, so what is there is looked at through
// a descriptor that follows no link: owner and mode decide. The lock is a file that is never removed:
// whoever holds it owns the domain's sockets, and may replace those that a dead agent left behind.
#include "control/agent/runtime_directory.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/unix_address.hpp"

namespace xylem::agent {
namespace {

constexpr int kBacklog = 4096;
constexpr const char* kTooLong =
    "the path of the runtime or fabric directory is too long for a unix socket: set XYLEM_RUNTIME_DIR or "
    "XYLEM_FABRIC_DIR to a shorter one";

std::string errno_text() { return ::strerrordesc_np(errno); }

// Those above: as mkdir -p does, but private.
void make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        ::mkdir(path.substr(0, slash).c_str(), 0700);
    }
}

UniqueFd bind_at(const char* path, mode_t mode, std::string& error) {
    const auto address = unix_address(path);
    if (!address) {
        error = kTooLong;
        return UniqueFd();
    }
    UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int yes = 1;
    ::unlink(path);  // we hold the lock: whoever bound it is dead
    const mode_t old_mask = ::umask(0077);
    const bool bound = fd &&
                       ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 &&
                       ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0 &&
                       ::listen(fd.get(), kBacklog) == 0;
    if (!bound) error = fmt::format("{}: cannot listen there: {}", path, errno_text());
    ::umask(old_mask);
    if (bound && ::chmod(path, mode) != 0) error = fmt::format("{}: {}", path, errno_text());
    return bound ? std::move(fd) : UniqueFd();
}

// Anybody may pass it who got here.
bool make_door(std::uint32_t domain, std::string& error) {
    const RuntimePath door = agent_door(domain);
    if (!make_safe_directory(door.text, false, error)) return false;
    if (::chmod(door.text, 0711) == 0) return true;
    error = fmt::format("{}: {}", door.text, errno_text());
    return false;
}

// Who passes it reaches the door.
bool admit(const std::string& directory, const std::string& group, std::string& error) {
    errno = 0;
    const struct group* found = group.empty() ? nullptr : ::getgrnam(group.c_str());
    if (!group.empty() && found == nullptr) {
        error = fmt::format("--group: there is no group '{}'", group);
        return false;
    }
    if (found != nullptr && ::chown(directory.c_str(), ~uid_t{0}, found->gr_gid) != 0) {
        const bool is_forbidden = errno == EPERM;
        error = fmt::format("{}: cannot hand it to group '{}': {}", directory, group, errno_text());
        if (is_forbidden) {
            error +=
                fmt::format("; the agent must be in that group (SupplementaryGroups={} in its unit)", group);
        }
        return false;
    }
    const bool is_set = ::chmod(directory.c_str(), found == nullptr ? 0700 : 0710) == 0;
    if (!is_set) error = fmt::format("{}: {}", directory, errno_text());
    return is_set;
}

Claim take_lock(UniqueFd& lock, const std::string& path, std::uint32_t domain, std::string& error) {
    lock.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) {
        error = fmt::format("{}: {}", path, errno_text());
        return Claim::failed;
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return Claim::mine;
    const bool is_taken = errno == EWOULDBLOCK;
    error = is_taken ? fmt::format("another agent serves domain {} ({} is locked)", domain, path)
                     : fmt::format("{}: cannot lock it: {}", path, errno_text());
    return is_taken ? Claim::taken : Claim::failed;
}

}  // namespace

bool make_safe_directory(const std::string& path, bool is_private, std::string& error) {
    make_parents(path);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        error = fmt::format("{}: cannot make the directory: {}", path, errno_text());
        return false;
    }
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        error = fmt::format("{}: {} (it must be a directory, not a symbolic link)", path, errno_text());
        return false;
    }
    const bool is_ours = status.st_uid == ::geteuid() || (!is_private && status.st_uid == 0);
    const bool is_closed = (status.st_mode & 0067) == 0 || !is_private;
    // In a directory that all may write to, only the sticky bit keeps others from replacing our files.
    const bool is_safe_to_share = (status.st_mode & 0022) == 0 || (status.st_mode & S_ISVTX) != 0;
    if (is_ours && is_closed && is_safe_to_share) return true;
    error =
        fmt::format("{}: belongs to uid {} with mode {:04o}: not safe; remove it, or set XYLEM_RUNTIME_DIR",
                    path, status.st_uid, status.st_mode & 07777U);
    return false;
}

Claim RuntimeDirectory::claim(std::uint32_t domain, const std::string& group, std::string& error) {
    domain_ = domain;
    const std::string directory = domain_directory(domain).text;
    // Before anything is made.
    if (agent_socket(domain).text[0] == '\0' || xylem::link_socket(domain).text[0] == '\0') {
        error = kTooLong;
        return Claim::failed;
    }
    if (!make_safe_directory(runtime_directory().text, false, error) ||
        !make_safe_directory(directory, true, error) || !make_door(domain, error) ||
        !make_safe_directory(fabric_directory().text, false, error)) {
        return Claim::failed;
    }
    for (const auto& [lock, path] :
         {std::pair(&lock_, directory + "/agent.lock"),
          std::pair(&fabric_lock_, fmt::format("{}/{}.lock", fabric_directory().text, domain))}) {
        const Claim claim = take_lock(*lock, path, domain, error);
        if (claim != Claim::mine) return claim;
    }
    return admit(directory, group, error) ? Claim::mine : Claim::failed;
}

// A new link takes the place of the old one: there is no moment without.
bool RuntimeDirectory::make_default() const {
    const std::string link = default_link().text;
    const std::string made = fmt::format("{}.{}", link, ::getpid());
    const std::string target = fmt::format("dom-{}", domain_);
    const bool is_made =
        ::symlink(target.c_str(), made.c_str()) == 0 && ::rename(made.c_str(), link.c_str()) == 0;
    if (!is_made) ::unlink(made.c_str());
    return is_made;
}

// The one for programs last: what they offer as soon as it is there, other domains reach.
bool RuntimeDirectory::bind_sockets(std::string& error) {
    // Agents of other users dial it, too; who may be there at all is for the directory to say.
    link_socket_ = bind_at(xylem::link_socket(domain_).text, 0777, error);
    link_bound_ = static_cast<bool>(link_socket_);
    if (!link_bound_) return false;
    session_socket_ = bind_at(agent_socket(domain_).text, 0777, error);
    session_bound_ = static_cast<bool>(session_socket_);
    return session_bound_;
}

RuntimeDirectory::~RuntimeDirectory() {
    if (session_bound_) ::unlink(agent_socket(domain_).text);
    if (link_bound_) ::unlink(xylem::link_socket(domain_).text);
}

}  // namespace xylem::agent
