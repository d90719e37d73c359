// A wire between two node links of one process: bytes in a queue, and as much room as the test gives.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <deque>

#include "rdma-bridge/wire.hpp"

namespace xylem::bridge {

class MemoryWire : public Wire {
  public:
    // Bytes go from each to the other.
    static void join(MemoryWire& a, MemoryWire& b) {
        a.far_ = &b;
        b.far_ = &a;
    }

    void begin(Events events) override {
        events_ = std::move(events);
        events_.on_connected();
    }
    std::size_t send(const iovec* parts, int count) override {
        std::size_t sent = 0;
        for (int i = 0; i < count && !is_shut_; ++i) {
            const auto* bytes = static_cast<const std::byte*>(parts[i].iov_base);
            const std::size_t length = std::min(parts[i].iov_len, room_bytes - sent);
            far_->arrived_.insert(far_->arrived_.end(), bytes, bytes + length);
            sent += length;
            if (length < parts[i].iov_len) break;
        }
        return sent;
    }
    std::size_t receive(std::byte* bytes, std::size_t most_bytes) override {
        const std::size_t length = std::min(most_bytes, arrived_.size());
        std::copy_n(arrived_.begin(), length, bytes);
        arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(length));
        return length;
    }
    bool poll() override {
        if (arrived_.empty() || is_shut_) return false;
        events_.on_readable();
        return true;
    }
    SocketName peer_name() const override {
        SocketName name{};
        name.family = AF_INET;
        name.address[0] = 10;
        return name;
    }
    SocketName own_name() const override { return own; }
    const char* name() const override { return "memory"; }
    void shut(bool) override { is_shut_ = true; }
    void set_proved() override { is_proved_ = true; }

    SocketName own{};
    std::size_t room_bytes = SIZE_MAX;  // of one call of send()
    bool is_shut() const { return is_shut_; }
    bool is_proved() const { return is_proved_; }

  private:
    Events events_;
    MemoryWire* far_ = nullptr;
    std::deque<std::byte> arrived_;
    bool is_shut_ = false;
    bool is_proved_ = false;
};

}  // namespace xylem::bridge
