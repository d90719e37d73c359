// XenChannel. The stream checks what the peer publishes; what comes out of it is a byte sequence that the
// peer chose, so frames are checked here, and a wrong one ends the channel. Messages go on to Links, which
// checks them as any link's.
//
// Frames of one link keep their order. Where Links does not read (its socket is full), frames stay in the
// ring; where the peer does not read, our links are not read any more, and Links' own bound holds.
//
// A peer may send and ring without end. A turn takes a few frames, and what they cost, here and in Links, is
// kept account of: a peer that took its part of the agent's time has to wait, and its event channel is masked
// meanwhile (base/pace.hpp).
//
// A far agent that dies says nothing, and leaves its node in XenStore. Its kernel tells: it clears a byte of
// the ring and rings, since both sides have asked theirs to (clear_when_unmapped()).
#include "control/agent/xen/xen_channel.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "control/agent/work_meter.hpp"
#include "control/protocol/link_protocol.h"
#include "control/protocol/seqpacket.hpp"

namespace xylem::agent {
namespace {

enum FrameKind : std::uint16_t { kOpen = 1, kMessage = 2, kClose = 3 };

struct FrameHeader {
    std::uint32_t size_bytes;  // of what follows
    std::uint16_t link;        // the side that dialled it
    std::uint16_t kind;
};

// A message, and the references of the largest slab.
constexpr std::size_t kMostRefs = 2 * (kMaxRingSizeBytes / kPageBytes) + 1;
constexpr std::size_t kMostFrameBytes = kMaxMessageBytes + kMostRefs * sizeof(GrantRef);
constexpr std::size_t kMostOutBytes = 1 << 20;
constexpr std::uint64_t kFlushNs = 5 * kNsPerMs;  // in Xen's guests on an emulator a MiB takes as long
constexpr unsigned kBatch = 64;                   // frames a turn: other sources get theirs

// The connection id of a `connect`; 0: another message.
std::uint64_t connection_of(const std::byte* bytes, std::size_t size_bytes) {
    LinkConnectMessage message{};
    if (size_bytes < sizeof message) return 0;
    std::memcpy(&message, bytes, sizeof message);
    const bool is_connect = message.header.type == static_cast<std::uint16_t>(LinkMessage::connect);
    return is_connect && message.header.length_bytes == sizeof message ? message.connection_id : 0;
}

}  // namespace

XenChannel::~XenChannel() {
    if (stream_) stream_.close(CloseMode::abort);
}

Result<UniqueFd> XenChannel::dial() {
    const WorkMeter meter(pace_);
    close_link(side_, true);
    Result<UniqueFd> end = open_link(side_);
    if (end) send_frame(side_, kOpen);
    return end;
}

Result<UniqueFd> XenChannel::open_link(unsigned link) {
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return fail_errno();
    UniqueFd theirs(pair[1]);
    links_[link].socket = UniqueFd(pair[0]);
    links_[link].watch = loop_.on_ready(pair[0], EPOLLIN, [this, link](std::uint32_t events) {
        if ((events & EPOLLOUT) != 0) empty_unsent(link);
        // A hang-up is told again and again, whether or not what it stands for can be passed on.
        if ((events & EPOLLHUP) != 0 && !has_room()) return close_link(link, true);
        if ((events & (EPOLLIN | EPOLLHUP)) != 0) on_local(link);
    });
    return theirs;
}

void XenChannel::close_link(unsigned link, bool tell) {
    LinkEnd& end = links_[link];
    if (!end.socket) return;
    end.watch = Watch();
    end.socket.reset();
    end.unsent.clear();
    if (tell) send_frame(link, kClose);
}

// What Links sends. Flushed once: a peer may make each time long.
void XenChannel::on_local(unsigned link) {
    const WorkMeter meter(pace_);
    while (links_[link].socket && has_room()) {
        Received message;
        const auto got = receive_message(links_[link].socket.get(), message);
        if (!got && got.error().kind == ErrorKind::would_block) break;
        if (!got) return close_link(link, true);
        std::vector<std::byte> bytes(message.bytes, message.bytes + message.size_bytes);
        if (const std::uint64_t connection = connection_of(bytes.data(), bytes.size())) {
            const std::vector<GrantRef> refs = owner_.refs_of(connection);
            const auto* first = reinterpret_cast<const std::byte*>(refs.data());
            bytes.insert(bytes.end(), first, first + refs.size() * sizeof(GrantRef));
        }
        append_frame(link, kMessage, bytes.data(), bytes.size());
    }
    flush();
    set_watches();
}

bool XenChannel::has_room() const { return out_.size() - sent_bytes_ < kMostOutBytes; }

void XenChannel::send_frame(unsigned link, std::uint16_t kind) {
    append_frame(link, kind, nullptr, 0);
    flush();
    if (out_.size() - sent_bytes_ > 2 * kMostOutBytes) give_up();
}

void XenChannel::append_frame(unsigned link, std::uint16_t kind, const void* bytes, std::size_t size_bytes) {
    const FrameHeader header{static_cast<std::uint32_t>(size_bytes), static_cast<std::uint16_t>(link), kind};
    const auto* start = reinterpret_cast<const std::byte*>(&header);
    out_.insert(out_.end(), start, start + sizeof header);
    const auto* body = static_cast<const std::byte*>(bytes);
    out_.insert(out_.end(), body, body + size_bytes);
}

// Not at all where the peer has to wait: then work() does it, once it has waited.
void XenChannel::flush() {
    const std::uint64_t start_ns = now_ns();
    const std::uint64_t until_ns = pace_->rest_ns(start_ns) != 0 ? start_ns : start_ns + kFlushNs;
    while (sent_bytes_ < out_.size()) {
        if (now_ns() >= until_ns) {  // it takes little at a time
            if (!works_again_) works_again_ = loop_.after(0, [this] { work(); });
            break;
        }
        const iovec vector{out_.data() + sent_bytes_, out_.size() - sent_bytes_};
        IoCursor source(&vector, 1);
        const Result<std::size_t> sent = stream_.send_some(source);
        if (!sent && sent.error().kind == ErrorKind::would_block) break;
        if (!sent) return give_up();
        sent_bytes_ += *sent;
    }
    // A peer that takes little at a time does not have the rest moved each time.
    if (2 * sent_bytes_ < out_.size()) return;
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(sent_bytes_));
    sent_bytes_ = 0;
}

// A turn, after a ring, or because there was more than one takes.
void XenChannel::work() {
    if (failing_) return;
    if (const std::uint64_t rest_ns = pace_->rest_ns(now_ns())) return rest(rest_ns);
    const WorkMeter meter(pace_);
    works_again_ = Watch();
    drain_event_channel(bell_.fd.get());
    flush();
    const bool is_open = receive();
    const Taken taken = take_frames();
    if (taken == Taken::nonsense || (!is_open && taken == Taken::all)) return give_up();
    if (taken == Taken::some) works_again_ = loop_.after(0, [this] { work(); });
    if (taken == Taken::all && stream_.is_far_side_gone()) return give_up();
    set_watches();
}

// Not drained, the event channel stays masked.
void XenChannel::rest(std::uint64_t rest_ns) {
    owner_.on_storm(peer_);
    bell_watch_.set_events(0);
    works_again_ = loop_.after(rest_ns, [this] {
        bell_watch_.set_events(EPOLLIN);
        work();
    });
}

// False: the stream is over.
bool XenChannel::receive() {
    for (;;) {
        const std::size_t had = in_.size();
        if (had >= sizeof(FrameHeader) + kMostFrameBytes) return true;
        in_.resize(had + kRingSizeBytes);
        const iovec vector{in_.data() + had, kRingSizeBytes};
        IoCursor destination(&vector, 1);
        const Result<std::size_t> got = stream_.receive_some(destination, ReceiveMode::consume);
        in_.resize(had + (got ? *got : 0));
        if (!got) return got.error().kind == ErrorKind::would_block;
        if (*got == 0) return false;
    }
}

// Those of a link whose messages Links has no room for stay: they are taken once it has.
XenChannel::Taken XenChannel::take_frames() {
    std::size_t at = 0;
    Taken taken = Taken::all;
    for (unsigned left = kBatch; in_.size() - at >= sizeof(FrameHeader); --left) {
        FrameHeader header{};
        std::memcpy(&header, in_.data() + at, sizeof header);
        if (header.size_bytes > kMostFrameBytes || header.link > 1) return Taken::nonsense;
        if (in_.size() - at < sizeof header + header.size_bytes) break;
        taken = Taken::some;
        if (left == 0 || !has_room(header.link)) break;
        if (!take_frame(header.link, header.kind, in_.data() + at + sizeof header, header.size_bytes))
            return Taken::nonsense;
        at += sizeof header + header.size_bytes;
        taken = Taken::all;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    return taken;
}

bool XenChannel::take_frame(unsigned link, std::uint16_t kind, const std::byte* bytes,
                            std::size_t size_bytes) {
    const bool is_theirs = link != side_;
    switch (kind) {
        case kOpen: {
            if (!is_theirs || size_bytes != 0) return false;
            close_link(link, false);
            Result<UniqueFd> end = open_link(link);
            if (end) owner_.on_dialled(peer_, std::move(*end));
            return true;
        }
        case kClose:
            close_link(link, false);
            return size_bytes == 0;
        case kMessage:
            return deliver(link, bytes, size_bytes);
        default:
            return false;
    }
}

// A message for Links. One of a link that was closed on this side meanwhile is dropped.
bool XenChannel::deliver(unsigned link, const std::byte* bytes, std::size_t size_bytes) {
    LinkEnd& end = links_[link];
    if (!end.socket) return true;
    std::size_t message_bytes = size_bytes;
    if (const std::uint64_t connection = connection_of(bytes, size_bytes)) {
        message_bytes = sizeof(LinkConnectMessage);
        const std::size_t refs_bytes = size_bytes - message_bytes;
        if (refs_bytes % sizeof(GrantRef) != 0) return false;
        std::vector<GrantRef> refs(refs_bytes / sizeof(GrantRef));
        if (refs_bytes > 0) std::memcpy(refs.data(), bytes + message_bytes, refs_bytes);
        owner_.on_refs(peer_, connection, std::move(refs));
    }
    if (message_bytes == 0 || message_bytes > kMaxMessageBytes) return false;
    end.unsent.emplace_back(bytes, bytes + message_bytes);
    empty_unsent(link);
    return true;
}

void XenChannel::empty_unsent(unsigned link) {
    LinkEnd& end = links_[link];
    while (end.socket && !end.unsent.empty()) {
        const std::vector<std::byte>& first = end.unsent.front();
        const auto sent = send_message(end.socket.get(), first.data(), first.size());
        if (!sent && sent.error().kind == ErrorKind::would_block) break;
        if (!sent) return close_link(link, true);
        end.unsent.pop_front();
    }
    set_watches();
}

void XenChannel::set_watches() {
    for (LinkEnd& end : links_) {
        if (!end.socket) continue;
        const std::uint32_t in = has_room() ? std::uint32_t{EPOLLIN} : 0U;
        end.watch.set_events(in | (end.unsent.empty() ? 0U : std::uint32_t{EPOLLOUT}));
    }
}

// Not from here: the channel's own code is on the stack.
void XenChannel::give_up() {
    if (failing_) return;
    bell_watch_ = Watch();
    works_again_ = Watch();
    failing_ = loop_.after(0, [this] { owner_.on_over(peer_); });
}

}  // namespace xylem::agent
