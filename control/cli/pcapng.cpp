// PcapngWriter: blocks are put together in memory, since their length stands at both their ends.
#include "control/cli/pcapng.hpp"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

namespace xylem::cli {
namespace {

// Numbers of the draft.
constexpr std::uint32_t kSectionHeader = 0x0A0D'0D0A;
constexpr std::uint32_t kByteOrder = 0x1A2B'3C4D;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kInterfaceStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionComment = 1;
constexpr std::uint16_t kInterfaceName = 2;
constexpr std::uint16_t kOperatingSystem = 3;
constexpr std::uint16_t kInterfaceText = 3;
constexpr std::uint16_t kApplication = 4;
constexpr std::uint16_t kReceived = 4;
constexpr std::uint16_t kDropped = 5;
constexpr std::uint16_t kTimeResolution = 9;
constexpr char kNanoseconds = 9;
// Link types, of the list that tcpdump.org keeps.
constexpr std::uint16_t kLinkRaw = 101;
constexpr std::uint16_t kLinkVsock = 271;

constexpr std::size_t kFlushBytes = 1 << 20;
// What a pipe takes at once if it takes anything, by Linux's rule for poll(2) of a pipe (a whole page is
// free).
constexpr std::size_t kPipeBytes = 4096;

}  // namespace

class PcapngWriter::Block {
  public:
    Block(std::string& into, std::uint32_t type) : into_(into), start_(into.size()) {
        put(type);
        put(std::uint32_t{0});  // its length, when it is known
    }
    ~Block() {
        const auto length = static_cast<std::uint32_t>(into_.size() - start_ + sizeof(std::uint32_t));
        put(length);
        into_.replace(start_ + sizeof(std::uint32_t), sizeof length, reinterpret_cast<const char*>(&length),
                      sizeof length);
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    template <class Number>
    void put(Number number) {
        into_.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    // The high half first, whatever the byte order.
    void put_time(std::uint64_t time_ns) {
        put(static_cast<std::uint32_t>(time_ns >> 32));
        put(static_cast<std::uint32_t>(time_ns));
    }
    void put_padded(std::string_view bytes) {
        into_ += bytes;
        into_.append((4 - bytes.size() % 4) % 4, '\0');
    }
    void put_option(std::uint16_t code, std::string_view value) {
        if (value.size() > 0xFFFF) value = value.substr(0, 0xFFFF);
        put(code);
        put(static_cast<std::uint16_t>(value.size()));
        put_padded(value);
    }
    void put_option(std::uint16_t code, std::uint64_t number) {
        put_option(code, std::string_view(reinterpret_cast<const char*>(&number), sizeof number));
    }
    void end_options() { put_option(kOptionEnd, std::string_view()); }

  private:
    std::string& into_;
    std::size_t start_;
};

void PcapngWriter::begin(std::string_view program, std::string_view interface_name,
                         std::uint32_t snap_bytes) {
    {
        Block section(gathered_, kSectionHeader);
        section.put(kByteOrder);
        section.put(std::uint16_t{1});  // major version
        section.put(std::uint16_t{0});  // minor version
        section.put(std::int64_t{-1});  // length of the section: not known
        section.put_option(kOperatingSystem, "Linux");
        section.put_option(kApplication, program);
        section.end_options();
    }
    for (const std::uint16_t type : {kLinkRaw, kLinkVsock}) {
        Block description(gathered_, kInterfaceDescription);
        description.put(type);
        description.put(std::uint16_t{0});
        description.put(snap_bytes);
        description.put_option(kInterfaceName, interface_name);
        description.put_option(kInterfaceText, type == kLinkRaw ? "TCP sockets on rings; headers are made up"
                                                                : "AF_VSOCK sockets on rings");
        description.put_option(kTimeResolution, std::string_view(&kNanoseconds, 1));
        description.end_options();
    }
}

void PcapngWriter::packet(CaptureLink link, std::uint64_t time_ns, std::string_view bytes,
                          std::size_t original_bytes, std::string_view comment) {
    {
        Block packet(gathered_, kEnhancedPacket);
        packet.put(static_cast<std::uint32_t>(link));
        packet.put_time(time_ns);
        packet.put(static_cast<std::uint32_t>(bytes.size()));
        packet.put(static_cast<std::uint32_t>(original_bytes));
        packet.put_padded(bytes);
        if (!comment.empty()) {
            packet.put_option(kOptionComment, comment);
            packet.end_options();
        }
    }
    if (gathered_.size() >= kFlushBytes) flush();
}

void PcapngWriter::statistics(std::uint64_t time_ns, CaptureLink link, std::uint64_t received,
                              std::uint64_t lost) {
    Block statistics(gathered_, kInterfaceStatistics);
    statistics.put(static_cast<std::uint32_t>(link));
    statistics.put_time(time_ns);
    statistics.put_option(kReceived, received);
    statistics.put_option(kDropped, lost);
    statistics.end_options();
}

// Whether the next write() takes kPipeBytes without waiting; false: it is to stop.
bool PcapngWriter::may_write() const {
    pollfd items[] = {{file_.get(), POLLOUT, 0}, {stop_fd_, POLLIN, 0}};
    while (::poll(items, 2, -1) < 0 && errno == EINTR) continue;
    return items[0].revents != 0;
}

int PcapngWriter::flush() {
    std::size_t done = 0;
    while (error_ == 0 && done < gathered_.size() && may_write()) {
        const std::size_t piece = std::min(gathered_.size() - done, kPipeBytes);
        const ssize_t written = ::write(file_.get(), gathered_.data() + done, piece);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
        } else if (errno != EINTR && errno != EAGAIN) {
            error_ = errno;
        }
    }
    gathered_.erase(0, error_ == 0 ? done : gathered_.npos);
    return error_;
}

}  // namespace xylem::cli
