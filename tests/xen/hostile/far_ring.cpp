// FarRing: as XenPeers and XenChannel do it, without their care.
#include "tests/xen/hostile/far_ring.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "control/agent/random_id.hpp"
#include "control/agent/xen/xen_channel.hpp"
#include "control/protocol/codec.hpp"

namespace xylem::hostile {
namespace {

using agent::XenChannel;
using agent::XenMeeting;

constexpr useconds_t kPauseUs = 5'000;

Mapping map(const UniqueFd& fd) {
    auto mapped = Mapping::shared(fd.get(), XenChannel::kGeometry.slab_bytes(), PROT_READ | PROT_WRITE);
    return mapped ? std::move(*mapped) : Mapping();
}

}  // namespace

std::optional<XenMeeting> FarRing::theirs() {
    const auto text = store_.read(XenMeeting::peers_path(own_, peer_));
    return text ? XenMeeting::parse(*text) : std::nullopt;
}

bool FarRing::meet(std::uint64_t patience_ns) {
    const std::uint64_t until_ns = deadline_after(patience_ns);
    stream_ = Stream();
    words_.unmap();
    in_.clear();
    life_ = agent::random_id();
    XenMeeting node;
    node.life = life_;
    write_node(node.text());
    for (; now_ns() < until_ns; ::usleep(kPauseUs)) {
        const auto their_node = theirs();
        if (!their_node) continue;
        if (side() == 0 && node.offer_id == 0 && grant(*their_node, node)) write_node(node.text());
        if (side() == 0 && node.offer_id != 0 && their_node->offer_id == node.offer_id) return open();
        if (side() == 0 || their_node->for_life != life_ || their_node->offer_id == 0) continue;
        if (!bind(*their_node)) return false;
        node.for_life = their_node->life;
        node.offer_id = their_node->offer_id;
        write_node(node.text());
        return open();
    }
    return false;
}

bool FarRing::grant(const XenMeeting& their_node, XenMeeting& node) {
    node.refs.resize(XenChannel::kPages);
    auto region = grant_pages(peer_, node.refs.data(), node.refs.size());
    auto bell = offer_event_channel(peer_);
    if (!region || !bell) return false;
    region_ = std::move(*region);
    bell_ = std::move(*bell);
    initialise_slab(map(region_), XenChannel::kGeometry);
    node.for_life = their_node.life;
    node.offer_id = agent::random_id();
    node.port = bell_.port;
    return true;
}

// gntdev maps what is attached once, so the stream and the scribbler have an attachment each.
bool FarRing::bind(const XenMeeting& their_node) {
    auto region = attach_pages(peer_, their_node.refs.data(), their_node.refs.size());
    auto other = attach_pages(peer_, their_node.refs.data(), their_node.refs.size());
    auto bell = bind_event_channel(peer_, their_node.port);
    if (!region || !other || !bell) return false;
    region_ = std::move(*region);
    bell_ = std::move(*bell);
    words_ = map(*other);
    first_ref_ = their_node.refs.front();
    return static_cast<bool>(words_);
}

bool FarRing::open() {
    if (!words_) words_ = map(region_);
    void* memory = ::mmap(nullptr, kEndPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Mapping page(memory, kEndPageBytes);
    EndIdentity identity{};
    identity.side = side();
    identity.geometry = XenChannel::kGeometry;
    identity.own_domain = own_;
    identity.peer_domain = peer_;
    initialise_end_page(*page.as<EndPage>(), identity);
    ringer_.BellRinger::ring = ring_bell;
    ringer_.ring = this;
    auto stream = Stream::open(map(region_), std::move(page), ringer_);
    if (!stream) return false;
    stream_ = std::move(*stream);
    stream_.waiters(Direction::readable).claim(WaitToken(1, 0, 0));
    stream_.waiters(Direction::writable).claim(WaitToken(1, 0, 0));
    return true;
}

bool FarRing::ring_bell(BellRinger& self, const EndPage&, std::uint32_t, WaitToken) {
    static_cast<Ringer&>(self).ring->ring();
    return true;
}

bool FarRing::send(const void* bytes, std::size_t size_bytes, std::uint64_t patience_ns) {
    const std::uint64_t until_ns = deadline_after(patience_ns);
    const iovec vector{const_cast<void*>(bytes), size_bytes};
    for (IoCursor source(&vector, 1); source.remaining() > 0;) {
        if (!stream_ || is_over()) return false;
        const auto sent = stream_.send_some(source);
        if (!sent && sent.error().kind != ErrorKind::would_block) return false;
        if (!sent && now_ns() > until_ns) return false;
        if (!sent) ::usleep(kPauseUs / 5);
    }
    return true;
}

bool FarRing::send_frame(std::uint16_t link, std::uint16_t kind, const void* bytes, std::size_t size_bytes) {
    const FrameHeader header{static_cast<std::uint32_t>(size_bytes), link, kind};
    std::vector<std::byte> frame(sizeof header + size_bytes);
    std::memcpy(frame.data(), &header, sizeof header);
    if (size_bytes > 0) std::memcpy(frame.data() + sizeof header, bytes, size_bytes);
    return send(frame.data(), frame.size());
}

bool FarRing::dial(std::uint64_t boot_id) {
    auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
    hello.domain = own_;
    hello.boot_id = boot_id;
    return send_frame(side(), kOpen) && tell(hello) && !receive().empty();
}

std::vector<std::byte> FarRing::receive(std::uint64_t patience_ns) {
    for (const std::uint64_t until_ns = deadline_after(patience_ns); stream_;) {
        FrameHeader header{};
        if (in_.size() >= sizeof header) {
            std::memcpy(&header, in_.data(), sizeof header);
            const auto body = in_.begin() + sizeof header;
            if (in_.size() >= sizeof header + header.size_bytes) {
                std::vector<std::byte> message(body, body + header.size_bytes);
                in_.erase(in_.begin(), body + header.size_bytes);
                if (header.kind == kMessage) return message;
                continue;
            }
        }
        std::byte bytes[4096];
        const iovec vector{bytes, sizeof bytes};
        IoCursor destination(&vector, 1);
        const auto got = stream_.receive_some(destination, ReceiveMode::consume);
        if (got && *got > 0) in_.insert(in_.end(), bytes, bytes + *got);
        if (got && *got > 0) continue;
        if (got || got.error().kind != ErrorKind::would_block || now_ns() > until_ns) return {};
        ::usleep(kPauseUs / 5);
    }
    return {};
}

bool FarRing::is_over() { return !stream_ || stream_.is_over() || stream_.readiness().hang_up; }

}  // namespace xylem::hostile
