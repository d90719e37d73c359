// What carries bytes between the bridges of two nodes, in order and each once, until it breaks: TCP
// (tcp_wire.hpp), or a reliable connection between RDMA devices (verbs_wire.hpp). Frames are NodeLink's. One
// thread; not to be destroyed within one of its own calls.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "rdma-bridge/mirror.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem::bridge {

// A ring of the far node, as its device knows it.
struct Window {
    std::uint64_t address = 0;
    std::uint64_t size_bytes = 0;
    std::uint32_t key = 0;
};

inline constexpr int kWireBacklog = 1024;  // calls that wait to be taken

struct WireCounters {
    std::uint64_t sent = 0;      // messages of a device, or system calls that moved bytes
    std::uint64_t received = 0;  // the same
    std::uint64_t writes = 0;    // by the device, in place
    std::uint64_t completions = 0;
    std::uint64_t events = 0;  // that woke the bridge
};

class Wire {
  public:
    struct Events {
        std::function<void()> on_connected;
        std::function<void()> on_readable;
        std::function<void()> on_writable;                      // after it took less than it was offered
        std::function<void(const std::string& why)> on_broken;  // the last one; within any call of the wire
    };

    Wire() = default;
    virtual ~Wire() = default;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    // First of all. Events come from then on, on_connected within begin() where it is that already.
    virtual void begin(Events events) = 0;
    // As many of the bytes as it takes now, and as there are.
    virtual std::size_t send(const iovec* parts, int count) = 0;
    virtual std::size_t receive(std::byte* bytes, std::size_t room_bytes) = 0;
    // Whether place() has no room. on_writable comes when it has again.
    virtual bool is_full() { return false; }
    // For whoever has time to look without being told. Says whether there was anything.
    virtual bool poll() { return false; }
    // Before a sleep: what comes from now on wakes the poller. Says whether something had come already.
    virtual bool arm() { return false; }
    const WireCounters& counters() const { return counters_; }
    // The two addresses; port 0 for the usual one.
    virtual SocketName peer_name() const = 0;
    virtual SocketName own_name() const = 0;
    virtual const char* name() const = 0;  // "TCP", "RDMA"
    virtual void set_proved() {}           // the far node has shown the key
    // No event comes any more, and nothing from the far node reaches rings here. Does not wait.
    // has_last_words: what was sent last is worth a moment; then the wire lingers.
    virtual void shut(bool has_last_words) = 0;
    // After shut(): it is not over yet, and is to be destroyed later. Destroying it now waits.
    virtual bool lingers() const { return false; }

    // Where the device can write into memory of the far node. Those of `connection` are reachable for the far
    // node from now on, under what is returned, until hide(). Nothing: not this one (no such device, or no
    // memory may be pinned for it); its bytes travel with the frames.
    virtual std::optional<Window> expose(std::uint32_t /*connection*/, const Rings&) { return std::nullopt; }
    virtual void hide(std::uint32_t /*connection*/) {}
    // The far node exposed its ring for the sent one.
    virtual void set_far(std::uint32_t /*connection*/, const Window&, const Rings&) {}
    // Writes that stretch of the sent ring to the far ring, ahead of whatever send() is offered after it. The
    // bytes must stay until the far program has consumed them. False: they are to travel with the frame.
    virtual bool place(std::uint32_t /*connection*/, std::uint64_t /*cursor*/, const Mirror::Stretch&) {
        return false;
    }

  protected:
    WireCounters counters_;
};

}  // namespace xylem::bridge
