// What node_frame_fuzz plays against: a bridge in a fabric of its own, and the agent of domain 1 there.
#pragma once

#include <filesystem>

#include "control/protocol/link_protocol.h"
#include "control/protocol/reason.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/unix_address.hpp"
#include "rdma-bridge/bridge.hpp"
#include "tests/control/fuzz_input.hpp"
#include "vsock-transport/stream/region.hpp"

namespace xylem::bridge_fuzz {

using namespace bridge;
using agent_test::FuzzInput;
using agent_test::require;

inline constexpr const char* kBridgeAddress = "127.0.0.1";
inline constexpr std::uint32_t kDomain = 1;
inline constexpr std::uint64_t kRing = 4096;
inline const std::string kKeyBytes(32, 'k');

// The bridge under test, in a fabric of its own.
class NodeUnderTest {
  public:
    NodeUnderTest() : poller_(std::move(*Poller::make())) {
        spdlog::set_level(spdlog::level::off);
        char folder[] = "/tmp/xylem-fuzz-XXXXXX";
        require(::mkdtemp(folder) != nullptr);
        std::atexit([] { std::filesystem::remove_all(fabric_directory().text); });
        ::setenv("XYLEM_RUNTIME_DIR", folder, 1);
        ::setenv("XYLEM_FABRIC_DIR", folder, 1);
        Settings settings;
        settings.listen = kBridgeAddress;
        settings.patience_ns = 0;
        // Two fuzzers may run beside each other.
        settings.port = static_cast<std::uint16_t>(20'000 + ::getpid() % 10'000);
        port_ = settings.port;
        bridge_ = std::make_unique<Bridge>(*poller_, NodeKey(kKeyBytes), settings);
        std::string error;
        require(bridge_->begin(error));
    }
    void turn() {
        for (int i = 0; i < 3; ++i) bridge_->turn();
    }
    Bridge& bridge() { return *bridge_; }
    std::uint16_t port() const { return port_; }

  private:
    std::unique_ptr<Poller> poller_;
    std::unique_ptr<Bridge> bridge_;
    std::uint16_t port_ = 0;
};

// The agent of domain 1. It keeps the slabs that it was offered.
class Agent {
  public:
    explicit Agent(NodeUnderTest& node) : node_(node) {
        listening_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const auto address = unix_address(link_socket(kDomain).text);
        require(address &&
                ::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
        require(::listen(listening_.get(), 64) == 0);
    }
    ~Agent() { ::unlink(link_socket(kDomain).text); }

    void step(FuzzInput& input) {
        while (UniqueFd link = accepted()) links_.push_back(std::move(link));
        for (const UniqueFd& link : links_) {
            Received message;
            while (receive_message(link.get(), message)) answer(link.get(), message, input);
        }
    }
    // Over a link that it dials, as of a domain of the node that the fuzzer plays.
    void speak(FuzzInput& input) {
        if (!dialled_) dial();
        switch (input.byte() % 3) {
            case 0:
                return rejoin(input);
            case 1:
                return connect(input);
            default:
                return end(input);
        }
    }

  private:
    struct Slab {
        UniqueFd fd;
        std::uint64_t connection_id;
        std::uint64_t ring_size_bytes[2];
    };

    UniqueFd accepted() {
        return UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    }
    std::uint32_t far_domain() const { return remote_domain(number_of_node(kBridgeAddress), 2); }

    void answer(int link, Received& message, FuzzInput& input) {
        const auto type = static_cast<LinkMessage>(message.header().type);
        if (type == LinkMessage::hello) {
            auto hello =
                make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, message.header().request_id);
            hello.domain = kDomain;
            hello.boot_id = 7;
            (void)send_message(link, &hello, sizeof hello);
        } else if (const auto* ask = message.as<LinkConnectMessage>(); type == LinkMessage::connect && ask) {
            auto told = make_message<LinkConnectedMessage>(kLinkMagic, LinkMessage::connected,
                                                           ask->header.request_id);
            told.reason = input.byte() % 8 == 0 ? input.byte() : static_cast<std::uint32_t>(Reason::ring);
            if (message.fd_count == 1)
                slabs_.push_back({std::move(message.fds[0]),
                                  ask->connection_id,
                                  {ask->ring_size_bytes[0], ask->ring_size_bytes[1]}});
            (void)send_message(link, &told, sizeof told);
        }
    }
    void dial() {
        dialled_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const auto address = unix_address(bridge_socket().text);
        require(::connect(dialled_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) ==
                0);
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = kDomain;
        hello.to_domain = far_domain();
        (void)send_message(dialled_.get(), &hello, sizeof hello);
        node_.turn();
    }
    // A slab of before with words of the fuzzer's in it.
    void rejoin(FuzzInput& input) {
        auto message = make_message<LinkRejoinMessage>(kLinkMagic, LinkMessage::rejoin, 2);
        message.side = input.byte() % 2;
        message.connecting_domain = message.side == 0 ? kDomain : far_domain();
        message.connection_id = input.byte() % 4;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = kRing;
        const SlabGeometry geometry{{kRing, kRing}};
        auto fd = make_sealed_memfd("fuzz", geometry.slab_bytes());
        auto slab = Mapping::shared(fd->get(), geometry.slab_bytes(), PROT_READ | PROT_WRITE);
        require(static_cast<bool>(slab));
        initialise_slab(*slab, geometry);
        const auto view = carve(*slab, geometry, 0);
        require(static_cast<bool>(view));
        for (EndBlock* block : {view->own, view->peer}) {
            block->producer.head.store_relaxed(input.byte() * 32U);
            block->consumer.tail.store_relaxed(input.byte() * 32U);
            block->producer.state.store_relaxed(input.byte() % 8U);
            block->consumer.state.store_relaxed(input.byte() % 4U);
        }
        const int fds[] = {fd->get()};
        (void)send_message(dialled_.get(), &message, sizeof message, fds, input.byte() % 8 != 0 ? 1 : 0);
    }
    void connect(FuzzInput& input) {
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 3);
        message.connection_id = input.byte() % 4;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = kRing;
        const SlabGeometry geometry{{kRing, kRing}};
        message.slab_bytes = geometry.slab_bytes();
        auto fd = make_sealed_memfd("fuzz", geometry.slab_bytes());
        const int fds[] = {fd->get()};
        (void)send_message(dialled_.get(), &message, sizeof message, fds, 1);
    }
    void end(FuzzInput& input) {
        const auto type = input.byte() % 2 == 0 ? LinkMessage::ended : LinkMessage::vanished;
        auto message = make_message<LinkEndMessage>(kLinkMagic, type, 0);
        message.connection_id = input.byte() % 4;
        message.side = input.byte() % 2;
        message.connecting_domain = message.side == 0 ? kDomain : far_domain();
        (void)send_message(dialled_.get(), &message, sizeof message);
    }

    NodeUnderTest& node_;
    UniqueFd listening_;
    std::vector<UniqueFd> links_;
    UniqueFd dialled_;
    std::vector<Slab> slabs_;
};

}  // namespace xylem::bridge_fuzz
