// The control ring between the agents of two guests: a stream in granted pages, with an event channel, that
// carries the messages of links (control/protocol/link_protocol.h) in frames. To Links a link over it is a
// socket like others: the channel holds the other end of a socket pair.
//
// Descriptors do not travel between guests. A `connect` takes the grant references of its slab behind it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "control/agent/event_loop.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/xen/event_channel.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

// What the channel needs to know of the agent.
struct XenChannelOwner {
    virtual ~XenChannelOwner() = default;
    // The far agent dials: one end of a link, which then belongs to Links.
    virtual void on_dialled(DomainId from, UniqueFd socket) = 0;
    // How the slab of a connection that we offer is called at the peer; empty: it has none.
    virtual std::vector<GrantRef> refs_of(std::uint64_t connection_id) = 0;
    // The slab of a connection that the peer offers; the message itself comes on the link.
    virtual void on_refs(DomainId from, std::uint64_t connection_id, std::vector<GrantRef> refs) = 0;
    // The channel is over: it lied, or broke. It may be destroyed after this call returned.
    virtual void on_over(DomainId peer) = 0;
};

class XenChannel {
  public:
    static constexpr std::uint64_t kRingSizeBytes = 16 << 10;
    static constexpr SlabGeometry kGeometry{{kRingSizeBytes, kRingSizeBytes}};
    static constexpr std::size_t kPages = kGeometry.slab_bytes() / kPageBytes;

    // Grants the ring to the peer. Errors: system.
    static Result<std::unique_ptr<XenChannel>> offer(EventLoop& loop, XenChannelOwner& owner, DomainId own,
                                                     DomainId peer);
    // Maps the ring that the peer granted, and binds its port. Errors: system.
    static Result<std::unique_ptr<XenChannel>> bind(EventLoop& loop, XenChannelOwner& owner, DomainId own,
                                                    DomainId peer, const std::vector<GrantRef>& refs,
                                                    std::uint32_t port);
    ~XenChannel();

    const std::vector<GrantRef>& refs() const { return refs_; }
    std::uint32_t port() const { return bell_.port; }
    // A link of ours: the end that is for Links. Errors: system.
    Result<UniqueFd> dial();

  private:
    struct LinkEnd {
        UniqueFd socket;
        Watch watch;
        std::deque<std::vector<std::byte>> unsent;  // the far agent sent them; Links has no room yet
    };
    struct Ringer : BellRinger {
        EventChannel* bell = nullptr;
    };
    static bool ring(BellRinger& self, const EndPage& page, std::uint32_t domain, WaitToken token);

    XenChannel(EventLoop& loop, XenChannelOwner& owner, DomainId peer)
        : loop_(loop), owner_(owner), peer_(peer) {}
    Result<std::size_t> open(DomainId own, Mapping slab, unsigned side);
    Result<UniqueFd> open_link(unsigned link);
    void close_link(unsigned link, bool tell);
    void on_local(unsigned link);
    void on_bell();
    void send_frame(unsigned link, std::uint16_t kind, const void* bytes, std::size_t size_bytes);
    void flush();
    bool receive();
    bool take_frames();
    bool take_frame(unsigned link, std::uint16_t kind, const std::byte* bytes, std::size_t size_bytes);
    bool deliver(unsigned link, const std::byte* bytes, std::size_t size_bytes);
    void empty_unsent(unsigned link);
    void set_watches();
    void give_up();

    EventLoop& loop_;
    XenChannelOwner& owner_;
    const DomainId peer_;
    unsigned side_ = 0;
    std::vector<GrantRef> refs_;
    UniqueFd region_;
    EventChannel bell_;
    Ringer ringer_;
    Stream stream_;
    Watch bell_watch_;
    LinkEnd links_[2];  // dialled by side 0, by side 1
    std::vector<std::byte> in_;
    std::vector<std::byte> out_;
    Watch failing_;
};

}  // namespace xylem::agent
