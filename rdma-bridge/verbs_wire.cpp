// VerbsWire: how it begins and ends. A wire that is dialled resolves the address, then the route, then
// connects; one that was called accepts.
#include "rdma-bridge/verbs_wire.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>

#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/node_protocol.h"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint32_t kVerbsMagic = 0x564E'5958;  // "XYNV"
constexpr unsigned kInlineBytes = 256;
// Eight times 4.096 us * 2^16 = 2.1 s, until a node that does not answer counts as gone.
constexpr std::uint8_t kAckTimeout = 16;
constexpr std::uint8_t kRetries = 7;  // of a slot that is not ready: for ever, which cannot be
constexpr std::uint64_t kBeatNs = kNsPerSecond;
constexpr unsigned kMostSilentBeats = 4;
constexpr int kServiceUnknown = 8;  // IB_CM_REJ_INVALID_SERVICE_ID

}  // namespace

VerbsWire::VerbsWire(Poller& poller, PinnedMemory& pinned, rdma_cm_id* id, bool is_dialled)
    : poller_(poller), pinned_(pinned), id_(id), is_dialled_(is_dialled) {
    id_->context = this;
}

VerbsWire::~VerbsWire() {
    shut(true);
    close_now();
    ::rdma_destroy_id(id_);
}

VerbsHello VerbsWire::hello() { return {kVerbsMagic, kNodeVersion, kSlots, kSlotBytes}; }

void VerbsWire::begin(Events events) {
    events_ = std::move(events);
    if (is_dialled_) return;
    if (!make_queues() || !connect()) fail(::strerrordesc_np(errno));
}

void VerbsWire::on_event(rdma_cm_event_type type, int status, const std::string& words) {
    if (is_shut_) return;
    spdlog::debug("a wire that {} dialled: {} ({})", is_dialled_ ? "we" : "they", ::rdma_event_str(type),
                  status);
    switch (type) {
        case RDMA_CM_EVENT_ADDR_RESOLVED:
            if (::rdma_resolve_route(id_, kResolveMs) != 0) fail(::strerrordesc_np(errno));
            return;
        case RDMA_CM_EVENT_ROUTE_RESOLVED:
            if (!make_queues() || !connect()) fail(::strerrordesc_np(errno));
            return;
        case RDMA_CM_EVENT_ESTABLISHED:
            return on_established();
        case RDMA_CM_EVENT_REJECTED:
            if (!words.empty()) return fail("refused by the other node: " + words);
            return fail(status == kServiceUnknown ? "no bridge listens there with an RDMA device"
                                                  : fmt::format("refused by the other device ({})", status));
        case RDMA_CM_EVENT_DISCONNECTED:
            poll();  // what it said before
            return fail("closed by the other node");
        case RDMA_CM_EVENT_TIMEWAIT_EXIT:
            return;
        default:
            return fail(fmt::format("{} ({})", ::rdma_event_str(type), ::strerrordesc_np(-status)));
    }
}

bool VerbsWire::make_queues() {
    is_stranger_ = !is_dialled_ && pinned_.take_stranger();
    if (!is_dialled_ && !is_stranger_) {
        errno = ENOBUFS;
        return false;
    }
    SocketName host = peer_name();
    host.port = 0;
    far_host_ = node_text(host).text;
    const std::size_t size_bytes = 2 * kSlots * kSlotBytes;
    void* memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    slots_ = Mapping(memory, size_bytes);
    domain_ = ::ibv_alloc_pd(id_->verbs);
    completions_ = ::ibv_create_comp_channel(id_->verbs);
    if (domain_ == nullptr || completions_ == nullptr) return false;
    ::fcntl(completions_->fd, F_SETFL, ::fcntl(completions_->fd, F_GETFL) | O_NONBLOCK);
    queue_ = ::ibv_create_cq(id_->verbs, kMostWrites + 2 * kSlots, nullptr, completions_, 0);
    const int access = IBV_ACCESS_LOCAL_WRITE;  // no enumerator: ibv_reg_mr() is a macro that mixes two kinds
    slots_memory_ = ::ibv_reg_mr(domain_, memory, size_bytes, access);
    if (queue_ == nullptr || slots_memory_ == nullptr) return false;
    ibv_qp_init_attr wanted{};
    wanted.send_cq = wanted.recv_cq = queue_;
    wanted.qp_type = IBV_QPT_RC;
    wanted.cap = {kMostWrites, kSlots, 1, 1, kInlineBytes};
    // A device says no where it has no room beside a request.
    if (::rdma_create_qp(id_, domain_, &wanted) != 0) {
        wanted.cap.max_inline_data = 0;
        if (::rdma_create_qp(id_, domain_, &wanted) != 0) return false;
    }
    inline_bytes_ = wanted.cap.max_inline_data;
    for (unsigned slot = 0; slot < kSlots; ++slot) {
        if (!post_receive(slot)) return false;
    }
    poller_.add(completions_->fd, EPOLLIN, [this](std::uint32_t) { on_completion_event(); });
    arm();
    return true;
}

bool VerbsWire::connect() {
    std::uint8_t timeout = kAckTimeout;
    ::rdma_set_option(id_, RDMA_OPTION_ID, RDMA_OPTION_ID_ACK_TIMEOUT, &timeout, sizeof timeout);
    const VerbsHello own = hello();
    rdma_conn_param how{};
    how.private_data = &own;
    how.private_data_len = sizeof own;
    how.retry_count = kRetries;
    how.rnr_retry_count = kRetries;
    return (is_dialled_ ? ::rdma_connect(id_, &how) : ::rdma_accept(id_, &how)) == 0;
}

void VerbsWire::on_established() {
    if (std::exchange(is_connected_, true)) return;
    beat();
    events_.on_connected();
    if (!is_shut_) poll();
}

// The device repeats what the other node does not acknowledge, and then says so; but not where nothing is
// sent, and a soft device not always.
void VerbsWire::beat() {
    const bool owes = completed_ < asked_for_ && completed_ == completed_at_beat_;
    silent_beats_ = owes ? silent_beats_ + 1 : 0;
    if (silent_beats_ >= kMostSilentBeats) return fail("it does not answer, and the device does not say so");
    const bool is_idle = posted_ == posted_at_beat_;
    if (is_idle && completed_ == asked_for_ && credits_ > 0 && write_room() > 0) post_message(0, true);
    posted_at_beat_ = posted_;
    completed_at_beat_ = completed_;
    if (!is_shut_) beat_ = poller_.after(kBeatNs, [this] { beat(); });
}

SocketName VerbsWire::peer_name() const { return name_of(::rdma_get_peer_addr(id_)); }

SocketName VerbsWire::own_name() const { return name_of(::rdma_get_local_addr(id_)); }

SocketName VerbsWire::name_of(const sockaddr* address) {
    NodeAddress named;
    named.length = address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    ::memcpy(&named.storage, address, named.length);
    return bridge::name_of(named);
}

void VerbsWire::set_proved() {
    if (std::exchange(is_stranger_, false)) pinned_.leave_stranger();
}

void VerbsWire::fail(const std::string& why) {
    if (is_shut_) return;
    is_failed_ = true;
    shut(false);
    events_.on_broken(why);
}

}  // namespace xylem::bridge
