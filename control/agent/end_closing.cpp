// Closing ends on behalf of programs. The stream does it, on a private copy of the end page in which
// everything that addresses memory (side, ring sizes, domains) is the agent's own record: the shared page
// belongs to programs, which may have written anything there and may still be writing. Of the copy only
// cursors and status bits remain the program's; wrong ones cost the connection, nothing else. No lock of the
// page is taken. Closing twice is harmless: a holder that closed the stream itself leaves nothing to publish.
//
// A rejoined end has no memory here, and of others it may not be had. Then the far agent is told `vanished`,
// and where the program did not publish its end, the far agent does it from what it can see: the peer's tail
// tells whether data is lost. If that one was restarted too, it has no memory either: then the programs that
// hold the end do it.
#include "control/agent/end_closing.hpp"

#include <spdlog/spdlog.h>
#include <sys/mman.h>

#include <cstring>
#include <utility>

#include "control/agent/agent.hpp"
#include "control/agent/end_figures.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/queueing.hpp"
#include "control/agent/session_records.hpp"
#include "control/agent/slab_blocks.hpp"

namespace xylem::agent {
namespace {

struct Ringer : BellRinger {
    Agent* agent;
    std::uint32_t own_domain;
    std::uint32_t peer_domain;
};

// Not page.own_domain: in show_vanished() that is the program's word.
bool ring_through_agent(BellRinger& self, const EndPage& page, std::uint32_t domain, WaitToken token) {
    auto& ringer = static_cast<Ringer&>(self);
    const bool is_peer = domain == ringer.peer_domain && domain == page.peer_domain;
    ringer.agent->ring(is_peer ? ringer.peer_domain : ringer.own_domain, token);
    return true;
}

Ringer ringer_of(Agent& agent, const EndIdentity& identity) {
    return {{ring_through_agent}, &agent, identity.own_domain, identity.peer_domain};
}

// The page's cursors and status with the agent's own identity around them.
Result<Mapping> private_page(const EndIdentity& identity, const EndPage* theirs) {
    Result<Mapping> copy = Mapping::anonymous(kEndPageBytes);
    if (!copy) return copy;
    auto& page = *copy->as<EndPage>();
    if (theirs != nullptr) std::memcpy(copy->bytes(), static_cast<const void*>(theirs), sizeof(EndPage));
    initialise_end_page(page, identity);
    return copy;
}

// Its program closed it, and the peer can see that.
bool has_published_end(const End& end) {
    if ((end.end_page()->status.load_acquire() & kClosed) == 0) return false;
    const Result<Mapping> blocks = map_blocks(end);
    if (!blocks) return false;
    const EndBlock& own = block_of(*blocks, end.identity.side);
    const std::uint32_t use = uses_again(end);
    const std::uint32_t sent = own.producer.state.load_acquire();
    const bool is_final = sent > tagged_state(use, TxState::open) && sent != tagged_state(use, TxState::kept);
    return is_final && own.consumer.state.load_acquire() == tagged_state(use, RxState::closed);
}

// False: the peer cannot see it.
bool close_memory(Agent& agent, const EndIdentity& identity, const Slab& slab, const EndPage* page,
                  CloseMode mode) {
    Ringer ringer = ringer_of(agent, identity);
    Result<Mapping> memory = slab.map();
    Result<Mapping> copy = private_page(identity, page);
    if (!memory || !copy) {
        // Its pages may have been the peer's, who revoked them.
        if (agent.peer_log.may(identity.peer_domain))
            spdlog::error("no memory to close an end of a connection with domain {}", identity.peer_domain);
        return false;
    }
    Result<Stream> stream = Stream::open(std::move(*memory), std::move(*copy), ringer);
    if (!stream) return false;
    if ((stream->page().status.load_relaxed() & kClosed) == 0) ++agent.counters.closed_on_behalf;
    const bool aborts = stream->page().abort_on_close.load_relaxed() != 0;
    stream->close(aborts && mode == CloseMode::orderly ? CloseMode::abort : mode);
    return true;
}

// Its sleepers wake up and look at the session page; then it rejoins, and is answered peer_gone.
void give_notice(Agent& agent, const Session& session) {
    if (page_of(session) == nullptr) return;
    session.page.as<SessionPage>()->notices.fetch_add(1);
    std::vector<std::uint32_t> ids;
    agent.bells.for_each_of(session.id, [&ids](const Bell& bell) { ids.push_back(bell.id); });
    for (const std::uint32_t id : ids) agent.ring(agent.settings.domain, WaitToken(id, 0, 0));
}

void tell_holders_that_peer_is_gone(Agent& agent, End& end) {
    end.is_peer_gone = true;
    for (const SessionId id : end.holders) {
        if (const SessionPtr session = agent.sessions.find(id)) give_notice(agent, *session);
    }
}

// What the far side would have published, had it come to that. False: there is no memory for it now.
bool show_vanished(Agent& agent, End& end) {
    if (!end.has_memory()) {
        tell_holders_that_peer_is_gone(agent, end);
        return true;
    }
    Result<Mapping> slab = end.slab->map();
    Result<Mapping> page = Mapping::shared(end.page_fd.get(), kEndPageBytes, PROT_READ | PROT_WRITE);
    if (!slab || !page) return false;
    const Result<SlabView> view = carve(*slab, end.identity.geometry, end.identity.side);
    // It closed before it went: then the stream tells that story, with all its data. Unless that was an
    // earlier use, and this one waited to be accepted.
    const EndBlock* peer = view ? view->peer : nullptr;
    const std::uint32_t use = page->as<EndPage>()->use.load_acquire();
    const auto is_open_word = [use](std::uint32_t word) {
        return state_of(word) == 0 || use_of(word) + 1 == use;
    };
    const bool is_open = peer != nullptr && (is_open_word(peer->producer.state.load_acquire()) ||
                                             is_open_word(peer->consumer.state.load_acquire()));
    if (!is_open) return true;
    Ringer ringer = ringer_of(agent, end.identity);
    Result<Stream> stream = Stream::open(std::move(*slab), std::move(*page), ringer);
    // A bridge that ends in order resets its connections itself.
    if (stream) stream->peer_vanished(is_remote_domain(end.identity.peer_domain));
    return true;
}

void tell_far_agent(Agent& agent, const End& end, LinkMessage what) {
    const EndIdentity& identity = end.identity;
    const std::uint32_t own = agent.settings.domain;
    if (what == LinkMessage::vanished) ++agent.counters.vanished_sent;
    if (identity.peer_domain == own) {
        const ConnectionKey far_end{own, identity.connection_id, 1 - identity.side};
        const FarEnd how = what == LinkMessage::vanished ? FarEnd::vanished : FarEnd::published;
        return far_end_over(agent, far_end, own, how);
    }
    auto message = make_message<LinkEndMessage>(kLinkMagic, what, 0);
    message.connection_id = identity.connection_id;
    message.connecting_domain = end.connecting_domain;
    message.side = identity.side;
    agent.links.tell(identity.peer_domain, message, end.connecting_domain != own);
}

void show_holders(End& end) {
    const std::size_t count = end.holders.size() + (end.is_lent ? 1 : 0);
    if (end.page) end.end_page()->holders.store_release(static_cast<std::uint32_t>(count));
}

}  // namespace

void hold(End& end, Session& session) {
    end.holders.insert(session.id);
    session.ends.insert(end.id());
    show_holders(end);
}

void let_go(Agent& agent, End& end, Session& session, CloseMode mode) {
    session.ends.erase(end.id());
    if (end.holders.erase(session.id) == 0) return;
    show_holders(end);
    if (!end.holders.empty()) return;
    end.last_close = mode;
    if (queue_caller(agent, end)) return;
    if (end.is_lent && end.socket.exists()) return agent.orphans.add(end);
    finish(agent, end.id(), mode);
}

void lend(End& end) {
    if (!end.socket) return;
    end.is_lent = true;
    show_holders(end);
}

void finish(Agent& agent, EndId id, CloseMode mode) {
    std::unique_ptr<End> end = agent.ends.take(id);
    if (end == nullptr) return;
    leave_queue(agent, *end);
    const bool had_memory = end->has_memory();
    const bool is_published =
        had_memory &&
        (has_published_end(*end) || close_memory(agent, end->identity, *end->slab, end->end_page(), mode));
    if (had_memory) count_bytes(agent.counters, *end);
    agent.ended_data.add(*end);
    count_uses(agent.counters, *end);
    if (RunSums* run = agent.runs.find(end->run_id)) run->add(*end);
    end->page.unmap();
    end->slab.reset();
    tell_far_agent(agent, *end, is_published ? LinkMessage::ended : LinkMessage::vanished);
    if (end->connecting_domain == agent.settings.domain) {
        agent.pool.ended(end->identity.connection_id, end->identity.peer_domain, end->identity.side);
    }
}

void abandon(Agent& agent, const EndIdentity& identity, const SlabPtr& slab) {
    (void)close_memory(agent, identity, *slab, nullptr, CloseMode::abort);
    agent.pool.forget(identity.connection_id);
}

// Once: a hostile agent says it again and again, and each look maps what may be thousands of pages.
void far_end_over(Agent& agent, const ConnectionKey& own_end, std::uint32_t peer_domain, FarEnd how) {
    End* end = agent.ends.find(own_end);
    if (end == nullptr || end->identity.peer_domain != peer_domain) return;
    if (std::exchange(end->is_far_end_over, true)) return;
    if (how == FarEnd::vanished) ++agent.counters.vanished_received;
    if (how == FarEnd::vanished && !show_vanished(agent, *end)) return agent.left_behind.show_later(*end);
    leave_kept(agent, own_end, peer_domain);
}

bool show_again(Agent& agent, End& end) {
    if (!show_vanished(agent, end)) return false;
    leave_kept(agent, key_of(end), end.identity.peer_domain);
    return true;
}

void release_waiters(End& end, const std::set<std::uint32_t>& doorbells) {
    if (!end.has_memory() || doorbells.empty()) return;
    Result<Mapping> slab = end.slab->map();
    if (!slab) return;
    const Result<SlabView> view = carve(*slab, end.identity.geometry, end.identity.side);
    if (!view) return;
    WakeupLine& line = view->own->wakeup;
    for (const std::uint32_t id : doorbells) {
        WaiterSlots(end.end_page()->readable_waiters, line.readable).release_doorbell(id);
        WaiterSlots(end.end_page()->writable_waiters, line.writable).release_doorbell(id);
    }
}

}  // namespace xylem::agent
