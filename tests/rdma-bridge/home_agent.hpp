// The agent of domain 1 at the bridge's node, and its programs, as the test scripts them.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "control/protocol/codec.hpp"
#include "control/protocol/link_protocol.h"
#include "control/protocol/reason.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "control/protocol/session_protocol.h"
#include "control/protocol/unix_address.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/side_lock.hpp"
#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/stream/region.hpp"
#include "vsock-transport/wakeup/doorbell.hpp"

namespace xylem::bridge {

// A connection as the agent has it; its program's words are the test's to write.
struct HomeEnd {
    UniqueFd slab_fd;  // with the lock of its side
    std::uint64_t connection_id = 0;
    Mapping slab;
    SlabView view{};
    void die() {
        slab.unmap();
        slab_fd.reset();
    }
};

class HomeAgent {
  public:
    static constexpr std::uint32_t kDomain = 1;
    using Until = std::function<bool(const std::function<bool()>&)>;

    HomeAgent(std::uint32_t far_domain, Until until) : far_domain_(far_domain), until_(std::move(until)) {
        listening_ = seqpacket();
        const auto address = unix_address(link_socket(kDomain).text);
        EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
        EXPECT_EQ(::listen(listening_.get(), 16), 0);
    }
    ~HomeAgent() { ::unlink(link_socket(kDomain).text); }

    bool dial() { return say_hello(far_domain_) && hear<LinkHelloMessage>(LinkMessage::hello).has_value(); }
    bool say_hello(std::uint32_t far_domain) {
        dialled_ = seqpacket();
        const auto address = unix_address(bridge_socket().text);
        if (::connect(dialled_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
            return false;
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = kDomain;
        hello.to_domain = far_domain;
        return static_cast<bool>(send_message(dialled_.get(), &hello, sizeof hello));
    }
    bool is_hung_up() {
        pollfd link{dialled_.get(), POLLRDHUP, 0};
        return ::poll(&link, 1, 0) > 0 && (link.revents & (POLLRDHUP | POLLHUP)) != 0;
    }
    void hang_up() {
        dialled_.reset();
        accepted_.clear();
        heard_.clear();
    }

    // Offers a slab for a connection to the far domain.
    HomeEnd connect(std::uint64_t connection_id, std::uint64_t ring_bytes = 4096) {
        HomeEnd end = make_end(connection_id, ring_bytes);
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect,
                                                        static_cast<std::uint32_t>(connection_id) + 100);
        message.connection_id = connection_id;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = ring_bytes;
        message.slab_bytes = SlabGeometry{{ring_bytes, ring_bytes}}.slab_bytes();
        const UniqueFd theirs = reopened_slab(end.slab_fd.get());
        const int fd = theirs.get();
        EXPECT_TRUE(send_message(dialled_.get(), &message, sizeof message, &fd, 1));
        return end;
    }
    // Asks whether it would be accepted, unless the bridge has enough to read.
    void ask_whether(std::uint64_t connection_id) {
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect,
                                                        static_cast<std::uint32_t>(connection_id) + 100);
        message.connection_id = connection_id;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = 4096;
        message.flags = kConnectDryRun;
        (void)send_message(dialled_.get(), &message, sizeof message);
    }
    // To a question of the bridge.
    void answer_late(const LinkConnectMessage& question, Reason reason) {
        auto told = make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected,
                                                       question.header.request_id);
        told.connection_id = question.connection_id;
        told.reason = static_cast<std::uint32_t>(reason);
        EXPECT_TRUE(send_message(accepted_.back().get(), &told, sizeof told));
    }
    // Where a thread's doorbell is: at the other end of what is returned.
    UniqueFd answer_bell(const LinkBellFindMessage& question) {
        Result<LocalBell> bell = make_local_bell();
        auto told = make_message<LinkBellMessage>(kLinkMagic, LinkMessage::bell, question.header.request_id);
        told.doorbell_id = question.doorbell_id;
        told.kind = static_cast<std::uint32_t>(KickKind::local_socket);
        const int fd = bell->kicker.get();
        EXPECT_TRUE(send_message(accepted_.empty() ? dialled_.get() : accepted_.back().get(), &told,
                                 sizeof told, &fd, 1));
        return std::move(bell->waiter);
    }
    // What that was answered.
    Reason answer() {
        const auto told = hear<LinkConnectedMessage>(LinkMessage::connected);
        return told ? static_cast<Reason>(told->reason) : Reason::bad_request;
    }
    // Names an end that an earlier bridge had.
    HomeEnd rejoin(std::uint64_t connection_id, std::uint64_t ring_bytes = 4096) {
        HomeEnd end = make_end(connection_id, ring_bytes);
        auto message = make_message<LinkRejoinMessage>(kLinkMagic, LinkMessage::rejoin, 7);
        message.connection_id = connection_id;
        message.connecting_domain = kDomain;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = ring_bytes;
        const UniqueFd theirs = reopened_slab(end.slab_fd.get());
        const int fd = theirs.get();
        EXPECT_TRUE(send_message(dialled_.get(), &message, sizeof message, &fd, 1));
        return end;
    }
    // The next message of that kind, on either link; a hello of the bridge is answered.
    template <class Message>
    std::optional<Message> hear(LinkMessage kind) {
        std::optional<Message> found;
        until_([&] {
            look();
            for (auto at = heard_.begin(); at != heard_.end() && !found; ++at) {
                if (static_cast<LinkMessage>(at->header().type) != kind) continue;
                if (const auto* message = at->as<Message>()) found = *message;
                heard_.erase(at);
                break;
            }
            return found.has_value();
        });
        return found;
    }
    std::size_t times_heard(LinkMessage kind) {
        look();
        return static_cast<std::size_t>(std::count_if(heard_.begin(), heard_.end(), [kind](const auto& m) {
            return static_cast<LinkMessage>(m.header().type) == kind;
        }));
    }

  private:
    static UniqueFd seqpacket() {
        return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }
    static HomeEnd make_end(std::uint64_t connection_id, std::uint64_t ring_bytes) {
        const SlabGeometry geometry{{ring_bytes, ring_bytes}};
        HomeEnd end;
        end.connection_id = connection_id;
        end.slab_fd = std::move(*make_sealed_memfd("test-slab", geometry.slab_bytes()));
        end.slab =
            std::move(*Mapping::shared(end.slab_fd.get(), geometry.slab_bytes(), PROT_READ | PROT_WRITE));
        initialise_slab(end.slab, geometry);
        end.view = *carve(end.slab, geometry, 0);
        lock_side(end.slab_fd.get(), connection_id, 0);
        return end;
    }
    void look() {
        for (;;) {  // some only look at who owns the socket
            UniqueFd link(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!link) break;
            accepted_.push_back(std::move(link));
        }
        if (dialled_) take_all(dialled_.get());
        for (const UniqueFd& link : accepted_) take_all(link.get());
    }
    void take_all(int link) {
        for (;;) {
            Received message;
            if (!receive_message(link, message)) return;
            const bool is_hello = static_cast<LinkMessage>(message.header().type) == LinkMessage::hello;
            if (is_hello && link != dialled_.get()) {
                greet(link, message);
            } else {
                heard_.push_back(std::move(message));
            }
        }
    }
    static void greet(int link, const Received& message) {
        auto hello =
            make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, message.header().request_id);
        hello.domain = kDomain;
        hello.boot_id = 7;
        EXPECT_TRUE(send_message(link, &hello, sizeof hello));
    }

    const std::uint32_t far_domain_;
    const Until until_;
    UniqueFd listening_;
    UniqueFd dialled_;
    std::vector<UniqueFd> accepted_;
    std::deque<Received> heard_;
};

}  // namespace xylem::bridge
