// A program without the guest library: it says to an agent what a test tells it to say.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/vm_sockets.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/protocol/map_table.hpp"
#include "control/protocol/reason.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/seqpacket.hpp"
#include "control/protocol/session_page_layout.h"
#include "control/protocol/session_protocol.h"
#include "control/protocol/socket_names.hpp"
#include "tests/control/agent_process.hpp"
#include "tests/support/readable.hpp"
#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem::agent_test {

inline SocketName name_of(const std::string& address, std::uint32_t port) {
    SocketName name{};
    name.port = port;
    const bool is_v6 = address.find(':') != std::string::npos;
    name.family = is_v6 ? AF_INET6 : AF_INET;
    EXPECT_EQ(::inet_pton(static_cast<int>(name.family), address.c_str(), name.address), 1) << address;
    return name;
}

inline std::string text_of(const SocketName& name) {
    char text[INET6_ADDRSTRLEN] = "?";
    ::inet_ntop(static_cast<int>(name.family), name.address, text, sizeof text);
    return std::string(text) + " " + std::to_string(name.port);
}

// An end as its program has it: memory and stream. Rings nobody.
struct AttachedEnd {
    static bool ring(BellRinger&, const EndPage&, std::uint32_t, WaitToken) { return false; }

    EndPage& page() { return stream.page(); }
    std::string receive() {
        char bytes[256];
        const iovec piece{bytes, sizeof bytes};
        IoCursor cursor(&piece, 1);
        const auto got = stream.receive_some(cursor, ReceiveMode::consume);
        if (!got) return got.error().kind == ErrorKind::would_block ? "(nothing)" : "(reset)";
        return *got == 0 ? "(end)" : std::string(bytes, *got);
    }
    bool send(std::string text) {
        const iovec piece{text.data(), text.size()};
        IoCursor cursor(&piece, 1);
        const auto sent = stream.send_some(cursor);
        return sent && *sent == text.size();
    }

    BellRinger bells{ring};
    Stream stream;
    std::uint64_t id = 0;
    UniqueFd slab;
    UniqueFd page_fd;
};

class ScriptedClient {
  public:
    explicit ScriptedClient(std::uint32_t domain) : domain_(domain) {
        auto dialled = dial(agent_socket(domain).text);
        EXPECT_TRUE(dialled) << "no agent for domain " << domain;
        if (dialled) socket_ = std::move(*dialled);
    }

    template <class Message>
    static Message make(SessionMessage type, std::uint32_t request_id = 1) {
        return make_message<Message>(kSessionMagic, type, request_id);
    }
    bool send(const void* bytes, std::size_t size_bytes, const std::vector<int>& fds = {}) {
        return send_message(socket_.get(), bytes, size_bytes, fds.data(), static_cast<unsigned>(fds.size()))
            .has_value();
    }
    // The next message, or nothing if the agent hung up.
    std::unique_ptr<Received> receive() {
        auto received = std::make_unique<Received>();
        if (!wait_readable(socket_.get(), deadline_after(kPatienceNs))) return nullptr;
        return receive_message(socket_.get(), *received) ? std::move(received) : nullptr;
    }
    template <class Message>
    std::unique_ptr<Received> ask(const Message& message, const std::vector<int>& fds = {}) {
        return send(&message, sizeof message, fds) ? receive() : nullptr;
    }

    // Each returns the answer's fields, or fails the test where the answer is another.
    WelcomeMessage hello(std::uint64_t clone_of = 0, SessionRole role = SessionRole::program,
                         int page_fd = -1) {
        auto message = make<HelloMessage>(SessionMessage::hello);
        message.clone_of = clone_of;
        message.role = static_cast<std::uint32_t>(role);
        message.has_page = page_fd >= 0 ? 1 : 0;
        ::strcpy(message.program, "scripted");
        auto got = ask(message, page_fd >= 0 ? std::vector<int>{page_fd} : std::vector<int>{});
        const auto* welcome = as<WelcomeMessage>(got, SessionMessage::welcome);
        if (welcome == nullptr) return {};
        map_fd = std::move(got->fds[0]);
        return *welcome;
    }
    // With the queue that it has, if it has one.
    std::uint64_t listen(const SocketName& local, std::uint64_t cookie, std::uint32_t backlog = 16,
                         std::uint32_t flags = 0) {
        auto message = make<ListenMessage>(SessionMessage::listen);
        message.cookie = cookie;
        message.local = local;
        message.backlog = backlog;
        message.flags = flags;
        auto got = ask(message);
        const auto* listening = as<ListeningMessage>(got, SessionMessage::listening);
        if (listening == nullptr) return 0;
        queue = std::move(got->fds[0]);
        return listening->listener_id;
    }
    // The port that the socket has now, or nothing and the errno in last_errno.
    std::optional<SocketName> bind(const SocketName& local, std::uint64_t cookie, std::uint32_t flags = 0) {
        auto message = make<BindMessage>(SessionMessage::bind);
        message.cookie = cookie;
        message.local = local;
        message.flags = flags;
        auto got = ask(message);
        EXPECT_TRUE(got) << "the agent hung up";
        last_errno = 0;
        if (!got) return std::nullopt;
        if (got->header().type == static_cast<std::uint16_t>(SessionMessage::bound)) {
            return got->as<BoundMessage>()->local;
        }
        if (const auto* failed = got->as<FailedMessage>()) last_errno = static_cast<int>(failed->sys_errno);
        return std::nullopt;
    }
    void tell(SessionMessage type, std::uint64_t id) {
        auto message = make<IdMessage>(type, 0);
        message.id = id;
        EXPECT_TRUE(send(&message, sizeof message));
    }
    void release(std::uint64_t end_id, ReleaseMode mode = ReleaseMode::orderly) {
        auto message = make<ReleaseMessage>(SessionMessage::release, 0);
        message.end_id = end_id;
        message.mode = static_cast<std::uint32_t>(mode);
        EXPECT_TRUE(send(&message, sizeof message));
    }
    static ConnectMessage connect_message(const SocketName& local, const SocketName& peer,
                                          std::uint32_t flags = 0) {
        auto message = make<ConnectMessage>(SessionMessage::connect);
        message.cookie = ++next_cookie_;
        message.local = local;
        message.peer = peer;
        message.spin_ns = kUnsetSpinNs;
        message.flags = flags;
        return message;
    }
    // The end, or null with the reason in last_reason.
    std::unique_ptr<AttachedEnd> connect(const SocketName& local, const SocketName& peer) {
        return attached(ask(connect_message(local, peer)));
    }
    std::unique_ptr<AttachedEnd> connect(const SocketName& peer) {
        return connect(name_of(peer.family == AF_INET ? "0.0.0.0" : "::", 40000), peer);
    }
    Reason dry_run(const SocketName& peer) {
        auto got = ask(connect_message(name_of("0.0.0.0", 1), peer, kConnectDryRun));
        const auto* failed = got ? got->as<FailedMessage>() : nullptr;
        return failed != nullptr ? static_cast<Reason>(failed->reason) : Reason::ring;
    }
    // The next in the queue, or null. An agent has taken it in by then.
    std::unique_ptr<AttachedEnd> accept(std::uint64_t listener) {
        auto queued = std::make_unique<Received>();
        if (!receive_message(queue.get(), *queued)) return nullptr;
        auto end = attached(std::move(queued));
        if (end && say_accepted(listener, end->id)) settle();
        return end;
    }
    bool say_accepted(std::uint64_t listener, std::uint64_t end_id) {
        auto message = make<AcceptedMessage>(SessionMessage::accepted, 0);
        message.listener_id = listener;
        message.end_id = end_id;
        return send(&message, sizeof message);
    }
    // Shows that kernel socket, unless it is -1.
    std::unique_ptr<Received> adopt(std::uint64_t cookie, int shown = -1) {
        auto message = make<IdMessage>(SessionMessage::adopt);
        message.id = cookie;
        return ask(message, shown >= 0 ? std::vector<int>{shown} : std::vector<int>{});
    }
    bool lend(std::uint64_t cookie) {
        auto message = make<IdMessage>(SessionMessage::lend);
        message.id = cookie;
        auto got = ask(message);
        return got && got->header().type == static_cast<std::uint16_t>(SessionMessage::done);
    }
    std::uint32_t bell_new(std::uint32_t peer_domain, int kick, int area = -1, std::uint32_t wanted_id = 0) {
        auto message = make<BellNewMessage>(SessionMessage::bell_new);
        message.peer_domain = peer_domain;
        message.wanted_id = wanted_id;
        message.has_area = area >= 0 ? 1 : 0;
        auto got = ask(message, area >= 0 ? std::vector<int>{kick, area} : std::vector<int>{kick});
        const auto* bell = as<BellMessage>(got, SessionMessage::bell);
        return bell != nullptr ? bell->doorbell_id : 0;
    }
    std::unique_ptr<Received> bell_find(std::uint32_t domain, std::uint32_t id) {
        auto message = make<BellFindMessage>(SessionMessage::bell_find);
        message.domain = domain;
        message.doorbell_id = id;
        return ask(message);
    }
    void bell_ring(std::uint32_t domain, WaitToken token) {
        auto message = make<BellRingMessage>(SessionMessage::bell_ring, 0);
        message.token = token.bits();
        message.domain = domain;
        EXPECT_TRUE(send(&message, sizeof message));
    }
    // Comes back when the agent has taken in all that was said before.
    bool settle() {
        auto got = ask(make<PlainMessage>(SessionMessage::get_map));
        return got && got->header().type == static_cast<std::uint16_t>(SessionMessage::map);
    }

    std::unique_ptr<AttachedEnd> attached(std::unique_ptr<Received> got) {
        last_reason = Reason::none;
        if (!got) return nullptr;
        if (const auto* failed = got->as<FailedMessage>()) {
            if (failed->header.type == static_cast<std::uint16_t>(SessionMessage::failed)) {
                last_reason = static_cast<Reason>(failed->reason);
                return nullptr;
            }
        }
        const auto* message = as<AttachedMessage>(got, SessionMessage::attached);
        if (message == nullptr || got->fd_count != 2) return nullptr;
        auto end = std::make_unique<AttachedEnd>();
        end->id = message->end_id;
        constexpr int kBoth = PROT_READ | PROT_WRITE;
        auto slab = Mapping::shared(got->fds[0].get(), message->slab_bytes, kBoth);
        auto page = Mapping::shared(got->fds[1].get(), kEndPageBytes, kBoth);
        auto stream = Stream::open(std::move(*slab), std::move(*page), end->bells);
        EXPECT_TRUE(stream);
        if (!stream) return nullptr;
        end->stream = std::move(*stream);
        end->slab = std::move(got->fds[0]);
        end->page_fd = std::move(got->fds[1]);
        last_reason = Reason::ring;
        return end;
    }
    template <class Message>
    static const Message* as(const std::unique_ptr<Received>& got, SessionMessage type) {
        EXPECT_TRUE(got) << "the agent hung up";
        if (!got) return nullptr;
        EXPECT_EQ(check_header(*got, kSessionMagic), HeaderFault::none);
        EXPECT_EQ(got->header().type, static_cast<std::uint16_t>(type));
        return got->header().type == static_cast<std::uint16_t>(type) ? got->as<Message>() : nullptr;
    }

    int fd() const { return socket_.get(); }
    void hang_up() { socket_.reset(); }
    std::uint32_t domain() const { return domain_; }

    Reason last_reason = Reason::none;
    int last_errno = 0;
    UniqueFd map_fd;
    UniqueFd queue;

  private:
    inline static std::uint64_t next_cookie_ = 1'000'000;
    std::uint32_t domain_;
    UniqueFd socket_;
};

// A client that has said hello.
struct Program : ScriptedClient {
    explicit Program(std::uint32_t domain) : ScriptedClient(domain) { welcome = hello(); }
    WelcomeMessage welcome{};
};

}  // namespace xylem::agent_test
