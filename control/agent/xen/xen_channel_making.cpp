// XenChannel, how one is made: granted pages or attached ones, an event channel, and a stream over both.
// Whoever grants clears the pages first, since an earlier channel may have used them.
#include <sys/mman.h>

#include <cstring>

#include "control/agent/xen/xen_channel.hpp"

namespace xylem::agent {
namespace {

Result<Mapping> private_page() {
    void* memory = ::mmap(nullptr, kEndPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail_errno();
    return Mapping(memory, kEndPageBytes);
}

Result<Mapping> map_ring(const UniqueFd& fd) {
    return Mapping::shared(fd.get(), XenChannel::kGeometry.slab_bytes(), PROT_READ | PROT_WRITE);
}

}  // namespace

Result<ControlPages> XenChannel::grant(DomainId peer) {
    ControlPages pages;
    pages.refs.resize(kPages);
    Result<UniqueFd> fd = grant_pages(peer, pages.refs.data(), kPages);
    if (!fd) return fail(fd.error());
    pages.fd = std::move(*fd);
    return pages;
}

Result<std::unique_ptr<XenChannel>> XenChannel::offer(const Setting& setting, ControlPages& pages) {
    std::unique_ptr<XenChannel> made(new XenChannel(setting));
    Result<EventChannel> bell = offer_event_channel(setting.peer);
    if (!bell) return fail(bell.error());
    Result<Mapping> slab = map_ring(pages.fd);
    if (!slab) return fail(slab.error());
    std::memset(slab->bytes(), 0, kGeometry.slab_bytes());
    initialise_slab(*slab, kGeometry);
    made->bell_ = std::move(*bell);
    made->pages_ = std::move(pages);
    if (const auto opened = made->open(std::move(*slab), 0); !opened) {
        pages = made->take_pages();
        return fail(opened.error());
    }
    return made;
}

Result<std::unique_ptr<XenChannel>> XenChannel::bind(const Setting& setting,
                                                     const std::vector<GrantRef>& refs, std::uint32_t port) {
    if (refs.size() != kPages) return fail(ErrorKind::bad_layout);
    std::unique_ptr<XenChannel> made(new XenChannel(setting));
    Result<UniqueFd> fd = attach_pages(setting.peer, refs.data(), refs.size());
    if (!fd) return fail(fd.error());
    Result<EventChannel> bell = bind_event_channel(setting.peer, port);
    if (!bell) return fail(bell.error());
    Result<Mapping> slab = map_ring(*fd);
    if (!slab) return fail(slab.error());
    made->pages_.fd = std::move(*fd);
    made->bell_ = std::move(*bell);
    if (const auto opened = made->open(std::move(*slab), 1); !opened) return fail(opened.error());
    return made;
}

Result<std::size_t> XenChannel::open(Mapping slab, unsigned side) {
    side_ = side;
    ringer_.ring = ring;
    ringer_.bell = &bell_;
    Result<Mapping> page = private_page();
    if (!page) return fail(page.error());
    EndIdentity identity{};
    identity.side = side;
    identity.geometry = kGeometry;
    identity.own_domain = own_;
    identity.peer_domain = peer_;
    initialise_end_page(*page->as<EndPage>(), identity);
    Result<Stream> stream = Stream::open(std::move(slab), std::move(*page), ringer_);
    if (!stream) return fail(stream.error());
    stream_ = std::move(*stream);
    // The peer is rung when this agent dies.
    if (clear_when_unmapped(pages_.fd.get(), holder_offset(side, kGrantingHolder), bell_.port))
        stream_.say_held(kGrantingHolder);
    // Always asleep, as far as the peer can see: it kicks for each frame, and for room.
    stream_.waiters(Direction::readable).claim(WaitToken(1, 0, 0));
    stream_.waiters(Direction::writable).claim(WaitToken(1, 0, 0));
    bell_watch_ = loop_.on_ready(bell_.fd.get(), EPOLLIN, [this](std::uint32_t) { work(); });
    if (!bell_watch_) return fail(ErrorKind::system, ENOMEM);
    return std::size_t{0};
}

// What the kernel is to ring when they go holds the port open until then: the channel's end would not show.
ControlPages XenChannel::take_pages() {
    if (!pages_.refs.empty()) (void)clear_when_unmapped(pages_.fd.get(), holder_offset(0, kGrantingHolder));
    return std::move(pages_);
}

bool XenChannel::ring(BellRinger& self, const EndPage&, std::uint32_t, WaitToken) {
    const EventChannel& bell = *static_cast<Ringer&>(self).bell;
    return kick_event_channel(bell.fd.get(), bell.port);
}

}  // namespace xylem::agent
