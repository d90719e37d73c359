// KernelSocket: a member of an epoll set does not keep its file open, and leaves the set with the last
// descriptor of it. Sets tell their members in /proc/self/fdinfo (proc(5)), with the data that they were
// added with, here the cookie. Nobody waits on these sets. A set has few members, so that looking is cheap;
// it is closed with the last KernelSocket that looks into it. Where there is no /proc every socket seems
// gone.
#include "control/agent/kernel_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

struct KernelSocket::Group {
    static constexpr unsigned kMembers = 64;
    UniqueFd set;
    unsigned added = 0;
};

namespace {

std::uint64_t cookie_of(int fd) {
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

}  // namespace

std::shared_ptr<KernelSocket::Group> KernelSocket::group_with_room() {
    static std::weak_ptr<Group> newest;
    std::shared_ptr<Group> group = newest.lock();
    if (group != nullptr && group->added < Group::kMembers) return group;
    group = std::make_shared<Group>();
    group->set.reset(::epoll_create1(EPOLL_CLOEXEC));
    newest = group;
    return group->set ? group : nullptr;
}

KernelSocket::KernelSocket(int fd) {
    const std::uint64_t cookie = cookie_of(fd);
    if (cookie == 0) return;
    std::shared_ptr<Group> group = group_with_room();
    epoll_event event{};
    event.data.u64 = cookie;
    if (group == nullptr) return;
    // EEXIST: it was shown before under the same number, and is looked at.
    if (::epoll_ctl(group->set.get(), EPOLL_CTL_ADD, fd, &event) != 0 && errno != EEXIST) return;
    ++group->added;
    group_ = std::move(group);
    cookie_ = cookie;
}

bool KernelSocket::exists() const {
    if (group_ == nullptr) return false;
    std::ifstream members("/proc/self/fdinfo/" + std::to_string(group_->set.get()));
    constexpr std::string_view kData = "data:";
    for (std::string line; std::getline(members, line);) {
        const std::size_t found = line.find(kData);
        if (found == std::string::npos) continue;
        if (std::strtoull(line.c_str() + found + kData.size(), nullptr, 16) == cookie_) return true;
    }
    return false;
}

std::uint64_t shown_cookie(const Received& message) {
    return message.fd_count > 0 ? cookie_of(message.fds[0].get()) : 0;
}

KernelSocket shown_socket(const Received& message, std::uint64_t cookie) {
    if (message.fd_count == 0) return {};
    KernelSocket socket(message.fds[0].get());
    return cookie == 0 || socket.cookie() == cookie ? socket : KernelSocket();
}

}  // namespace xylem::agent
