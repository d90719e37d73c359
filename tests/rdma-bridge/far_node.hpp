// The bridge of another node, as the test scripts it: frames over TCP, with the key, in either role.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rdma-bridge/node_key.hpp"
#include "rdma-bridge/node_name.hpp"
#include "rdma-bridge/node_protocol.h"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::bridge {

class FarNode {
  public:
    using Until = std::function<bool(const std::function<bool()>&)>;  // turns until that is so

    FarNode(std::string address, std::string bridge, std::string key_bytes, Until until)
        : address_(std::move(address)),
          bridge_(std::move(bridge)),
          key_(std::move(key_bytes)),
          until_(std::move(until)) {}

    // receive_bytes: what its sockets hold; 0: as the kernel likes.
    void listen(int receive_bytes = 0) {
        listening_ = bound_socket(kNodePort);
        if (receive_bytes != 0)
            ::setsockopt(listening_.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
        ASSERT_EQ(::listen(listening_.get(), 16), 0);
    }
    void stop_listening() { listening_.reset(); }
    bool has_call() {
        pollfd item{listening_.get(), POLLIN, 0};
        return ::poll(&item, 1, 0) > 0;
    }
    // Takes a call of the bridge, and says nothing.
    bool take_call() {
        return until_([this] {
            link_.reset(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            return static_cast<bool>(link_);
        });
    }
    bool accept() { return take_call() && greet(Role::listener); }
    bool dial() {
        link_ = bound_socket(0);
        const auto to = *node_address(bridge_);
        if (::connect(link_.get(), to.get(), to.length) != 0) return false;
        return greet(Role::dialler);
    }
    bool greet(Role role) {
        auto greeting = make_frame<GreetFrame>(FrameKind::greet);
        greeting.magic = kNodeMagic;
        greeting.version = kNodeVersion;
        greeting.listen_port = kNodePort;
        if (role == Role::dialler) greeting.to = name_of(*node_address(bridge_));
        say(greeting);
        const auto theirs = hear<GreetFrame>(FrameKind::greet);
        if (!theirs) return false;
        const bool is_dialler = role == Role::dialler;
        Meeting meeting{{}, {}, is_dialler ? greeting.to : theirs->to};
        Nonce& nonce = is_dialler ? meeting.listeners : meeting.diallers;
        std::copy(std::begin(theirs->nonce), std::end(theirs->nonce), nonce.begin());
        const Proof proof = key_.proof(role, meeting);
        auto frame = make_frame<ProofFrame>(FrameKind::proof);
        std::copy(proof.begin(), proof.end(), frame.proof);
        say(frame);
        return hear<ProofFrame>(FrameKind::proof).has_value();
    }
    void hang_up() {
        link_.reset();
        heard_.clear();
        frames_.clear();
        received_bytes.clear();
    }
    bool is_hung_up() {
        pollfd link{link_.get(), POLLRDHUP, 0};
        return ::poll(&link, 1, 0) > 0;
    }

    template <class Frame>
    void say(const Frame& frame, const std::string& bytes = "") {
        std::string all(reinterpret_cast<const char*>(&frame), sizeof frame);
        all += bytes;
        reinterpret_cast<FrameHeader*>(all.data())->length_bytes = static_cast<std::uint32_t>(all.size());
        ASSERT_EQ(::send(link_.get(), all.data(), all.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(all.size()));
    }
    void say_data(std::uint32_t connection, std::uint64_t cursor, const std::string& bytes) {
        auto frame = make_frame<DataFrame>(FrameKind::data, connection);
        frame.cursor = cursor;
        say(frame, bytes);
    }
    // The next frame of that kind; what came before it is kept.
    template <class Frame>
    std::optional<Frame> hear(FrameKind kind) {
        Frame frame;
        if (!until_([&] { return take_frame(kind, &frame, sizeof frame); })) return std::nullopt;
        return frame;
    }
    bool has_heard(FrameKind kind) {
        read(SIZE_MAX);
        for (const std::string& frame : frames_) {
            if (kind_of(frame) == kind) return true;
        }
        return false;
    }
    // No more than so many bytes of the link.
    void read(std::size_t most_bytes) {
        char bytes[1 << 14];
        while (link_ && most_bytes > 0) {
            const ssize_t got = ::recv(link_.get(), bytes, std::min(most_bytes, sizeof bytes), MSG_DONTWAIT);
            if (got <= 0) break;
            most_bytes -= static_cast<std::size_t>(got);
            heard_.append(bytes, static_cast<std::size_t>(got));
        }
        split();
    }

    std::map<std::uint32_t, std::uint64_t> received_bytes;  // of data, by connection

  private:
    static FrameKind kind_of(const std::string& frame) {
        return static_cast<FrameKind>(reinterpret_cast<const FrameHeader*>(frame.data())->kind);
    }
    UniqueFd bound_socket(std::uint16_t port) const {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (port != 0 ? SOCK_NONBLOCK : 0), 0));
        const int yes = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        auto own = *node_address(address_);
        own.set_port(port);
        EXPECT_EQ(::bind(fd.get(), own.get(), own.length), 0);
        return fd;
    }
    bool take_frame(FrameKind kind, void* frame, std::size_t size_bytes) {
        read(SIZE_MAX);
        for (auto at = frames_.begin(); at != frames_.end(); ++at) {
            if (kind_of(*at) != kind || at->size() < size_bytes) continue;
            std::memcpy(frame, at->data(), size_bytes);
            frames_.erase(at);
            return true;
        }
        return false;
    }
    void split() {
        for (;;) {
            if (heard_.size() < sizeof(FrameHeader)) return;
            FrameHeader header;
            std::memcpy(&header, heard_.data(), sizeof header);
            if (heard_.size() < header.length_bytes) return;
            const std::string frame = heard_.substr(0, header.length_bytes);
            heard_.erase(0, header.length_bytes);
            if (kind_of(frame) == FrameKind::data) {
                received_bytes[header.connection] += frame.size() - sizeof(DataFrame);
            } else {
                frames_.push_back(frame);
            }
        }
    }

    const std::string address_;
    const std::string bridge_;
    const NodeKey key_;
    const Until until_;
    UniqueFd listening_;
    UniqueFd link_;
    std::string heard_;
    std::vector<std::string> frames_;
};

}  // namespace xylem::bridge
