// From what programs captured to packets as Wireshark reads them: bytes come in their order, under made-up
// headers of IP and TCP (RFC 9293) or of vsockmon. Sequence numbers begin at 0 and count the connection's
// bytes, so what is missing shows as a gap.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "control/cli/capture_reader.hpp"
#include "control/cli/pcapng.hpp"

namespace xylem::cli {

class CapturePackets {
  public:
    explicit CapturePackets(PcapngWriter& file) : file_(file) {}

    // In the order of their times. The first packet of a connection names the program.
    void add(const CapturedPiece& piece);

    std::uint64_t packets(CaptureLink link) const { return packets_[static_cast<std::size_t>(link)]; }
    std::uint64_t connections() const { return connections_; }
    std::uint64_t payload_bytes() const { return payload_bytes_; }
    // Pieces that are in no packet, because there was no room for their connection.
    std::uint64_t untold() const { return untold_; }

  private:
    using Key = std::pair<std::uint64_t, std::uint32_t>;  // end and use
    using Names = std::string;                            // of both ends, as bytes

    struct Connection {
        std::string comment;  // for its first packet
        Names names;
        bool is_shown = true;  // not the other end of one that is
        bool is_begun = false;
        bool has_sent_end = false;
        bool has_peer_end = false;
        bool is_closed = false;  // by the program
    };
    enum class Way : std::uint8_t { out, in };

    Connection* find_or_open(const CapturedPiece& piece);
    void close(const Key& key);
    void close_later(const Key& key, Connection& connection);
    void add_tcp(Connection& connection, const CapturedPiece& piece);
    void add_vsock(Connection& connection, const CapturedPiece& piece);
    void handshake(Connection& connection, const CapturedPiece& piece);
    void segment(Connection& connection, const CapturedPiece& piece, Way way, std::uint8_t flags);
    void write(Connection& connection, const CapturedPiece& piece, CaptureLink link, std::string headers);

    PcapngWriter& file_;
    std::map<Key, Connection> open_;
    std::map<Names, Key> shown_;  // those of open_ that are, to know the other end of one
    std::deque<Key> closed_;      // those of open_ that may still be told of; the oldest first
    std::uint64_t untold_ = 0;
    std::uint64_t packets_[2]{};
    std::uint64_t connections_ = 0;
    std::uint64_t payload_bytes_ = 0;
};

}  // namespace xylem::cli
