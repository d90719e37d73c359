// VerbsWire: rings that the devices write into, and from.
#include <errno.h>
#include <spdlog/spdlog.h>
#include <string.h>

#include <algorithm>

#include "rdma-bridge/verbs_wire.hpp"

namespace xylem::bridge {

// Null: it may not be, which a first time is said of. Its bytes travel with the frames then.
ibv_mr* VerbsWire::register_ring(const std::byte* bytes, std::size_t size_bytes, int access) {
    const bool is_allowed = pinned_.take_ring(far_host_, size_bytes);
    ibv_mr* memory = nullptr;
    if (is_allowed) memory = ::ibv_reg_mr(domain_, const_cast<std::byte*>(bytes), size_bytes, access);
    if (memory != nullptr) return memory;
    if (!std::exchange(has_refused_memory_, true)) {
        spdlog::warn(
            "a ring of {} KiB of node {} is not registered ({}; {} of {} KiB are): "
            "its bytes are copied twice more",
            size_bytes >> 10, far_host_, is_allowed ? ::strerrordesc_np(errno) : "its share of --pinned",
            pinned_.ring_bytes() >> 10, pinned_.most_ring_bytes() >> 10);
    }
    if (is_allowed) pinned_.give_back_ring(far_host_, size_bytes);
    return nullptr;
}

std::optional<Window> VerbsWire::expose(std::uint32_t connection, const Rings& rings) {
    if (is_shut_ || domain_ == nullptr) return std::nullopt;
    Registered& registered = registered_[connection];
    if (registered.received == nullptr) {
        registered.received = register_ring(rings.received, rings.received_bytes,
                                            IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    }
    if (registered.received == nullptr) return std::nullopt;
    return Window{reinterpret_cast<std::uint64_t>(rings.received), rings.received_bytes,
                  registered.received->rkey};
}

void VerbsWire::set_far(std::uint32_t connection, const Window& window, const Rings& rings) {
    if (is_shut_ || domain_ == nullptr) return;
    Registered& registered = registered_[connection];
    if (registered.sent == nullptr) registered.sent = register_ring(rings.sent, rings.sent_bytes, 0);
    registered.far = window;
}

void VerbsWire::hide(std::uint32_t connection) {
    const auto found = registered_.find(connection);
    if (found == registered_.end()) return;
    release_ring(found->second.received);  // the memory may be another connection's in a moment
    retire(found->second.sent);
    registered_.erase(found);
    release_retired(false);
}

// Writes that the device was given may still read it.
void VerbsWire::retire(ibv_mr* memory) {
    if (memory != nullptr) retired_.push_back({posted_, memory});
}

void VerbsWire::release_retired(bool all) {
    while (!retired_.empty() && (all || retired_.front().posted <= completed_)) {
        release_ring(retired_.front().memory);
        retired_.pop_front();
    }
}

void VerbsWire::release_ring(ibv_mr* memory) {
    if (memory == nullptr) return;
    pinned_.give_back_ring(far_host_, memory->length);
    ::ibv_dereg_mr(memory);
}

bool VerbsWire::place(std::uint32_t connection, std::uint64_t cursor, const Mirror::Stretch& bytes) {
    const auto found = registered_.find(connection);
    if (is_shut_ || found == registered_.end()) return false;
    const Registered& registered = found->second;
    if (registered.sent == nullptr || registered.far.size_bytes == 0 || write_room() < kMostPieces + 1)
        return false;
    for (const auto& [first, length] :
         {std::pair{bytes.first, bytes.first_bytes}, std::pair{bytes.second, bytes.second_bytes}}) {
        // A write ends where the far ring does.
        for (std::size_t done = 0; done < length;) {
            const std::uint64_t offset = cursor % registered.far.size_bytes;
            const std::size_t piece =
                std::min<std::size_t>(length - done, registered.far.size_bytes - offset);
            ibv_sge part{reinterpret_cast<std::uint64_t>(first + done), static_cast<std::uint32_t>(piece),
                         registered.sent->lkey};
            ibv_send_wr work{};
            work.opcode = IBV_WR_RDMA_WRITE;
            work.sg_list = &part;
            work.num_sge = 1;
            work.wr.rdma.remote_addr = registered.far.address + offset;
            work.wr.rdma.rkey = registered.far.key;
            if (!post(work, false)) return false;
            done += piece;
            cursor += piece;
        }
    }
    return true;
}

}  // namespace xylem::bridge
