// Bridge: what open connections have to say. A connection is queued when its program rang, or when something
// came that it must answer, and has its turn when its link has room (turns.hpp): one that never runs dry
// waits behind those that rarely speak, and for as long as all others like it.
//
// Tails go back with data of the other direction, at once where the far producer may need room, and else a
// little later: then the program here has either consumed what came, or is asked to ring when it does.
#include <spdlog/spdlog.h>

#include "rdma-bridge/bridge.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kTailNs = kNsPerMs;
constexpr std::uint64_t kBellNs = 100 * kNsPerMs;  // that its agent has to say where a doorbell is

}  // namespace

void Bridge::queue(const ConnectionPtr& connection) {
    if (connection->is_open && connection->link() != nullptr) connection->node->turns.add(connection);
}

// Of a frame that came. Null: nobody, or nobody who goes on with this link yet, or any more.
ConnectionPtr Bridge::carried(const Node& node, std::uint32_t number) {
    const ConnectionPtr connection = node.find(number);
    const bool is_so =
        connection != nullptr && connection->is_open && !connection->is_far_gone && !connection->is_cut;
    return is_so ? connection : nullptr;
}

// Says whether somebody had something to say. One turn for each that waits now.
bool Bridge::run_turns() {
    bool is_any = false;
    for_each_node([&](Node& node) {
        for (std::size_t left = node.turns.size(); left > 0 && node.has_turn(); --left) {
            pump(node.turns.next());
            is_any = true;
        }
    });
    return is_any;
}

bool Bridge::has_turns() {
    bool is_any = false;
    for_each_node([&](const Node& node) { is_any |= node.has_turn(); });
    return is_any;
}

template <class Call>
void Bridge::for_each_node(Call call) {
    for (auto* nodes : {&dialled_, &reached_by_}) {
        for (auto& [text, node] : *nodes) call(node);
    }
}

void Bridge::pump(const ConnectionPtr& connection) {
    Connection& c = *connection;
    if (!c.is_open || c.link() == nullptr || c.is_gone_sent) return;
    if (c.is_far_gone) return c.is_home_gone ? send_gone(connection) : void();
    // The far producer may be waiting for room: then the program here has to tell us when it makes some.
    const bool wants_tail = c.owes_tail || c.mirror->is_half_full_since(c.last_sent.tail);
    if (wants_tail != c.shows_writer) {
        c.shows_writer = wants_tail;
        c.mirror->show_writer(wants_tail ? c.bell->token(c.bit) : WaitToken());
    }
    if (!c.mirror->look()) return end_for_lie(connection);
    if (c.mirror->has_given_up_call()) c.is_home_gone = true;
    if (c.mirror->begins_use_since(c.last_sent) && !send_update(c)) return;  // before its bytes
    const std::size_t length = std::min<std::size_t>(c.mirror->unsent_bytes(), Turns::left_bytes(c));
    Turns::spend(c, length);
    if (length > 0) {
        c.last_sent.tail = c.mirror->published().tail;
        c.link()->send_data(c.number, c.mirror->cursor(), c.last_sent.tail, c.mirror->unsent(length));
        if (c.link() == nullptr) return;  // it broke over it
        c.mirror->note_sent(length);
    }
    const Published now = c.mirror->published();
    const bool has_tail = now.tail != c.last_sent.tail && (wants_tail || c.is_home_gone);
    if ((!now.says_as(c.last_sent) || has_tail) && !send_update(c)) return;
    if (c.owes_tail && c.mirror->is_consumed_up_to(c.last_sent.tail)) {
        c.owes_tail = false;
        queue(connection);  // which takes the writer's token down
    }
    if (c.mirror->unsent_bytes() > 0) return queue(connection);
    if (c.is_home_gone) send_gone(connection);
}

bool Bridge::send_update(Connection& c) {
    c.last_sent = c.mirror->published();
    auto update = make_frame<UpdateFrame>(FrameKind::update, c.number);
    update.tail = c.last_sent.tail;
    update.tx_state = c.last_sent.tx_state;
    update.rx_state = c.last_sent.rx_state;
    update.call_state = c.last_sent.call_state;
    update.caller_port = static_cast<std::uint16_t>(c.last_sent.caller_port);
    update.would_keep = c.last_sent.would_keep ? 1 : 0;
    c.link()->send(&update, sizeof update);
    return c.link() != nullptr;
}

bool Bridge::place_data(Node& node, const DataFrame& frame, std::size_t left_bytes, Mirror::Room& room) {
    const ConnectionPtr connection = carried(node, frame.header.connection);
    if (connection == nullptr) return true;
    Connection& c = *connection;
    Published far = c.mirror->far();
    far.tail = frame.tail;
    if (!c.mirror->apply(far)) return false;
    show(connection);
    room = c.mirror->room(frame.cursor, left_bytes);
    return room.bytes != nullptr;
}

// The bytes are there; only their frame can say so.
bool Bridge::on_placed(Node& node, const PlacedFrame& frame) {
    const ConnectionPtr connection = carried(node, frame.header.connection);
    if (connection == nullptr) return true;
    Mirror& mirror = *connection->mirror;
    Published far = mirror.far();
    far.tail = frame.tail;
    if (!mirror.apply(far) || !mirror.has_room(frame.cursor, frame.size_bytes)) return false;
    node.link->bytes_received += frame.size_bytes;
    note_received(node, frame.header.connection, frame.size_bytes);
    return true;
}

// Once for each connection that more than messages come for: most have no use for it, and it costs memory
// that stays pinned.
void Bridge::offer_window(Connection& c) {
    if (c.link() == nullptr || std::exchange(c.has_offered_window, true)) return;
    const auto window = c.link()->wire().expose(c.number, c.mirror->rings());
    if (!window) return;
    auto frame = make_frame<WindowFrame>(FrameKind::window, c.number);
    frame.address = window->address;
    frame.size_bytes = window->size_bytes;
    frame.key = window->key;
    c.link()->send(&frame, sizeof frame);
}

bool Bridge::on_window(Node& node, const WindowFrame& frame) {
    const ConnectionPtr connection = carried(node, frame.header.connection);
    if (connection == nullptr) return true;
    const Rings rings = connection->mirror->rings();
    if (frame.size_bytes != rings.sent_bytes) return false;
    node.link->wire().set_far(frame.header.connection, {frame.address, frame.size_bytes, frame.key}, rings);
    return true;
}

void Bridge::note_received(Node& node, std::uint32_t number, std::size_t bytes) {
    const ConnectionPtr connection = node.find(number);
    if (connection == nullptr) return;
    if (bytes > kMostCarriedBytes) offer_window(*connection);
    connection->mirror->note_received(bytes);
    show(connection);
    if (connection->mirror->is_half_full_since(connection->last_sent.tail)) queue(connection);
    if (std::exchange(connection->has_tail_timer, true)) return;
    poller_.after(kTailNs, [this, connection] {
        connection->has_tail_timer = false;
        if (!connection->is_open || connection->mirror->is_consumed_up_to(connection->last_sent.tail)) return;
        connection->owes_tail = true;
        queue(connection);
    });
}

bool Bridge::on_update(Node& node, const UpdateFrame& frame) {
    const ConnectionPtr connection = carried(node, frame.header.connection);
    if (connection == nullptr) return true;
    const Published far{frame.tail,       frame.tx_state,    frame.rx_state,
                        frame.call_state, frame.caller_port, frame.would_keep != 0};
    if (!connection->mirror->apply(far)) return false;
    show(connection);
    return true;
}

// Only once the doorbells that are named are known: a program that finds bytes, and whose epoll set is told
// of them later, would be told of an edge that it has passed already. But an agent that does not answer
// (somebody stopped it) must not hold up programs: after kBellNs they find what there is by themselves, since
// all their sleeps are bounded, and what follows waits no more until the agent has answered.
void Bridge::show(const ConnectionPtr& connection) {
    Connection& c = *connection;
    // Of a far end that is gone the agent was told: it may use the slab again.
    if (!c.is_open || c.is_far_gone || c.show_timer != 0 || !c.mirror->has_unshown()) return;
    if (!c.waits_for_bell && !knows_bells(connection)) {
        c.waits_for_bell = true;
        c.show_timer = poller_.after(kBellNs, [this, connection] { stop_waiting(connection); });
        return;
    }
    kick(c, c.mirror->publish());
    if (c.mirror->is_heard_since(c.last_sent)) queue(connection);
}

// False: its agent is asked for one.
bool Bridge::knows_bells(const ConnectionPtr& connection) {
    const auto on_known = [this, connection] {
        connection->waits_for_bell = false;
        stop_waiting(connection);
    };
    const WakeupLine& line = connection->mirror->home_waiters();
    for (unsigned i = 0; i < kWaiterSlots; ++i) {
        for (const AtomicU64* slot : {&line.readable[i], &line.writable[i]}) {
            const WaitToken token(slot->load_relaxed());
            if (token && !program_bells_.is_known(connection->key.pair, token, on_known)) return false;
        }
    }
    return true;
}

void Bridge::stop_waiting(const ConnectionPtr& connection) {
    poller_.cancel(std::exchange(connection->show_timer, 0));
    show(connection);
}

// What the words name are hints that the program wrote. Sets come first: a thread that wakes up may look at
// its sets before this one runs again.
void Bridge::kick(Connection& connection, const Woken& woken) {
    const WakeupLine& line = connection.mirror->home_waiters();
    for (const bool sets : {true, false}) {
        for (unsigned i = 0; i < kWaiterSlots; ++i) {
            const WaitToken reader(line.readable[i].load_relaxed());
            const WaitToken writer(line.writable[i].load_relaxed());
            if (woken.readers && reader) program_bells_.ring(connection.key.pair, reader, sets);
            if (woken.writers && writer) program_bells_.ring(connection.key.pair, writer, sets);
        }
    }
}

}  // namespace xylem::bridge
