// Writing a capture file: pcapng, as in the IETF's draft-ietf-opsawg-pcapng, one section of this machine's
// byte order, times in nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::cli {

// The two interfaces of each file, by number, and what their packets begin with.
enum class CaptureLink : std::uint32_t {
    ip = 0,     // LINKTYPE_RAW: an IPv4 or IPv6 header
    vsock = 1,  // LINKTYPE_VSOCK: struct af_vsockmon_hdr of <linux/vsockmon.h>
};

class PcapngWriter {
  public:
    // stop_fd: whoever waits for a slow reader of a pipe waits no more when it becomes readable; -1 for none.
    PcapngWriter(UniqueFd file, int stop_fd) : file_(std::move(file)), stop_fd_(stop_fd) {}

    // First of all. snap_bytes: of a packet, 0 for no limit.
    void begin(std::string_view program, std::string_view interface_name, std::uint32_t snap_bytes);
    // original_bytes: how long it was; at least bytes.size(). comment may be empty.
    void packet(CaptureLink link, std::uint64_t time_ns, std::string_view bytes, std::size_t original_bytes,
                std::string_view comment);
    // Last of all.
    void statistics(std::uint64_t time_ns, CaptureLink link, std::uint64_t received, std::uint64_t lost);

    // Writes what has gathered; what is not written yet when it is stopped is written by the next flush(). 0,
    // or the errno, for good.
    int flush();

    bool has_unwritten() const { return !gathered_.empty(); }

    int fd() const { return file_.get(); }

  private:
    class Block;

    bool may_write() const;

    UniqueFd file_;
    int stop_fd_;
    std::string gathered_;
    int error_ = 0;
};

}  // namespace xylem::cli
