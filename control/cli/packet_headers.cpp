// Packet headers: structures of the system's headers, filled in.
#include "control/cli/packet_headers.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/vsockmon.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>

#include "control/protocol/socket_names.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint8_t kHops = 64;
constexpr std::uint16_t kWindow = 0xFFFF;
// Maximum segment size 65,495 (a loopback's), no operation, window scale 14 (the largest, RFC 7323).
constexpr std::string_view kSynOptions("\x02\x04\xFF\xD7\x01\x03\x03\x0E", 8);

template <class Header>
std::string_view bytes_of(const Header& header) {
    return {reinterpret_cast<const char*>(&header), sizeof header};
}

// The Internet checksum (RFC 1071), of pieces of even length but the last.
class Checksum {
  public:
    void add(std::string_view bytes) {
        for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
            sum_ += static_cast<std::uint32_t>(byte(bytes, i) << 8 | byte(bytes, i + 1));
        }
        if (bytes.size() % 2 != 0) sum_ += static_cast<std::uint32_t>(byte(bytes, bytes.size() - 1) << 8);
    }
    void add_number(std::uint64_t number) {
        const std::uint32_t big = htonl(static_cast<std::uint32_t>(number));
        add(bytes_of(big));
    }
    std::uint16_t value() const {
        std::uint64_t folded = sum_;
        while (folded >> 16 != 0) folded = (folded & 0xFFFF) + (folded >> 16);
        return htons(static_cast<std::uint16_t>(~folded));
    }

  private:
    static unsigned byte(std::string_view bytes, std::size_t at) {
        return static_cast<unsigned char>(bytes[at]);
    }
    std::uint64_t sum_ = 0;
};

std::string ipv4_header(const SocketName& from, const SocketName& to, std::size_t tcp_bytes) {
    iphdr header{};
    header.version = 4;
    header.ihl = sizeof header / 4;
    header.tot_len = htons(static_cast<std::uint16_t>(sizeof header + tcp_bytes));
    header.frag_off = htons(IP_DF);
    header.ttl = kHops;
    header.protocol = IPPROTO_TCP;
    std::memcpy(&header.saddr, from.address, sizeof header.saddr);
    std::memcpy(&header.daddr, to.address, sizeof header.daddr);
    Checksum sum;
    sum.add(bytes_of(header));
    header.check = sum.value();
    return std::string(bytes_of(header));
}

std::string ipv6_header(const SocketName& from, const SocketName& to, std::size_t tcp_bytes) {
    ip6_hdr header{};
    header.ip6_flow = htonl(6U << 28);
    header.ip6_plen = htons(static_cast<std::uint16_t>(tcp_bytes));
    header.ip6_nxt = IPPROTO_TCP;
    header.ip6_hlim = kHops;
    std::memcpy(&header.ip6_src, from.address, sizeof header.ip6_src);
    std::memcpy(&header.ip6_dst, to.address, sizeof header.ip6_dst);
    return std::string(bytes_of(header));
}

std::string tcp_header(const TcpFields& fields) {
    const std::string_view options = (fields.flags & TH_SYN) != 0 ? kSynOptions : std::string_view();
    tcphdr header{};
    header.th_sport = htons(static_cast<std::uint16_t>(fields.from.port));
    header.th_dport = htons(static_cast<std::uint16_t>(fields.to.port));
    header.th_seq = htonl(fields.sequence);
    header.th_ack = htonl(fields.acknowledged);
    header.th_off = static_cast<std::uint8_t>((sizeof header + options.size()) / 4);
    header.th_flags = fields.flags;
    header.th_win = htons(kWindow);
    return std::string(bytes_of(header)).append(options);
}

void put_checksum(std::string& tcp, const SocketName& from, const SocketName& to, std::string_view payload) {
    const std::size_t length = address_bytes(from);
    Checksum sum;
    sum.add({reinterpret_cast<const char*>(from.address), length});
    sum.add({reinterpret_cast<const char*>(to.address), length});
    sum.add_number(IPPROTO_TCP);
    sum.add_number(tcp.size() + payload.size());
    sum.add(tcp);
    sum.add(payload);
    const std::uint16_t value = sum.value();
    std::memcpy(tcp.data() + offsetof(tcphdr, th_sum), &value, sizeof value);
}

// One name of each family, where an IPv6 socket speaks IPv4.
TcpFields in_one_family(const TcpFields& fields) {
    TcpFields plain = fields;
    plain.from = unmapped(fields.from);
    plain.to = unmapped(fields.to);
    return plain.from.family == plain.to.family ? plain : fields;
}

}  // namespace

std::string tcp_headers(const TcpFields& given, std::string_view payload, std::size_t payload_bytes) {
    const TcpFields fields = in_one_family(given);
    std::string tcp = tcp_header(fields);
    if (payload.size() == payload_bytes) put_checksum(tcp, fields.from, fields.to, payload);
    const std::size_t tcp_bytes = tcp.size() + payload_bytes;
    return (fields.from.family == AF_INET ? ipv4_header(fields.from, fields.to, tcp_bytes)
                                          : ipv6_header(fields.from, fields.to, tcp_bytes)) +
           tcp;
}

std::string vsock_header(const SocketName& from, const SocketName& to, VsockEvent event) {
    constexpr std::uint16_t kOperations[] = {AF_VSOCK_OP_CONNECT, AF_VSOCK_OP_DISCONNECT,
                                             AF_VSOCK_OP_PAYLOAD};
    af_vsockmon_hdr header{};
    header.src_cid = htole64(cid_of(from));
    header.dst_cid = htole64(cid_of(to));
    header.src_port = htole32(from.port);
    header.dst_port = htole32(to.port);
    header.op = htole16(kOperations[static_cast<std::size_t>(event)]);
    header.transport = htole16(AF_VSOCK_TRANSPORT_NO_INFO);
    return std::string(bytes_of(header));
}

}  // namespace xylem::cli
