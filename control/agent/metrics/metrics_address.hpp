// Where the agent's figures are served.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

struct MetricsAddress {
    sockaddr_storage bytes{};
    socklen_t size_bytes = 0;

    // Empty: it is no unix socket.
    std::string path() const;
};

// "127.0.0.1:9464", "[::1]:9464", ":9464" (of 127.0.0.1), or the absolute path of a unix socket. Nothing for
// anything else: names are not looked up.
std::optional<MetricsAddress> parse_metrics_address(const std::string& text);

// A stream socket that listens; a unix socket goes when this is destroyed.
class MetricsSocket {
  public:
    // Not open: the error says why.
    MetricsSocket(const MetricsAddress& address, std::string& error);
    MetricsSocket(const MetricsSocket&) = delete;
    MetricsSocket& operator=(const MetricsSocket&) = delete;
    ~MetricsSocket();

    explicit operator bool() const { return static_cast<bool>(fd_); }
    int fd() const { return fd_.get(); }
    // For people, with the port that it got.
    std::string text() const;

  private:
    UniqueFd fd_;
    std::string path_;  // to be removed
};

}  // namespace xylem::agent
