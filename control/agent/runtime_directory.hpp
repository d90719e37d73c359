// The agent's place in the file system: its directory, its lock, its two sockets.
#pragma once

#include <cstdint>
#include <string>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

enum class Claim : std::uint8_t { mine, taken, failed };

class RuntimeDirectory {
  public:
    // Makes the directories where they are missing and takes the domain's lock. `error` says what failed and
    // what to do. taken: another agent serves the domain.
    // group: whose programs may use the agent as well as its own user's; empty: nobody's.
    Claim claim(std::uint32_t domain, const std::string& group, std::string& error);
    // Whoever names no domain finds this agent from now on, or (false) another one.
    bool make_default() const;
    // Binds agent.sock and the link socket, replacing what a dead agent left. After a claim only.
    bool bind_sockets(std::string& error);
    // Removes the sockets, if they are still ours.
    ~RuntimeDirectory();

    int session_socket() const { return session_socket_.get(); }
    int link_socket() const { return link_socket_.get(); }

  private:
    std::uint32_t domain_ = 0;
    UniqueFd lock_;
    UniqueFd fabric_lock_;  // of those with another runtime directory and the same fabric
    UniqueFd session_socket_;
    UniqueFd link_socket_;
    bool session_bound_ = false;
    bool link_bound_ = false;
};

// Makes the directory (and those above it) with mode 0700 if it is missing. Whatever is there must be a
// directory, no symbolic link, and belong to us or to root; `is_private`: to us, closed to all others (a
// group may pass it).
bool make_safe_directory(const std::string& path, bool is_private, std::string& error);

}  // namespace xylem::agent
