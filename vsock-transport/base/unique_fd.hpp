// A file descriptor with one owner.
// Closes by system call, never through libc's close(): inside a program that preloads the guest library
// that name is ours, and the library's own descriptors must not come back through its own front door.
#pragma once

#include <utility>

#include "vsock-transport/base/system_call.hpp"

namespace xylem {

class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        if (fd_ >= 0) system_call(SYS_close, fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

}  // namespace xylem
