// One connection as a bridge has it: a slab that it shares with a program here (the home end) and whose other
// end (the image) it writes as the far program wrote its own. Knows rings and words only; who carries what it
// finds, and rings doorbells, is elsewhere. One thread.
#pragma once

#include "rdma-bridge/node_protocol.h"
#include "vsock-transport/stream/region.hpp"
#include "vsock-transport/wakeup/wait_token.hpp"

namespace xylem::bridge {

// What an end published beside its bytes. States are words, with the number of the use (slab_layout.h).
struct Published {
    std::uint64_t tail = 0;
    std::uint32_t tx_state = 0;
    std::uint32_t rx_state = 0;
    std::uint32_t call_state = 0;
    std::uint32_t caller_port = 0;
    bool would_keep = false;

    bool operator==(const Published&) const = default;
    // The same, but for the tail.
    bool says_as(Published other) const {
        other.tail = tail;
        return *this == other;
    }
};

// Whom a change may wake.
struct Woken {
    bool readers = false;
    bool writers = false;
};

// The two rings, in memory here.
struct Rings {
    std::byte* received;  // the image's: where the far program's bytes belong
    std::size_t received_bytes;
    const std::byte* sent;
    std::size_t sent_bytes;
};

class Mirror {
  public:
    // home_side: the program's. Errors: bad_layout.
    [[nodiscard]] static Result<Mirror> make(Mapping slab, const SlabGeometry& geometry, unsigned home_side);
    // Of a slab whose image an earlier bridge wrote. To be resumed before anything else. Errors: bad_layout;
    // peer_lied (words that no bridge can have left).
    [[nodiscard]] static Result<Mirror> adopt(Mapping slab, const SlabGeometry& geometry, unsigned home_side);

    const SlabGeometry& geometry() const { return geometry_; }

    // The program here rings the bridge by this token from now on, whenever it produced.
    void show_reader(WaitToken token);
    // The same for whenever it consumed until half of the image's ring is free; an empty token: not any more.
    void show_writer(WaitToken token);

    // Looks at what the program published. Errors: peer_lied (words that no program can publish).
    [[nodiscard]] Result<std::uint64_t> look();
    // As of the last look. Bytes that were not sent yet, from cursor() on, at most most_bytes.
    Cursor cursor() const { return sent_; }
    std::uint64_t unsent_bytes() const { return head_ - sent_; }
    struct Stretch {
        const std::byte* first;
        std::size_t first_bytes;
        const std::byte* second;
        std::size_t second_bytes;
    };
    Stretch unsent(std::size_t most_bytes) const;
    void note_sent(std::size_t bytes) { sent_ += bytes; }
    // The far node has come so far, and lost what was sent behind it. False: it cannot be; nothing was
    // changed then.
    [[nodiscard]] bool resume(const Progress& far);
    Progress progress() const { return {image_head_, home_.tail}; }
    // As of the last look; the end of the stream shows only when all bytes were sent.
    Published published() const;
    bool has_ended() const { return state_of(home_.tx_state) != 0 && state_of(home_.rx_state) != 0; }
    // Whether the program has begun another use of the connection since it published that.
    bool begins_use_since(const Published& sent) const {
        return use_of(home_.tx_state) > use_of(sent.tx_state);
    }
    // Whether published() says since then that a call was shown to the program, which takes it.
    bool is_heard_since(const Published& sent) const { return heard_use_ > use_of(sent.rx_state); }
    // Of a connecting end. Nobody needs to know more of the use before, and none has begun that the far node
    // has heard of. As of now.
    bool is_between_uses();

    // Of the bytes in the image's ring the far producer knows that all before `tail` are consumed. Whether it
    // may soon want to know more.
    bool is_half_full_since(Cursor tail) const { return !is_half_free(image_head_, tail, rx_bytes()); }

    bool is_consumed_up_to(Cursor tail) const { return image_head_ == tail; }

    // From the far node. Where bytes from that cursor on belong: the next stretch without a wrap, at most
    // most_bytes. Empty if they are not the next ones, or do not fit.
    struct Room {
        std::byte* bytes;
        std::size_t size_bytes;
    };
    Room room(Cursor cursor, std::size_t most_bytes);
    // Whether so many bytes from there on are the next ones, and have room.
    bool has_room(Cursor cursor, std::size_t bytes) const;
    Rings rings() const;
    void note_received(std::size_t bytes) { image_head_ += bytes; }
    // False: impossible words; nothing was changed then.
    [[nodiscard]] bool apply(const Published& far);
    // Shows the program what was received and applied since.
    bool has_unshown() const { return shown_head_ != image_head_ || shown_ != far_; }
    Woken publish();
    // What was applied.
    const Published& far() const { return far_; }
    // The far end is lost: ECONNRESET for the program, once it has read what came, unless the far end had
    // closed. Nor is the connection used again.
    Woken reset();
    // The far program is gone without having closed: what its kernel would say then.
    Woken vanish();
    // As of now, in the pages: whom the program says to wake.
    const WakeupLine& home_waiters() const { return view_.own->wakeup; }
    bool has_given_up_call() const;

  private:
    Mirror(Mapping slab, const SlabView& view, const SlabGeometry& geometry, unsigned home_side)
        : slab_(std::move(slab)), view_(view), geometry_(geometry), home_side_(home_side) {}

    std::uint64_t tx_bytes() const { return geometry_.ring_size_bytes[home_side_]; }
    std::uint64_t rx_bytes() const { return geometry_.ring_size_bytes[1 - home_side_]; }
    bool take_up();
    void note_call();
    Woken end_image(TxState last);
    EndBlock& connecting() const { return home_side_ == 0 ? *view_.own : *view_.peer; }
    std::byte* image_ring() const { return const_cast<std::byte*>(view_.rx_ring); }

    Mapping slab_;
    SlabView view_;  // own: the program's, peer: the image
    SlabGeometry geometry_;
    unsigned home_side_;

    // What the program published, as far as it is believed.
    Cursor head_ = 0;
    Cursor origin_ = 0;
    Published home_;
    Cursor sent_ = 0;
    // What the far node said.
    Cursor image_head_ = 0;
    Published far_;
    // What the image says.
    Cursor shown_head_ = 0;
    Published shown_;
    std::uint32_t heard_use_ = 0;  // the last one to which the program was called, and takes the call
    bool is_adopted_ = false;      // and not resumed
};

}  // namespace xylem::bridge
