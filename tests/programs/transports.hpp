// What carries connections: `ring` or `tcp`, for one; `both` may come of several.
#pragma once

#include "kernel_call.hpp"

inline const char* transport_of(int fd) { return kernel_knows_peer(fd) ? "tcp" : "ring"; }

class Transports {
  public:
    void note(int fd) { (kernel_knows_peer(fd) ? tcp_ : ring_) = true; }
    const char* word() const { return ring_ && tcp_ ? "both" : ring_ ? "ring" : "tcp"; }

  private:
    bool ring_ = false;
    bool tcp_ = false;
};
