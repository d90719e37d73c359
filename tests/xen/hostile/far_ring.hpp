// The control ring of two guests' agents, held by a program that says on it what it likes: the meeting by the
// real protocol (control/agent/xen/xen_meeting.hpp), then frames of any kind.
#pragma once

#include <memory>
#include <vector>

#include "control/agent/xen/xen_meeting.hpp"
#include "control/protocol/link_protocol.h"
#include "control/xen_store.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem::hostile {

enum FrameKind : std::uint16_t { kOpen = 1, kMessage = 2, kClose = 3 };

struct FrameHeader {
    std::uint32_t size_bytes;
    std::uint16_t link;
    std::uint16_t kind;
};

class FarRing {
  public:
    FarRing(XenStore& store, DomainId peer) : store_(store), peer_(peer), own_(store.own_domain()) {}

    // With a life that the peer has not seen. False: it does not want to, within that time.
    bool meet(std::uint64_t patience_ns);
    // False: the ring is over, or has had no room for that time.
    bool send(const void* bytes, std::size_t size_bytes, std::uint64_t patience_ns = kNsPerSecond);
    bool send_frame(std::uint16_t link, std::uint16_t kind, const void* bytes = nullptr,
                    std::size_t size_bytes = 0);
    // On the link that we dialled, with whatever follows it.
    template <class Message>
    bool tell(const Message& message, const std::vector<GrantRef>& refs = {}) {
        const auto* first = reinterpret_cast<const std::byte*>(&message);
        std::vector<std::byte> bytes(first, first + sizeof message);
        const auto* behind = reinterpret_cast<const std::byte*>(refs.data());
        bytes.insert(bytes.end(), behind, behind + refs.size() * sizeof(GrantRef));
        return send_frame(side(), kMessage, bytes.data(), bytes.size());
    }
    // Opens our link and says hello on it.
    bool dial(std::uint64_t boot_id = 1);
    // The next message that comes on any link; empty: none within that time.
    std::vector<std::byte> receive(std::uint64_t patience_ns = kNsPerSecond);

    bool is_over();
    std::uint16_t side() const { return own_ < peer_ ? 0 : 1; }
    Mapping& words() { return words_; }  // the same memory, to write to
    GrantRef first_ref() const { return first_ref_; }
    void remove_node() { store_.remove(agent::XenMeeting::own_path(peer_)); }
    void ring() const { kick_event_channel(bell_.fd.get(), bell_.port); }
    bool write_node(const std::string& text) {
        return store_.show(agent::XenMeeting::own_path(peer_), text, peer_);
    }
    DomainId own() const { return own_; }
    DomainId peer() const { return peer_; }

  private:
    static bool ring_bell(BellRinger& self, const EndPage& page, std::uint32_t domain, WaitToken token);
    struct Ringer : BellRinger {
        FarRing* ring;
    };
    std::optional<agent::XenMeeting> theirs();
    bool grant(const agent::XenMeeting& their_node, agent::XenMeeting& node);
    bool bind(const agent::XenMeeting& their_node);
    bool open();

    XenStore& store_;
    const DomainId peer_;
    const DomainId own_;
    std::uint64_t life_ = 0;
    UniqueFd region_;
    EventChannel bell_;
    Ringer ringer_{};
    Stream stream_;
    Mapping words_;
    GrantRef first_ref_ = 0;  // of the ring that the peer granted
    std::vector<std::byte> in_;
};

}  // namespace xylem::hostile
