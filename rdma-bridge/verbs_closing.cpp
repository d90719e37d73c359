// VerbsWire: its last moments. Nobody waits for them, since whoever can call could have the bridge wait: it
// lingers (wire.hpp) on a timer and on the event of its queue.
//
//   open ──last words to say──> last_words ──heard, or kLastWordsNs──> last_event ──it came, or kEventNs──>
//   closed, and either step is left out where there is nothing to wait for
//
// What was said last is to be heard: a refusal has its reason in it. And an event that is under way to the
// queue has to come before the queue goes: soft-RoCE before Linux 6.5 does not wait for it itself, and then
// the kernel falls over. Rings are out of the far node's reach from the first moment on.
#include <poll.h>

#include "rdma-bridge/verbs_wire.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kLastWordsNs = 20 * kNsPerMs;
constexpr std::uint64_t kEventNs = 20 * kNsPerMs;

}  // namespace

void VerbsWire::shut(bool has_last_words) {
    if (std::exchange(is_shut_, true)) return;
    poller_.cancel(beat_);
    for (auto& [connection, memory] : registered_) {
        release_ring(std::exchange(memory.received, nullptr));
        retire(std::exchange(memory.sent, nullptr));
    }
    registered_.clear();
    const bool has_to_say = has_last_words && is_connected_ && !is_failed_ && completed_ != posted_ &&
                            credits_ > 0 && write_room() > 0 && post_message(0, true);
    if (!has_to_say) return close_connection();
    closing_ = Closing::last_words;
    closing_timer_ = poller_.after(kLastWordsNs, [this] { close_connection(); });
    hear_last_words();
}

// Another event is asked for before the look: what comes later is told.
void VerbsWire::hear_last_words() {
    const bool is_told = std::exchange(is_armed_, true) || ::ibv_req_notify_cq(queue_, 0) == 0;
    bool is_over = !is_told;
    for (ibv_wc done{}; !is_over && completed_ != posted_;) {
        const int count = ::ibv_poll_cq(queue_, 1, &done);
        if (count == 0) return;
        is_over = count < 0 || done.status != IBV_WC_SUCCESS;
        if (!is_over && (done.wr_id & kReceiveMark) == 0) completed_ = done.wr_id;
    }
    close_connection();
}

void VerbsWire::close_connection() {
    poller_.cancel(closing_timer_);
    if (is_connected_) ::rdma_disconnect(id_);
    if (id_->qp != nullptr) ::rdma_destroy_qp(id_);
    if (completions_ == nullptr || !is_armed_ || !is_connected_) return free_queues();
    closing_ = Closing::last_event;
    closing_timer_ = poller_.after(kEventNs, [this] { free_queues(); });
}

void VerbsWire::free_queues() {
    closing_ = Closing::done;
    poller_.cancel(closing_timer_);
    release_retired(true);
    if (slots_memory_ != nullptr) ::ibv_dereg_mr(std::exchange(slots_memory_, nullptr));
    if (queue_ != nullptr) ::ibv_destroy_cq(std::exchange(queue_, nullptr));
    if (completions_ != nullptr) {
        poller_.remove(completions_->fd);
        ::ibv_destroy_comp_channel(std::exchange(completions_, nullptr));
    }
    if (domain_ != nullptr) ::ibv_dealloc_pd(std::exchange(domain_, nullptr));
    slots_.unmap();
    set_proved();  // or it is not there any more
}

void VerbsWire::on_completion_event() {
    ++counters_.events;
    ibv_cq* queue = nullptr;
    void* context = nullptr;
    while (::ibv_get_cq_event(completions_, &queue, &context) == 0) ::ibv_ack_cq_events(queue_, 1);
    is_armed_ = false;
    if (closing_ == Closing::last_words) return hear_last_words();
    if (closing_ == Closing::last_event) return free_queues();
    poll();
}

// For an owner that ends, and whose poller does so, too.
void VerbsWire::close_now() {
    const auto wait = [this](std::uint64_t most_ns) {
        pollfd waited{completions_->fd, POLLIN, 0};
        if (::poll(&waited, 1, static_cast<int>(most_ns / kNsPerMs)) > 0) on_completion_event();
    };
    if (closing_ == Closing::last_words) wait(kLastWordsNs);
    if (closing_ == Closing::last_words) close_connection();
    if (closing_ == Closing::last_event) wait(kEventNs);
    if (closing_ == Closing::last_event) free_queues();
}

}  // namespace xylem::bridge
