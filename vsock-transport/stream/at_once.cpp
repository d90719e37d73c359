// Stream: the shortest way for the usual message. It takes the same locks and makes the same steps in the
// same order as the general one (stream.cpp), which it leaves everything else to.
#include "vsock-transport/stream/robust_lock.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem {

// Both ends are open as far as is known, and nothing is to be reported or counted.
inline bool Stream::is_plainly_open() const {
    constexpr std::uint32_t kSpecial = kWriteShut | kReset | kClosed | kPeerFinSeen;
    return view_.peer->producer.state.load_acquire() == tagged(TxState::open) && !has(kSpecial) &&
           page().pending_error.load_relaxed() == 0 && page().full_since_ns.load_relaxed() == 0;
}

bool Stream::send_at_once(const void* bytes, std::size_t length) {
    bool is_sent = false;
    {
        RobustGuard guard(page().tx_lock);
        if (guard.state() == RobustGuard::State::reentered) return false;
        if (guard.state() == RobustGuard::State::repaired) producer().republish();
        if (is_plainly_open()) {
            note_question();
            publish_and_kick([&] { is_sent = producer().produce_at_once(bytes, length); },
                             [&] {
                                 if (is_sent) kick(Direction::readable);
                             });
        }
        if (is_sent) count(page().counters.send_calls);
    }
    publish_end_if_shut();
    return is_sent;
}

std::size_t Stream::receive_at_once(void* bytes, std::size_t room_bytes) {
    RobustGuard guard(page().rx_lock);
    if (guard.state() == RobustGuard::State::reentered) return 0;
    if (guard.state() == RobustGuard::State::repaired) consumer().republish();
    if (has(kPeerLied)) return 0;
    std::size_t taken = 0;
    publish_and_kick([&] { taken = consumer().consume_at_once(bytes, room_bytes); },
                     [&] {
                         if (taken > 0 && does_anybody_wait(Direction::writable) && is_writer_worth_waking())
                             kick(Direction::writable);
                     });
    if (taken > 0) {
        count(page().counters.receive_calls);
        note_received();
    }
    return taken;
}

}  // namespace xylem
