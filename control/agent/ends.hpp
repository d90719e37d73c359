// The connection ends of this domain: the agent's own reference to each (D5), and who holds it.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "control/agent/kernel_socket.hpp"
#include "control/agent/quota.hpp"
#include "control/agent/session.hpp"
#include "control/agent/slab_pool.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem::agent {

struct End {
    EndIdentity identity{};  // as the agent gave it; the page's copy belongs to the program
    std::uint32_t connecting_domain = 0;
    std::uint64_t cookie = 0;  // of the kernel socket that stands for it; 0 = not known
    SlabPtr slab;              // none: rejoined after a restart
    UniqueFd bridge_slab;      // then a bridge may have told what it has, for the next bridge
    UniqueFd page_fd;
    Mapping page;
    std::set<SessionId> holders;
    KernelSocket socket;                        // stands for it, if its program showed it
    bool is_far_side_seen = false;              // it has locked its side of the slab (side_lock.hpp)
    bool is_peer_gone = false;                  // nobody has the far end; said where there is no memory
    bool is_far_end_over = false;               // its agent said so, or it was found out
    bool is_lent = false;                       // descriptors of it may be where no session speaks for them
    CloseMode last_close = CloseMode::orderly;  // how its last session let go
    std::uint64_t run_id = 0;                   // of the session that got it first (runs.hpp)
    ListenerId queued_at = 0;                   // 0 = accepted, or a connecting end
    ListenerId listener = 0;                    // that it came to; 0 = a connecting end, or rejoined
    Quota::Lease quota;

    EndId id() const { return identity.end_id; }
    bool has_memory() const { return slab != nullptr; }
    bool has_slab() const { return has_memory() || bridge_slab; }
    int slab_fd() const { return has_memory() ? slab->fd.get() : bridge_slab.get(); }
    EndPage* end_page() const { return page.as<EndPage>(); }
};

// What both domains call a connection, and which end of it.
struct ConnectionKey {
    std::uint32_t connecting_domain;
    std::uint64_t connection_id;
    unsigned side;
    auto operator<=>(const ConnectionKey&) const = default;
};

class Ends {
  public:
    Ends(std::uint64_t limit, std::uint64_t limit_per_peer);

    // An end id that no end of this agent has, nor one of an earlier agent that rejoins.
    EndId next_id() { return next_id_++; }
    bool has_room(std::uint32_t peer_domain) const;
    // Null where a quota refuses, or the id or the connection is there already.
    End* add(std::unique_ptr<End> end);
    End* find(EndId id);
    End* find(const ConnectionKey& key);
    End* find_cookie(std::uint64_t cookie);
    void name_cookie(End& end, std::uint64_t cookie);
    std::unique_ptr<End> take(EndId id);

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [id, end] : by_id_) visit(*end);
    }
    const Quota& quota() const { return quota_; }
    const std::map<std::uint32_t, std::uint64_t>& per_peer() const { return per_peer_; }
    std::uint64_t limit_per_peer() const { return limit_per_peer_; }

  private:
    Quota quota_;
    std::uint64_t limit_per_peer_;
    std::map<std::uint32_t, std::uint64_t> per_peer_;
    std::unordered_map<EndId, std::unique_ptr<End>> by_id_;
    std::map<ConnectionKey, EndId> by_connection_;
    std::unordered_map<std::uint64_t, EndId> by_cookie_;
    EndId next_id_;
};

ConnectionKey key_of(const End& end);

}  // namespace xylem::agent
