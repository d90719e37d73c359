// An eye on a program's kernel socket, which stands for an end or a listener: whether it still exists
// anywhere, be it in a process that never spoke to this agent, or in a message on its way.
#pragma once

#include <cstdint>
#include <memory>

#include "control/protocol/codec.hpp"

namespace xylem::agent {

class KernelSocket {
  public:
    // Knows nothing, and says that it is gone.
    KernelSocket() = default;
    // Looks at the socket fd from now on, without keeping it open.
    explicit KernelSocket(int fd);

    explicit operator bool() const { return group_ != nullptr; }
    bool exists() const;
    // SO_COOKIE of the socket, from the kernel; 0 if it knows nothing.
    std::uint64_t cookie() const { return cookie_; }

  private:
    struct Group;
    static std::shared_ptr<Group> group_with_room();

    std::shared_ptr<Group> group_;
    std::uint64_t cookie_ = 0;
};

// SO_COOKIE of the kernel socket that a program showed with its message; 0 if it did not.
std::uint64_t shown_cookie(const Received& message);

// The one that a program showed with its message, if it did, and if it is the one that the program says: of
// that cookie. 0: of any.
KernelSocket shown_socket(const Received& message, std::uint64_t cookie);

}  // namespace xylem::agent
