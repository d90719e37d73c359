// VerbsWire: messages, their slots and credits, and completions.
#include <arpa/inet.h>
#include <errno.h>
#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "rdma-bridge/verbs_wire.hpp"

namespace xylem::bridge {
namespace {

constexpr unsigned kReservedCredits = 2;
constexpr unsigned kManyOwed = VerbsWire::kSlots / 2;
constexpr std::uint64_t kSignalEvery = 16;
constexpr int kMostCompletions = 32;

}  // namespace

unsigned VerbsWire::write_room() const { return kMostWrites - static_cast<unsigned>(posted_ - completed_); }

bool VerbsWire::may_send() const {
    const bool is_slot_free = completed_ >= slot_used_by_[messages_ % kSlots];
    return is_connected_ && !is_shut_ && credits_ > kReservedCredits && is_slot_free && write_room() > 0;
}

bool VerbsWire::post(ibv_send_wr& work, bool wants_completion) {
    work.wr_id = posted_ + 1;
    if (wants_completion || work.wr_id - asked_for_ >= kSignalEvery) {
        work.send_flags |= IBV_SEND_SIGNALED;
        asked_for_ = work.wr_id;
    }
    ibv_send_wr* bad = nullptr;
    if (const int error = ::ibv_post_send(id_->qp, &work, &bad); error != 0) {
        fail(::strerrordesc_np(error));
        return false;
    }
    ++posted_;
    ++(work.opcode == IBV_WR_RDMA_WRITE ? counters_.writes : counters_.sent);
    return true;
}

// Out of the slot that is next. None but credits: of no size.
bool VerbsWire::post_message(std::size_t size_bytes, bool wants_completion) {
    ibv_sge part{reinterpret_cast<std::uint64_t>(send_slot(messages_)),
                 static_cast<std::uint32_t>(size_bytes), slots_memory_->lkey};
    ibv_send_wr work{};
    work.opcode = IBV_WR_SEND_WITH_IMM;
    work.sg_list = &part;
    work.num_sge = size_bytes > 0 ? 1 : 0;
    work.imm_data = htonl(owed_);
    if (size_bytes > 0 && size_bytes <= inline_bytes_) work.send_flags = IBV_SEND_INLINE;
    if (!post(work, wants_completion)) return false;
    owed_ = 0;
    --credits_;
    if (size_bytes == 0) return true;
    slot_used_by_[messages_ % kSlots] = size_bytes > inline_bytes_ ? posted_ : 0;
    ++messages_;
    return true;
}

bool VerbsWire::post_receive(unsigned slot) {
    ibv_sge part{reinterpret_cast<std::uint64_t>(receive_slot(slot)), kSlotBytes, slots_memory_->lkey};
    ibv_recv_wr work{};
    work.wr_id = kReceiveMark | slot;
    work.sg_list = &part;
    work.num_sge = 1;
    ibv_recv_wr* bad = nullptr;
    return ::ibv_post_recv(id_->qp, &work, &bad) == 0;
}

std::size_t VerbsWire::send(const iovec* parts, int count) {
    std::size_t sent = 0;
    int part = 0;
    std::size_t part_taken = 0;
    for (; part < count && may_send();) {
        std::byte* slot = send_slot(messages_);
        std::size_t filled = 0;
        while (part < count && filled < kSlotBytes) {
            const std::size_t length = std::min(parts[part].iov_len - part_taken, kSlotBytes - filled);
            ::memcpy(slot + filled, static_cast<const std::byte*>(parts[part].iov_base) + part_taken, length);
            filled += length;
            part_taken += length;
            if (part_taken < parts[part].iov_len) continue;
            ++part;
            part_taken = 0;
        }
        if (filled == 0) break;
        if (!post_message(filled, false)) return sent;
        sent += filled;
    }
    wants_to_send_ |= part < count;
    return sent;
}

bool VerbsWire::is_full() {
    const bool is_so = !is_connected_ || write_room() < kMostPieces + 1;
    wants_to_send_ |= is_so;
    return is_so;
}

std::size_t VerbsWire::receive(std::byte* bytes, std::size_t room_bytes) {
    std::size_t taken = 0;
    while (!is_shut_ && !arrivals_.empty() && taken < room_bytes) {
        Arrival& first = arrivals_.front();
        const std::size_t length = std::min(first.size_bytes - first.taken_bytes, room_bytes - taken);
        ::memcpy(bytes + taken, receive_slot(first.slot) + first.taken_bytes, length);
        taken += length;
        first.taken_bytes += length;
        if (first.taken_bytes < first.size_bytes) break;
        const unsigned slot = first.slot;
        arrivals_.pop_front();
        give_back_slot(slot);
    }
    return taken;
}

void VerbsWire::give_back_slot(unsigned slot) {
    if (!post_receive(slot)) return fail("the device takes no more memory to receive into");
    ++owed_;
    if (owed_ >= kManyOwed) give_credits();
}

// Where no message goes that could say so.
void VerbsWire::give_credits() {
    if (is_connected_ && !is_shut_ && credits_ > 0 && write_room() > 0) post_message(0, false);
}

void VerbsWire::take(const ibv_wc& done) {
    if (done.status != IBV_WC_SUCCESS) {
        const bool is_silent = done.status == IBV_WC_RETRY_EXC_ERR;
        const bool is_over = done.status == IBV_WC_WR_FLUSH_ERR;
        return fail(is_silent ? "it does not answer"
                              : (is_over ? "the connection ended" : ::ibv_wc_status_str(done.status)));
    }
    if ((done.wr_id & kReceiveMark) == 0) {
        completed_ = done.wr_id;
        return;
    }
    // A write with an immediate value takes a receive, too, and is as long as its sender likes.
    if (done.opcode != IBV_WC_RECV || done.byte_len > kSlotBytes) return fail("it sends what is no message");
    ++counters_.received;
    const auto slot = static_cast<unsigned>(done.wr_id & ~kReceiveMark);
    const bool has_credits = (done.wc_flags & IBV_WC_WITH_IMM) != 0;
    const std::uint32_t credits = has_credits ? ntohl(done.imm_data) : 0;
    if (credits > kSlots - credits_) return fail("it gives back more slots than there are");
    credits_ += credits;
    if (done.byte_len == 0) return give_back_slot(slot);
    arrivals_.push_back({slot, done.byte_len, 0});
}

// No more than there can be at the beginning: slots that are emptied here take further messages, and a node
// that sends without end must not keep the others waiting.
bool VerbsWire::take_all() {
    bool is_any = false;
    ibv_wc done[kMostCompletions];
    int most = kSlots + kMostWrites;
    for (int count = kMostCompletions; count == kMostCompletions && most > 0 && !is_shut_; most -= count) {
        count = ::ibv_poll_cq(queue_, kMostCompletions, done);
        if (count < 0) fail("the device's completion queue is broken");
        counters_.completions += static_cast<std::uint64_t>(std::max(count, 0));
        for (int i = 0; i < count && !is_shut_; ++i) take(done[i]);
        is_any |= count > 0;
    }
    return is_any;
}

bool VerbsWire::poll() {
    if (is_shut_ || queue_ == nullptr) return false;
    const bool is_any = take_all();
    if (is_any) release_retired(false);
    const bool is_readable = is_connected_ && !is_shut_ && !arrivals_.empty();
    if (is_readable) events_.on_readable();
    const bool is_writable = !is_shut_ && wants_to_send_ && may_send() && write_room() > kMostPieces;
    if (is_writable) {
        wants_to_send_ = false;
        events_.on_writable();
    }
    return is_any || is_readable;
}

bool VerbsWire::arm() {
    if (is_shut_ || queue_ == nullptr) return false;
    if (!std::exchange(is_armed_, true) && ::ibv_req_notify_cq(queue_, 0) != 0) {
        fail("the device tells nothing of what comes");
        return true;
    }
    return poll();
}

}  // namespace xylem::bridge
