// A wire that is a reliable connection between two RDMA devices: one queue pair for all connections of a
// dialler. Frames go in messages (SEND) of a fixed number of slots, which their receiver gives back by
// credits; bytes of rings that are exposed are written in place (RDMA WRITE) ahead of the frame that tells of
// them. A device keeps the order: who has the frame has the bytes.
//
//   credits    every message says how many slots its sender has emptied since its last one. The last
//              kReservedCredits are kept for messages that say nothing else, so that two full sides can go
//              on.
//   signals    a completion is asked for now and then, and then stands for all before it.
//   silence    a message a second, so that the device finds out when the other node is gone. A device that
//              does not even say so is found out by what it owes.
//
// Each wire has a protection domain of its own: a node reaches rings of its own connections, and these only
// as long as the wire lasts.
#pragma once

#include <rdma/rdma_cma.h>

#include <array>
#include <deque>
#include <unordered_map>

#include "rdma-bridge/poller.hpp"
#include "rdma-bridge/verbs.hpp"
#include "rdma-bridge/wire.hpp"
#include "vsock-transport/base/mapping.hpp"

namespace xylem::bridge {

// Beside the connection request (rdma_connect(3) allows 56 bytes): whether both speak the same.
struct VerbsHello {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t slots;
    std::uint32_t slot_bytes;
};

class VerbsWire : public Wire {
  public:
    static constexpr unsigned kSlots = 64;
    static constexpr std::size_t kSlotBytes = 4096;

    // Takes the identifier, of which the events are to be passed on. is_dialled: from here.
    VerbsWire(Poller& poller, PinnedMemory& pinned, rdma_cm_id* id, bool is_dialled);
    ~VerbsWire() override;
    static VerbsHello hello();

    void begin(Events events) override;
    std::size_t send(const iovec* parts, int count) override;
    std::size_t receive(std::byte* bytes, std::size_t room_bytes) override;
    bool is_full() override;
    bool poll() override;
    bool arm() override;
    SocketName peer_name() const override;
    SocketName own_name() const override;
    const char* name() const override { return "RDMA"; }
    void set_proved() override;
    void shut(bool has_last_words) override;
    bool lingers() const override {
        return closing_ == Closing::last_words || closing_ == Closing::last_event;
    }
    std::optional<Window> expose(std::uint32_t connection, const Rings& rings) override;
    void hide(std::uint32_t connection) override;
    void set_far(std::uint32_t connection, const Window& window, const Rings& rings) override;
    bool place(std::uint32_t connection, std::uint64_t cursor, const Mirror::Stretch& bytes) override;

    // words: what came with it, for whoever refused.
    void on_event(rdma_cm_event_type type, int status, const std::string& words);

  private:
    static SocketName name_of(const sockaddr* address);
    static constexpr unsigned kMostWrites = 256;               // that are under way, messages included
    static constexpr unsigned kMostPieces = 3;                 // of one stretch
    static constexpr std::uint64_t kReceiveMark = 1ULL << 63;  // in a completion's number

    enum class Closing : std::uint8_t { no, last_words, last_event, done };
    struct Registered {
        ibv_mr* received = nullptr;  // the far node writes there
        ibv_mr* sent = nullptr;      // we read from there
        Window far;                  // no size: not told
    };
    struct Retired {
        std::uint64_t posted;  // once so many are completed nothing uses it
        ibv_mr* memory;
    };
    struct Arrival {
        unsigned slot;
        std::size_t size_bytes;
        std::size_t taken_bytes;
    };

    // verbs_wire.cpp
    void fail(const std::string& why);
    bool make_queues();
    bool connect();
    void on_established();
    void beat();

    // verbs_closing.cpp
    void hear_last_words();
    void close_connection();
    void free_queues();
    void on_completion_event();
    void close_now();

    // verbs_messages.cpp
    std::byte* send_slot(std::uint64_t message) { return slots_.bytes() + (message % kSlots) * kSlotBytes; }
    std::byte* receive_slot(unsigned slot) { return slots_.bytes() + (kSlots + slot) * kSlotBytes; }
    unsigned write_room() const;
    bool may_send() const;
    bool post(ibv_send_wr& work, bool wants_completion);
    bool post_message(std::size_t size_bytes, bool wants_completion);
    bool post_receive(unsigned slot);
    void give_back_slot(unsigned slot);
    void give_credits();
    void take(const ibv_wc& done);
    bool take_all();

    // verbs_memory.cpp
    ibv_mr* register_ring(const std::byte* bytes, std::size_t size_bytes, int access);
    void retire(ibv_mr* memory);
    void release_retired(bool all);
    void release_ring(ibv_mr* memory);

    Poller& poller_;
    PinnedMemory& pinned_;
    rdma_cm_id* id_;
    std::string far_host_;  // whose share of the pinned memory its rings take; once there are queues
    const bool is_dialled_;
    Events events_;
    bool is_connected_ = false;
    bool is_shut_ = false;
    bool is_failed_ = false;
    bool is_armed_ = false;
    bool is_stranger_ = false;  // it called, and has not shown the key
    bool wants_to_send_ = false;
    ibv_pd* domain_ = nullptr;
    ibv_comp_channel* completions_ = nullptr;
    ibv_cq* queue_ = nullptr;
    unsigned inline_bytes_ = 0;
    Mapping slots_;  // to send from, then to receive into
    ibv_mr* slots_memory_ = nullptr;

    std::uint64_t posted_ = 0;  // of the send queue
    std::uint64_t completed_ = 0;
    std::uint64_t asked_for_ = 0;  // the last one with a completion
    std::uint64_t messages_ = 0;
    std::array<std::uint64_t, kSlots> slot_used_by_{};  // as counted by posted_
    unsigned credits_ = kSlots;                         // of the far node's slots
    unsigned owed_ = 0;                                 // of ours, emptied and not told
    std::deque<Arrival> arrivals_;
    std::uint64_t posted_at_beat_ = 0;
    std::uint64_t completed_at_beat_ = 0;
    unsigned silent_beats_ = 0;
    Poller::TimerId beat_ = 0;
    Closing closing_ = Closing::no;
    Poller::TimerId closing_timer_ = 0;

    std::unordered_map<std::uint32_t, Registered> registered_;
    std::deque<Retired> retired_;
    bool has_refused_memory_ = false;
};

}  // namespace xylem::bridge
