// Verbs. One channel for the events of all identifiers. An event is acknowledged before it is acted upon,
// because an identifier cannot be destroyed before that.
#include "rdma-bridge/verbs.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cstddef>

#include "rdma-bridge/verbs_wire.hpp"

namespace xylem::bridge {
namespace {

struct Event {
    rdma_cm_event_type type;
    int status;
    rdma_cm_id* id;
    bool is_call;
    std::string bytes;  // that came with it
};

// Nothing: there is none.
constexpr unsigned kMostEvents = 16;  // a turn: calls cost much

std::optional<Event> next_event(rdma_event_channel* channel) {
    rdma_cm_event* event = nullptr;
    if (::rdma_get_cm_event(channel, &event) != 0) return std::nullopt;
    Event copy{event->event, event->status, event->id, event->event == RDMA_CM_EVENT_CONNECT_REQUEST, {}};
    const bool may_have_bytes = copy.is_call || event->event == RDMA_CM_EVENT_REJECTED;
    if (may_have_bytes && event->param.conn.private_data != nullptr) {
        copy.bytes.assign(static_cast<const char*>(event->param.conn.private_data),
                          event->param.conn.private_data_len);
    }
    ::rdma_ack_cm_event(event);
    return copy;
}

std::string printable(const std::string& bytes) {
    std::string words = bytes.substr(0, bytes.find('\0'));
    for (char& c : words) c = c >= ' ' && c <= '~' ? c : '?';
    return words;
}

sockaddr* mutable_address(const NodeAddress& address) { return const_cast<sockaddr*>(address.get()); }

}  // namespace

std::unique_ptr<Verbs> Verbs::open(Poller& poller, std::uint64_t most_pinned_bytes, std::string& error) {
    int count = 0;
    ibv_device** devices = ::ibv_get_device_list(&count);
    if (devices != nullptr) ::ibv_free_device_list(devices);
    if (devices == nullptr || count == 0) {
        error = "there is no RDMA device";
        return nullptr;
    }
    rdma_event_channel* channel = ::rdma_create_event_channel();
    if (channel == nullptr) {
        error = fmt::format("/dev/infiniband/rdma_cm: {} (is the module rdma_ucm loaded?)",
                            ::strerrordesc_np(errno));
        return nullptr;
    }
    ::fcntl(channel->fd, F_SETFL, ::fcntl(channel->fd, F_GETFL) | O_NONBLOCK);
    ::fcntl(channel->fd, F_SETFD, FD_CLOEXEC);
    return std::unique_ptr<Verbs>(new Verbs(poller, channel, most_pinned_bytes));
}

Verbs::Verbs(Poller& poller, rdma_event_channel* channel, std::uint64_t most_pinned_bytes)
    : poller_(poller), channel_(channel), pinned_(most_pinned_bytes) {
    poller_.add(channel_->fd, EPOLLIN, [this](std::uint32_t) { on_events(); });
}

Verbs::~Verbs() {
    poller_.remove(channel_->fd);
    if (listener_ != nullptr) ::rdma_destroy_id(listener_);
    ::rdma_destroy_event_channel(channel_);
}

bool Verbs::listen(const NodeAddress& address, OnCaller on_caller, std::function<void()> on_gone,
                   std::string& error) {
    on_caller_ = std::move(on_caller);
    on_gone_ = std::move(on_gone);
    const bool listens = ::rdma_create_id(channel_, &listener_, nullptr, RDMA_PS_TCP) == 0 &&
                         ::rdma_bind_addr(listener_, mutable_address(address)) == 0 &&
                         listener_->verbs != nullptr && ::rdma_listen(listener_, kWireBacklog) == 0;
    if (listens) return true;
    const bool has_device = listener_ != nullptr && listener_->verbs != nullptr;
    error = has_device ? fmt::format("port {}: {}", address.port(), ::strerrordesc_np(errno))
                       : "no RDMA device has that address";
    if (listener_ != nullptr) ::rdma_destroy_id(std::exchange(listener_, nullptr));
    return false;
}

std::unique_ptr<Wire> Verbs::dial(const NodeAddress& from, const NodeAddress& to) {
    rdma_cm_id* id = nullptr;
    if (::rdma_create_id(channel_, &id, nullptr, RDMA_PS_TCP) != 0) return nullptr;
    auto wire = std::make_unique<VerbsWire>(poller_, pinned_, id, true);
    if (::rdma_resolve_addr(id, mutable_address(from), mutable_address(to), kResolveMs) != 0) return nullptr;
    return wire;
}

void Verbs::on_events() {
    for (unsigned i = 0; i < kMostEvents; ++i) {
        const auto event = next_event(channel_);
        if (!event) return;
        if (event->is_call) {
            on_caller(event->id, event->bytes.data(), event->bytes.size());
        } else if (event->id == listener_) {
            if (event->type == RDMA_CM_EVENT_DEVICE_REMOVAL) on_gone_();
        } else if (event->id->context != nullptr) {
            static_cast<VerbsWire*>(event->id->context)
                ->on_event(event->type, event->status, printable(event->bytes));
        }
    }
}

void Verbs::on_caller(rdma_cm_id* id, const void* hello, std::size_t hello_bytes) {
    const VerbsHello own = VerbsWire::hello();
    if (hello_bytes >= sizeof own && std::memcmp(hello, &own, sizeof own) == 0) {
        return on_caller_(std::make_unique<VerbsWire>(poller_, pinned_, id, false));
    }
    const std::string words = fmt::format("it speaks another version of the protocol than {}", own.version);
    ::rdma_reject(id, words.c_str(), static_cast<std::uint8_t>(words.size() + 1));
    ::rdma_destroy_id(id);
}

}  // namespace xylem::bridge
