// What an epoll set notes about a descriptor of ours that is in it.
//
//   kernel ──> ring     a socket that the kernel watches became a ring
//   kernel ──> set      a set got something of ours into it
//
// An item is named by its descriptor's number and by what that number meant when it was added, as in the
// kernel: a number may be closed, live on under another one, and mean something else by then.
#pragma once

#include <sys/epoll.h>

#include <optional>

#include "guest-lib/fd_table.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem {

// What a socket says in two ways (net/ipv4/tcp.c, tcp_poll()).
inline constexpr std::uint32_t kReadableEvents = EPOLLIN | EPOLLRDNORM;
inline constexpr std::uint32_t kWritableEvents = EPOLLOUT | EPOLLWRNORM;

enum class ItemKind : std::uint8_t { kernel, ring, set };

struct EpollItem {
    int fd = -1;               // -1: free
    std::uint32_t events = 0;  // as the program asked for
    epoll_data_t data{};
    FdObject* object = nullptr;  // held by reference
    ItemKind kind = ItemKind::kernel;
    bool has_queue = false;    // a listener: its queue eventfd is in the kernel's set as well
    bool is_disabled = false;  // EPOLLONESHOT has fired
    int read_slot = -1;
    int write_slot = -1;
    std::optional<StreamState> told;  // edge-triggered: the state that was reported last
    int next_set_item = -1;           // of kind set: the next one of that kind
    std::uint32_t seen_news = 0;      // of kind set: the news that were reported last

    bool is_free() const { return fd < 0; }
    bool is_edge() const { return (events & EPOLLET) != 0; }
    bool is_ring() const { return kind == ItemKind::ring; }
    bool wants_room() const { return (events & kWritableEvents) != 0; }
};

}  // namespace xylem
