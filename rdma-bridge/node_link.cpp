// NodeLink. One buffer each way. What is read holds whole frames, but for data, whose bytes go into their
// ring as they come: from the buffer, or right from the wire where the buffer is empty.
#include "rdma-bridge/node_link.hpp"

#include <algorithm>
#include <cstring>

#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kInBytes = 256 << 10;
constexpr std::size_t kMostReadBytes = 1 << 20;   // a turn
constexpr unsigned kMostQuestions = 64;           // a turn: each costs system calls
constexpr std::size_t kGatheredBytes = 16 << 10;  // data no longer than this waits for flush()
// To be ready. An agent waits a second for what it asks; whoever dials must not keep a place that others
// need.
constexpr std::uint64_t kDialNs = 300 * kNsPerMs;
constexpr std::uint64_t kListenNs = kNsPerSecond;
constexpr std::size_t kMostGreetingBytes = 512;

}  // namespace

NodeLink::NodeLink(Poller& poller, const NodeKey& key, std::unique_ptr<Wire> wire, Role own_role,
                   const SocketName& own, const SocketName& to, Events events)
    : poller_(poller),
      key_(key),
      wire_(std::move(wire)),
      role_(own_role),
      own_(own),
      events_(std::move(events)),
      state_(NodeLinkState::connecting),
      in_(2 * kMostGreetingBytes) {
    own_nonce() = fresh_nonce();
    meeting_.to = to;
    const std::uint64_t greeting_ns = own_role == Role::dialler ? kDialNs : kListenNs;
    greeting_timer_ = poller_.after(greeting_ns, [this] {
        if (state_ != NodeLinkState::ready) break_it("it does not answer");
    });
}

void NodeLink::begin() {
    wire_->begin({[this] {
                      if (state_ == NodeLinkState::connecting) greet();
                  },
                  [this] { read(); }, [this] { flush(); },
                  [this](const std::string& why) { break_it(why); }});
}

void NodeLink::be_ready() {
    state_ = NodeLinkState::ready;
    in_.resize(kInBytes);
    wire_->set_proved();
    events_.on_ready(*this);
}

NodeLink::~NodeLink() { poller_.cancel(greeting_timer_); }

void NodeLink::read() {
    for (std::size_t total = 0; total < kMostReadBytes && state_ != NodeLinkState::broken;) {
        Mirror::Room room{nullptr, 0};
        const bool is_direct = data_left_ > 0 && in_taken_ == in_filled_ &&
                               events_.on_data(*this, data_, data_left_, room) && room.bytes != nullptr;
        if (!is_direct) room = {in_.data() + in_filled_, in_.size() - in_filled_};
        if (room.size_bytes == 0) return;  // it is full of frames for the next turn
        const std::size_t length = wire_->receive(room.bytes, room.size_bytes);
        if (length == 0) return;
        total += length;
        bytes_received += length;
        if (is_direct) {
            data_.cursor += length;
            data_left_ -= length;
            events_.on_received(*this, data_.header.connection, length);
            continue;
        }
        in_filled_ += length;
        if (!take_frames() && state_ != NodeLinkState::broken) return refuse("a frame makes no sense");
        if (length < room.size_bytes || has_rest_) return;
    }
}

bool NodeLink::poll() {
    if (state_ == NodeLinkState::broken) return false;
    const bool has_rest = std::exchange(has_rest_, false);
    if (!has_rest) return wire_->poll();
    if (!take_frames() && state_ != NodeLinkState::broken) refuse("a frame makes no sense");
    if (state_ != NodeLinkState::broken && !has_rest_) read();  // of which the wire told meanwhile
    return true;
}

// Takes what is whole. False: it makes no sense.
bool NodeLink::take_frames() {
    unsigned questions = 0;
    while (state_ != NodeLinkState::broken && !has_rest_) {
        if (data_left_ > 0 && !take_data()) return false;
        const std::size_t there = in_filled_ - in_taken_;
        if (data_left_ > 0 || there < sizeof(FrameHeader)) break;
        FrameHeader header;
        std::memcpy(&header, in_.data() + in_taken_, sizeof header);
        const bool is_data =
            header.kind == static_cast<std::uint16_t>(FrameKind::data) && state_ == NodeLinkState::ready;
        const std::size_t most = is_data ? kMostFrameBytes : kMostGreetingBytes;
        if (header.length_bytes < sizeof(FrameHeader) || header.length_bytes > most) return false;
        if (there < (is_data ? sizeof(DataFrame) : header.length_bytes)) break;
        const std::byte* bytes = in_.data() + in_taken_;
        in_taken_ += is_data ? sizeof(DataFrame) : header.length_bytes;
        if (is_data) {
            DataFrame frame;
            std::memcpy(&frame, bytes, sizeof frame);
            if (!begin_data(frame)) return false;
        } else if (!take_frame(header, bytes)) {
            return false;
        }
        const auto kind = static_cast<FrameKind>(header.kind);
        questions += kind == FrameKind::open || kind == FrameKind::resume ? 1 : 0;
        has_rest_ = questions >= kMostQuestions;
    }
    std::memmove(in_.data(), in_.data() + in_taken_, in_filled_ - in_taken_);
    in_filled_ -= in_taken_;
    in_taken_ = 0;
    return true;
}

bool NodeLink::begin_data(const DataFrame& frame) {
    if (frame.header.length_bytes <= sizeof frame) return false;
    data_ = frame;
    data_left_ = frame.header.length_bytes - sizeof frame;
    return true;
}

// From the buffer into the ring, or nowhere.
bool NodeLink::take_data() {
    while (data_left_ > 0 && in_taken_ < in_filled_) {
        const std::size_t there = std::min(in_filled_ - in_taken_, data_left_);
        Mirror::Room room{nullptr, 0};
        if (!events_.on_data(*this, data_, data_left_, room)) return false;
        const bool is_known = room.bytes != nullptr;
        const std::size_t length = is_known ? std::min(there, room.size_bytes) : there;
        if (is_known) std::memcpy(room.bytes, in_.data() + in_taken_, length);
        in_taken_ += length;
        data_.cursor += length;
        data_left_ -= length;
        if (is_known) events_.on_received(*this, data_.header.connection, length);
    }
    return true;
}

bool NodeLink::take_frame(const FrameHeader& header, const std::byte* bytes) {
    const auto kind = static_cast<FrameKind>(header.kind);
    const auto is = [&](FrameKind wanted, std::size_t size_bytes) {
        return kind == wanted && header.length_bytes == size_bytes;
    };
    if (is(FrameKind::refused, sizeof(RefusedFrame))) {
        RefusedFrame frame;
        std::memcpy(&frame, bytes, sizeof frame);
        frame.words[kMostWords] = '\0';
        std::string words = frame.words;
        for (char& c : words) c = c >= ' ' && c <= '~' ? c : '?';
        break_it("refused by the other node: " + words);
        return true;
    }
    if (state_ == NodeLinkState::greeting && is(FrameKind::greet, sizeof(GreetFrame))) {
        GreetFrame frame;
        std::memcpy(&frame, bytes, sizeof frame);
        return on_greet(frame);
    }
    if (state_ == NodeLinkState::proving && is(FrameKind::proof, sizeof(ProofFrame))) {
        ProofFrame frame;
        std::memcpy(&frame, bytes, sizeof frame);
        return on_proof(frame);
    }
    return state_ == NodeLinkState::ready && events_.on_frame(*this, header, bytes);
}

void NodeLink::send(const void* frame, std::size_t size_bytes) {
    if (state_ == NodeLinkState::broken) return;
    const auto* bytes = static_cast<const std::byte*>(frame);
    out_.insert(out_.end(), bytes, bytes + size_bytes);
}

void NodeLink::send_data(std::uint32_t connection, std::uint64_t cursor, std::uint64_t tail,
                         const Mirror::Stretch& bytes) {
    if (state_ == NodeLinkState::broken) return;
    const std::size_t size_bytes = bytes.first_bytes + bytes.second_bytes;
    if (size_bytes > kMostCarriedBytes && wire_->place(connection, cursor, bytes)) {
        auto placed = make_frame<PlacedFrame>(FrameKind::placed, connection);
        placed.cursor = cursor;
        placed.tail = tail;
        placed.size_bytes = size_bytes;
        bytes_sent += size_bytes;
        return send(&placed, sizeof placed);
    }
    if (state_ == NodeLinkState::broken) return;
    auto frame = make_frame<DataFrame>(FrameKind::data);
    frame.header.length_bytes += static_cast<std::uint32_t>(size_bytes);
    frame.header.connection = connection;
    frame.cursor = cursor;
    frame.tail = tail;
    if (size_bytes > kGatheredBytes) flush();
    std::size_t sent = 0;
    if (size_bytes > kGatheredBytes && out_sent_ == out_.size() && state_ != NodeLinkState::broken) {
        const iovec parts[] = {{&frame, sizeof frame},
                               {const_cast<std::byte*>(bytes.first), bytes.first_bytes},
                               {const_cast<std::byte*>(bytes.second), bytes.second_bytes}};
        sent = wire_->send(parts, 3);
        bytes_sent += sent;
    }
    const auto keep = [&](const void* part, std::size_t length) {
        const std::size_t skipped = std::min(sent, length);
        sent -= skipped;
        send(static_cast<const std::byte*>(part) + skipped, length - skipped);
    };
    keep(&frame, sizeof frame);
    keep(bytes.first, bytes.first_bytes);
    keep(bytes.second, bytes.second_bytes);
}

void NodeLink::flush() {
    if (state_ == NodeLinkState::connecting || state_ == NodeLinkState::broken) return;
    if (out_.size() - out_sent_ > kMostWaitingBytes) return break_it("it does not take what it is sent");
    if (out_sent_ < out_.size()) {
        const iovec rest{out_.data() + out_sent_, out_.size() - out_sent_};
        const std::size_t sent = wire_->send(&rest, 1);
        out_sent_ += sent;
        bytes_sent += sent;
    }
    // A link under load may never be empty: what was sent must not stay.
    if (out_sent_ == out_.size() || out_sent_ >= kFullBytes) {
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_sent_));
        out_sent_ = 0;
    }
}

void NodeLink::break_it(const std::string& why, bool has_last_words) {
    if (state_ == NodeLinkState::broken) return;
    state_ = NodeLinkState::broken;
    wire_->shut(has_last_words);
    events_.on_broken(*this, why);
}

}  // namespace xylem::bridge
