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
#include "vsock-transport/base/pace.hpp"
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
    // The peer sent or rang more than its part of our time allows, and has to wait.
    virtual void on_storm(DomainId peer) = 0;
    // The channel is over: it lied, or broke. It may be destroyed after this call returned.
    virtual void on_over(DomainId peer) = 0;
};

// The pages of a control ring.
struct ControlPages {
    UniqueFd fd;
    std::vector<GrantRef> refs;
};

class XenChannel {
  public:
    static constexpr std::uint64_t kRingSizeBytes = 16 << 10;
    static constexpr SlabGeometry kGeometry{{kRingSizeBytes, kRingSizeBytes}};
    static constexpr std::size_t kPages = kGeometry.slab_bytes() / kPageBytes;
    static constexpr std::size_t kMostUnsent = 64;  // messages that wait for Links

    // How a channel works, whoever made it.
    struct Setting {
        EventLoop& loop;
        XenChannelOwner& owner;
        DomainId own;
        DomainId peer;
        std::shared_ptr<Pace> pace;  // of this peer's, over all its channels
    };
    // Pages for a ring, granted to that domain. Errors: system.
    static Result<ControlPages> grant(DomainId peer);
    // Makes a ring of pages that are granted to the peer; takes them unless it fails. Errors: system.
    static Result<std::unique_ptr<XenChannel>> offer(const Setting& setting, ControlPages& pages);
    // Maps the ring that the peer granted, and binds its port. Errors: system; bad_layout.
    static Result<std::unique_ptr<XenChannel>> bind(const Setting& setting, const std::vector<GrantRef>& refs,
                                                    std::uint32_t port);
    ~XenChannel();

    // For a later channel to the same peer, which may have them mapped for ever. No refs: they are the
    // peer's.
    ControlPages take_pages();
    const std::vector<GrantRef>& refs() const { return pages_.refs; }
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

    explicit XenChannel(const Setting& setting)
        : loop_(setting.loop),
          owner_(setting.owner),
          own_(setting.own),
          peer_(setting.peer),
          pace_(setting.pace) {}
    Result<std::size_t> open(Mapping slab, unsigned side);
    Result<UniqueFd> open_link(unsigned link);
    void close_link(unsigned link, bool tell);
    void on_local(unsigned link);
    bool has_room() const;
    void work();
    void rest(std::uint64_t rest_ns);
    void send_frame(unsigned link, std::uint16_t kind);
    void append_frame(unsigned link, std::uint16_t kind, const void* bytes, std::size_t size_bytes);
    void flush();
    bool receive();
    enum class Taken : std::uint8_t { all, some, nonsense };
    Taken take_frames();
    bool take_frame(unsigned link, std::uint16_t kind, const std::byte* bytes, std::size_t size_bytes);
    bool deliver(unsigned link, const std::byte* bytes, std::size_t size_bytes);
    void empty_unsent(unsigned link);
    bool has_room(unsigned link) const { return links_[link].unsent.size() < kMostUnsent; }
    void set_watches();
    void give_up();

    EventLoop& loop_;
    XenChannelOwner& owner_;
    const DomainId own_;
    const DomainId peer_;
    const std::shared_ptr<Pace> pace_;
    unsigned side_ = 0;
    ControlPages pages_;
    EventChannel bell_;
    Ringer ringer_;
    Stream stream_;
    Watch bell_watch_;
    LinkEnd links_[2];  // dialled by side 0, by side 1
    std::vector<std::byte> in_;
    std::vector<std::byte> out_;
    std::size_t sent_bytes_ = 0;  // of out_
    Watch works_again_;
    Watch failing_;
};

}  // namespace xylem::agent
