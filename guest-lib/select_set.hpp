// The three bitmaps of select as poll items, and back.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/select.h>

#include <cstddef>
#include <cstdint>

namespace xylem {

class SelectSet {
  public:
    // Bitmaps hold at least `count` bits; null ones are empty.
    SelectSet(int count, fd_set* in, fd_set* out, fd_set* error);

    // Whether any descriptor in the sets is a ring socket or an offered listener.
    bool has_ours() const { return has_ours_; }
    // select's answer; the bitmaps are rewritten unless it is -1.
    int wait(std::uint64_t timeout_ns, const sigset_t* mask);

  private:
    static constexpr unsigned kInline = 64;

    short wanted(int fd) const;
    int write_back(const pollfd* items, unsigned used);

    int count_;
    unsigned long* in_;
    unsigned long* out_;
    unsigned long* error_;
    unsigned used_ = 0;
    bool has_ours_ = false;
};

}  // namespace xylem
