// CapturePackets: one packet a piece, three for a connection that is seen to begin, one for each end of it.
#include "control/cli/capture_packets.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "control/cli/packet_headers.hpp"
#include "control/protocol/socket_names.hpp"

namespace xylem::cli {
namespace {

// What a program made up would fill the memory: more connections at a time than that are not told apart.
constexpr std::size_t kMostConnections = 1 << 20;
// So many that one program has closed are remembered for what others that had them, or have the other end,
// tell late.
constexpr std::size_t kMostClosed = 1 << 12;

bool is_abort(CaptureKind kind) { return kind == CaptureKind::aborted || kind == CaptureKind::peer_aborted; }
bool is_begin(CaptureKind kind) { return kind == CaptureKind::connected || kind == CaptureKind::accepted; }
bool is_finish(CaptureKind kind) { return kind == CaptureKind::finished || kind == CaptureKind::closed; }
bool is_data(CaptureKind kind) { return kind == CaptureKind::sent || kind == CaptureKind::received; }
bool is_of_peer(CaptureKind kind) {
    return kind == CaptureKind::received || kind == CaptureKind::peer_finished ||
           kind == CaptureKind::peer_aborted;
}

bool is_known(const CapturedPiece& piece) {
    const bool is_kind = piece.kind >= CaptureKind::connected && piece.kind <= CaptureKind::closed;
    for (const std::uint32_t family : {AF_INET, AF_INET6, AF_VSOCK}) {
        if (piece.local.family == family && piece.peer.family == family) return is_kind;
    }
    return false;
}

std::string names_of(const SocketName& from, const SocketName& to) {
    const auto bytes = [](const SocketName& name) {
        return std::string(reinterpret_cast<const char*>(&name), sizeof name);
    };
    return bytes(unmapped(from)) + bytes(unmapped(to));
}

}  // namespace

void CapturePackets::add(const CapturedPiece& piece) {
    if (!is_known(piece)) return;
    Connection* connection = find_or_open(piece);
    if (connection == nullptr) return;
    if (!connection->is_shown) {
        if (is_finish(piece.kind)) connection->has_sent_end = true;
        if (piece.kind == CaptureKind::peer_finished) connection->has_peer_end = true;
    } else if (piece.local.family == AF_VSOCK) {
        add_vsock(*connection, piece);
    } else {
        add_tcp(*connection, piece);
    }
    const Key key(piece.end_id, piece.use);
    if (is_abort(piece.kind) || (connection->has_sent_end && connection->has_peer_end)) {
        close(key);
    } else if (piece.kind == CaptureKind::closed) {
        close_later(key, *connection);
    }
}

// Null for the end of one of which nothing else was seen, or that was seen to end already. Of a connection
// within one domain both ends tell the same: the one that tells first is shown.
CapturePackets::Connection* CapturePackets::find_or_open(const CapturedPiece& piece) {
    const Key key(piece.end_id, piece.use);
    const auto found = open_.find(key);
    if (found != open_.end()) return &found->second;
    if (!(is_begin(piece.kind) || is_data(piece.kind))) return nullptr;
    if (open_.size() == kMostConnections) {
        ++untold_;
        return nullptr;
    }
    Connection made;
    made.is_shown = shown_.count(names_of(piece.peer, piece.local)) == 0;
    if (made.is_shown) {
        made.comment = piece.program ? *piece.program : std::string();
        made.names = names_of(piece.local, piece.peer);
        shown_[made.names] = key;
        ++connections_;
    }
    return &open_.emplace(key, std::move(made)).first->second;
}

// Names may be another connection's by then, which was told of before the end of this one.
void CapturePackets::close(const Key& key) {
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    const auto shown = shown_.find(found->second.names);
    if (shown != shown_.end() && shown->second == key) shown_.erase(shown);
    open_.erase(found);
}

void CapturePackets::close_later(const Key& key, Connection& connection) {
    if (std::exchange(connection.is_closed, true)) return;
    closed_.push_back(key);
    if (closed_.size() <= kMostClosed) return;
    close(closed_.front());
    closed_.pop_front();
}

void CapturePackets::add_tcp(Connection& connection, const CapturedPiece& piece) {
    const Way way = is_of_peer(piece.kind) ? Way::in : Way::out;
    switch (piece.kind) {
        case CaptureKind::connected:
        case CaptureKind::accepted:
            return handshake(connection, piece);
        case CaptureKind::sent:
        case CaptureKind::received:
            return segment(connection, piece, way, TH_PUSH | TH_ACK);
        case CaptureKind::finished:
        case CaptureKind::closed:
        case CaptureKind::peer_finished: {
            bool& has_end = way == Way::out ? connection.has_sent_end : connection.has_peer_end;
            if (has_end) return;
            segment(connection, piece, way, TH_FIN | TH_ACK);
            has_end = true;
            return;
        }
        case CaptureKind::aborted:
        case CaptureKind::peer_aborted:
            return segment(connection, piece, way, TH_RST | TH_ACK);
        case CaptureKind::skip:
            return;
    }
}

// Of an end that a process took over from another, the beginning was seen there.
void CapturePackets::handshake(Connection& connection, const CapturedPiece& piece) {
    if (connection.is_begun || piece.sent_bytes != 0 || piece.received_bytes != 0) return;
    const bool is_caller = piece.kind == CaptureKind::connected;
    const Way call = is_caller ? Way::out : Way::in;
    const Way answer = is_caller ? Way::in : Way::out;
    segment(connection, piece, call, TH_SYN);
    segment(connection, piece, answer, TH_SYN | TH_ACK);
    segment(connection, piece, call, TH_ACK);
    connection.is_begun = true;
}

void CapturePackets::segment(Connection& connection, const CapturedPiece& piece, Way way,
                             std::uint8_t flags) {
    // A SYN takes a number, and so does a FIN.
    const bool is_syn = (flags & TH_SYN) != 0;
    const auto number = [is_syn](std::uint64_t bytes, bool has_ended) {
        return is_syn ? 0 : static_cast<std::uint32_t>(1 + bytes + (has_ended ? 1 : 0));
    };
    const std::uint32_t own = number(piece.sent_bytes, connection.has_sent_end);
    const std::uint32_t peers = number(piece.received_bytes, connection.has_peer_end);
    const bool is_out = way == Way::out;
    TcpFields fields{is_out ? piece.local : piece.peer, is_out ? piece.peer : piece.local,
                     is_out ? own : peers, is_out ? peers : own, flags};
    if ((flags & TH_ACK) == 0) fields.acknowledged = 0;
    if (is_syn && (flags & TH_ACK) != 0) fields.acknowledged = 1;
    write(connection, piece, CaptureLink::ip, tcp_headers(fields, piece.payload, piece.moved_bytes));
}

void CapturePackets::add_vsock(Connection& connection, const CapturedPiece& piece) {
    if (is_begin(piece.kind)) {
        if (connection.is_begun || piece.sent_bytes != 0 || piece.received_bytes != 0) return;
        connection.is_begun = true;
    }
    const bool is_in = is_of_peer(piece.kind) || piece.kind == CaptureKind::accepted;
    if (is_finish(piece.kind) || piece.kind == CaptureKind::peer_finished) {
        bool& has_end = is_in ? connection.has_peer_end : connection.has_sent_end;
        if (std::exchange(has_end, true)) return;
    }
    const VsockEvent event = is_data(piece.kind)    ? VsockEvent::payload
                             : is_begin(piece.kind) ? VsockEvent::connected
                                                    : VsockEvent::ended;
    const SocketName& from = is_in ? piece.peer : piece.local;
    const SocketName& to = is_in ? piece.local : piece.peer;
    write(connection, piece, CaptureLink::vsock, vsock_header(from, to, event));
}

void CapturePackets::write(Connection& connection, const CapturedPiece& piece, CaptureLink link,
                           std::string headers) {
    const std::size_t original_bytes = headers.size() + piece.moved_bytes;
    headers += piece.payload;
    file_.packet(link, piece.time_ns, headers, original_bytes, std::exchange(connection.comment, {}));
    ++packets_[static_cast<std::size_t>(link)];
    payload_bytes_ += piece.moved_bytes;
}

}  // namespace xylem::cli
