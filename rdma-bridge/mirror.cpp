// Mirror. Towards the program it is the other end: of the program's words each is loaded once, checked
// against what was believed before, and only the copy is used; a lie costs that connection. Words of the
// image are written here and never read back, but for the call's, which the program of an accepting end may
// take, and once where another bridge began to write them.
//
// The bytes of the program stay in its ring until the far program has consumed them, because the tail that
// the image shows is the far program's. So nothing is kept here: what was lost on the way is sent again from
// the ring, and as many bytes as the ring holds may be under way. Both rings of a direction have the same
// size; at home the producer may move its origin, in the image the byte with cursor c lies at c modulo the
// size.
//
// Orders, named as in slab_layout.h: (C1) head is loaded before the bytes are sent; (F) states before heads;
// image heads are stored behind the bytes (P1), image states behind the last head (F), the image's tail
// before its state. (R) the consumer's word and the caller's port are loaded after the producer's word, and
// stored before it in the image.
//
// A connection that is used again (stream/reuse.cpp): words are carried with the number of their use. Towards
// an accepting end that is kept the image is the caller, so the look whether it has left comes here, after
// the fence behind the call; what it finds is told to the far node by the consumer's word (is_heard()).
#include "rdma-bridge/mirror.hpp"

#include "vsock-transport/wakeup/recipe.hpp"

namespace xylem::bridge {
namespace {

constexpr bool is_tx_word(std::uint32_t word) {
    return state_of(word) <= static_cast<std::uint32_t>(TxState::reset_after_fin);
}
constexpr bool is_rx_word(std::uint32_t word) {
    return state_of(word) <= static_cast<std::uint32_t>(RxState::closed);
}
constexpr bool is_kept(std::uint32_t word) { return word == tagged_state(use_of(word), TxState::kept); }
constexpr bool is_call_state(std::uint32_t state) {
    return state <= static_cast<std::uint32_t>(CallState::given_up);
}

}  // namespace

Result<Mirror> Mirror::make(Mapping slab, const SlabGeometry& geometry, unsigned home_side) {
    const Result<SlabView> view = carve(slab, geometry, home_side);
    if (!view) return fail(view.error());
    return Mirror(std::move(slab), *view, geometry, home_side);
}

Result<Mirror> Mirror::adopt(Mapping slab, const SlabGeometry& geometry, unsigned home_side) {
    Result<Mirror> mirror = make(std::move(slab), geometry, home_side);
    if (mirror && !mirror->take_up()) return fail(ErrorKind::peer_lied);
    return mirror;
}

bool Mirror::take_up() {
    const auto made = static_cast<std::uint32_t>(CallState::made);
    image_head_ = view_.peer->producer.head.load_acquire();
    far_.tail = view_.peer->consumer.tail.load_acquire();
    far_.tx_state = view_.peer->producer.state.load_acquire();
    far_.rx_state = view_.peer->consumer.state.load_acquire();
    far_.caller_port = view_.peer->producer.caller_port.load_relaxed();
    far_.would_keep = view_.peer->producer.would_keep.load_relaxed() != 0;
    if (home_side_ == 1 && connecting().call.state.load_relaxed() == made) far_.call_state = made;
    shown_head_ = image_head_;
    shown_ = far_;
    home_.tail = view_.own->consumer.tail.load_acquire();
    head_ = sent_ = view_.own->producer.head.load_acquire();
    is_adopted_ = true;
    return is_tx_word(far_.tx_state) && is_rx_word(far_.rx_state) && image_head_ - home_.tail <= rx_bytes();
}

void Mirror::show_reader(WaitToken token) {
    view_.peer->wakeup.readable[0].store_release(token.bits());
    full_fence();  // (W1) who did not see the token published before the look that follows
}

void Mirror::show_writer(WaitToken token) {
    view_.peer->wakeup.writable[0].store_release(token.bits());
    full_fence();  // (W1) as above
}

Result<std::uint64_t> Mirror::look() {
    Published now;
    now.tx_state = view_.own->producer.state.load_acquire();          // (F) before head, (R)
    now.rx_state = view_.own->consumer.state.load_acquire();          // before tail
    const Cursor head = view_.own->producer.head.load_acquire();      // (C1)
    const Cursor origin = view_.own->producer.origin.load_relaxed();  // (O); any value is inside the ring
    now.tail = view_.own->consumer.tail.load_acquire();
    now.call_state = connecting().call.state.load_relaxed();
    now.caller_port = view_.own->producer.caller_port.load_relaxed();
    now.would_keep = view_.own->producer.would_keep.load_relaxed() != 0;
    const bool is_sound = is_tx_word(now.tx_state) && is_rx_word(now.rx_state) &&
                          is_call_state(now.call_state) &&
                          is_believable(far_.tail, head_, head, tx_bytes()) &&
                          is_believable(home_.tail, home_.tail, now.tail, shown_head_ - home_.tail);
    if (!is_sound) return fail(ErrorKind::peer_lied);
    now.tx_state = std::max(now.tx_state, home_.tx_state);
    now.rx_state = std::max(now.rx_state, home_.rx_state);
    home_ = now;
    head_ = head;
    origin_ = origin;
    return unsent_bytes();
}

Mirror::Stretch Mirror::unsent(std::size_t most_bytes) const {
    const std::size_t length = std::min<std::size_t>(most_bytes, unsent_bytes());
    const Span2 span = split_at_wrap(index_of(sent_, origin_, tx_bytes()), length, tx_bytes());
    return {view_.tx_ring + span.first_offset, span.first_length, view_.tx_ring, span.second_length};
}

bool Mirror::resume(const Progress& far) {
    // Of an adopted image the program may have changed the words: what the far node says takes their place.
    const Cursor base = is_adopted_ ? far.tail : far_.tail;
    const std::uint64_t under_way = sent_ - base;
    const bool is_sound =
        under_way <= tx_bytes() && far.received - base <= under_way && far.tail - base <= far.received - base;
    if (!is_sound) return false;
    far_.tail = far.tail;
    sent_ = far.received;
    is_adopted_ = false;
    return true;
}

Published Mirror::published() const {
    Published shown = home_;
    if (sent_ != head_) shown.tx_state = tagged_state(use_of(home_.tx_state), TxState::open);
    if (is_heard_since(home_)) shown.rx_state = tagged_state(heard_use_, RxState::open);
    return shown;
}

bool Mirror::is_between_uses() {
    if (home_side_ != 0 || !look()) return false;
    if (is_kept(home_.tx_state))
        return far_.tx_state == home_.tx_state && head_ == far_.tail && image_head_ == home_.tail;
    return is_kept(far_.tx_state) && use_of(home_.tx_state) == use_of(far_.tx_state) + 1 &&
           use_of(far_.rx_state) == use_of(far_.tx_state);
}

Mirror::Room Mirror::room(Cursor cursor, std::size_t most_bytes) {
    if (!has_room(cursor, most_bytes)) return {nullptr, 0};
    const Span2 span = split_at_wrap(index_of(cursor, 0, rx_bytes()), most_bytes, rx_bytes());
    return {image_ring() + span.first_offset, span.first_length};
}

bool Mirror::has_room(Cursor cursor, std::size_t bytes) const {
    return cursor == image_head_ && bytes <= free_bytes(image_head_, home_.tail, rx_bytes());
}

Rings Mirror::rings() const {
    return {image_ring(), static_cast<std::size_t>(rx_bytes()), view_.tx_ring,
            static_cast<std::size_t>(tx_bytes())};
}

bool Mirror::apply(const Published& far) {
    const bool is_sound = is_believable(far_.tail, far_.tail, far.tail, sent_ - far_.tail) &&
                          is_tx_word(far.tx_state) && is_rx_word(far.rx_state) &&
                          is_call_state(far.call_state);
    if (!is_sound) return false;
    far_.tail = far.tail;
    far_.tx_state = std::max(far_.tx_state, far.tx_state);
    far_.rx_state = std::max(far_.rx_state, far.rx_state);
    far_.call_state = std::max(far_.call_state, far.call_state);
    far_.caller_port = far.caller_port;
    far_.would_keep = far.would_keep;
    return true;
}

Woken Mirror::publish() {
    const bool has_bytes = shown_head_ != image_head_;
    const bool has_state = shown_.tx_state != far_.tx_state || shown_.rx_state != far_.rx_state;
    const bool has_room = shown_.tail != far_.tail && is_half_free(head_, far_.tail, tx_bytes());
    view_.peer->producer.head.store_release(image_head_);  // (P1)
    view_.peer->consumer.tail.store_release(far_.tail);    // (C2)
    view_.peer->producer.would_keep.store_relaxed(far_.would_keep ? 1 : 0);
    view_.peer->producer.caller_port.store_relaxed(far_.caller_port);  // (R)
    view_.peer->consumer.state.store_release(far_.rx_state);           // behind tail
    view_.peer->producer.state.store_release(far_.tx_state);           // (F) behind head
    const auto made = static_cast<std::uint32_t>(CallState::made);
    if (home_side_ == 1 && far_.call_state == made && shown_.call_state != made) {
        connecting().call.state.compare_exchange(static_cast<std::uint32_t>(CallState::asked), made);
    }
    full_fence();  // (K1), and before the look whether the program has left
    shown_head_ = image_head_;
    shown_ = far_;
    note_call();
    return {has_bytes || has_state, has_state || has_room};
}

// The program takes the call that the image shows: it stays, having seen it, or sees it before it leaves.
void Mirror::note_call() {
    const std::uint32_t use = use_of(shown_.tx_state);
    if (home_side_ != 1 || use <= heard_use_) return;
    const std::uint32_t word = view_.own->producer.state.load_acquire();
    if (use_of(word) == use || word == tagged_state(use - 1, TxState::kept)) heard_use_ = use;
}

Woken Mirror::end_image(TxState last) {
    const std::uint32_t use = use_of(far_.tx_state);
    far_.tx_state = std::max(far_.tx_state, tagged_state(use, last));
    far_.rx_state = std::max(far_.rx_state, tagged_state(use, RxState::closed));
    return publish();
}

Woken Mirror::reset() {
    const bool has_closed = state_of(far_.tx_state) != 0 && state_of(far_.rx_state) != 0;
    if (!has_closed)
        return end_image(state_of(far_.tx_state) == 0 ? TxState::reset : TxState::reset_after_fin);
    return end_image(is_kept(far_.tx_state) ? TxState::left : TxState::open);
}

Woken Mirror::vanish() {
    return head_ != far_.tail || is_kept(far_.tx_state) ? reset() : end_image(TxState::fin);
}

bool Mirror::has_given_up_call() const {
    return home_side_ == 1 && home_.call_state == static_cast<std::uint32_t>(CallState::given_up);
}

}  // namespace xylem::bridge
