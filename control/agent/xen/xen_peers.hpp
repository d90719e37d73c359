// The agents of other guests of this machine: meeting them through XenStore, and the channel to each.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "control/agent/xen/guest_directory.hpp"
#include "control/agent/xen/guest_search.hpp"
#include "control/agent/xen/xen_channel.hpp"
#include "control/agent/xen/xen_meeting.hpp"
#include "control/protocol/reason.hpp"
#include "control/xen_store.hpp"

namespace xylem::agent {

struct Agent;

class XenPeers final : public XenChannelOwner {
  public:
    XenPeers(Agent& agent, std::unique_ptr<XenStore> store);
    ~XenPeers() override;

    // From now on the domains that the hosts map names are met.
    void begin();
    // The map names others now.
    void on_map_change();
    // One end of a link to that domain's agent, if it was met. why_not is set where that is our doing.
    std::optional<UniqueFd> dial(std::uint32_t domain, Reason& why_not);
    // Whether that guest is still there; if not, its connections are over.
    void look_for(std::uint32_t domain);
    // What that domain may take of our time; null: it is not met.
    std::shared_ptr<Pace> pace_of(std::uint32_t domain) const;
    // Whether the socket is a link that this domain's agent dialled.
    bool speaks_for(std::uint32_t domain, int socket) const;
    // The slab that this domain offered for a connection, once. Empty: none.
    std::vector<GrantRef> take_refs(std::uint32_t domain, std::uint64_t connection_id);

    void on_dialled(DomainId from, UniqueFd socket) override;
    std::vector<GrantRef> refs_of(std::uint64_t connection_id) override;
    void on_refs(DomainId from, std::uint64_t connection_id, std::vector<GrantRef> refs) override;
    void on_storm(DomainId peer) override;
    void on_over(DomainId peer) override;

    // Whether Xen knows the domain. Tests put their own in place.
    std::function<bool(DomainId)> is_known = is_known_to_xen;
    // Domains that programs dial, and that the map does not name: nodes and watches of XenStore are few.
    static constexpr std::size_t kMostUnnamed = 32;

  private:
    struct Peer {
        std::unique_ptr<XenChannel> channel;
        std::deque<ControlPages> past;  // of channels that were, oldest first
        std::uint64_t life = 0;         // as last seen; 0: it is not there
        std::uint64_t own_life = 0;     // for this peer
        XenMeeting shown;               // our own node
        bool is_bound = false;          // the offer in it was taken
        bool is_shown = false;          // it is written
        bool is_watched = false;        // theirs
        bool is_over_quota = false;     // then XenStore's quota is why one is missing
        std::uint64_t pause_ns = 0;     // before the next life, if the ring breaks
        std::uint64_t made_ns = 0;      // the channel
        // Half of the time in the long run. What thousands of connections cost that begin at once passes.
        std::shared_ptr<Pace> pace = std::make_shared<Pace>(2, 4 * kNsPerSecond);
        Watch looks_again;
        std::map<std::uint64_t, std::vector<GrantRef>>
            offered;  // by connection, until the link's message is read
        std::size_t offered_refs = 0;
        Watch begins_anew;
        Watch looks_for_domain;  // its node is gone; Xen knows it
        std::uint64_t looked_pause_ns = 0;
    };
    static constexpr std::size_t kMostPast = 4;
    static constexpr std::size_t kMostOffers = 1024;
    static constexpr std::size_t kMostOfferedRefs = 1U << 20;
    static constexpr std::uint64_t kFirstPauseNs = 100 * kNsPerMs;
    static constexpr std::uint64_t kLongestPauseNs = 60 * kNsPerSecond;

    void meet(DomainId peer);
    void meet_all();
    void show_own_name();
    void open_directory();
    void look_up_named();
    bool look_up(GuestDirectory::Place place);
    bool look_up_list();
    void search_on();
    void on_store();
    void look_soon(DomainId peer);
    void look_at(DomainId peer);
    XenChannel::Setting setting_for(DomainId id, const Peer& peer);
    Result<ControlPages> pages_for(DomainId id, Peer& peer);
    static void drop_channel(Peer& peer);
    void offer_to(DomainId id, Peer& peer, const XenMeeting& theirs);
    void bind_to(DomainId id, Peer& peer, const XenMeeting& theirs);
    void show(DomainId id, Peer& peer);
    void begin_anew(DomainId id, Peer& peer);
    bool offers(DomainId peer) const { return store_->own_domain() < peer; }

    // xen_peer_leaving.cpp
    void on_gone(DomainId id);
    void look_for_domain(DomainId id);
    bool is_named(DomainId id) const { return in_map_.count(id) != 0; }
    bool has_ours(DomainId id, const Peer& peer) const;
    void forget(DomainId id);
    void forget_unnamed();
    bool make_room();

    Agent& agent_;
    std::unique_ptr<XenStore> store_;
    std::map<DomainId, Peer> peers_;
    std::map<std::string, DomainId> by_path_;
    std::set<DomainId> in_map_;  // those that the hosts map names
    GuestDirectory directory_;
    bool directory_is_open_ = false;
    std::set<std::pair<GuestDirectory::Source, DomainId>> named_;  // to be looked up
    Pace names_pace_{2, 4 * kNsPerSecond};
    Watch names_again_;
    std::optional<GuestSearch> search_;  // of guests, where dom0 has no list of them
    Watch searches_again_;
    std::map<std::uint64_t, std::uint32_t> dialled_;  // cookies of sockets: links that peers dialled
    Watch watch_;
};

}  // namespace xylem::agent
