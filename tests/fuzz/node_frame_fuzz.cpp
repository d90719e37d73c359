// Plays what the fuzzer writes as another node that has the key, against a whole bridge: frames of every kind
// with bodies of its choice, raw bytes, links that break. The agent of domain 1 here is scripted: it accepts
// what it is offered or does not, ends its ends, and dials the bridge with connections of its own or with
// slabs that an earlier bridge left. The bridge must take it all, and must hold no connection once the node
// and the agent are gone.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/fuzz/bridged_node.hpp"

namespace {

using namespace xylem;
using namespace xylem::bridge_fuzz;

struct Kind {
    FrameKind kind;
    std::size_t size_bytes;
};
constexpr Kind kKinds[] = {
    {FrameKind::greet, sizeof(GreetFrame)},     {FrameKind::proof, sizeof(ProofFrame)},
    {FrameKind::refused, sizeof(RefusedFrame)}, {FrameKind::resume, sizeof(ResumeFrame)},
    {FrameKind::resumed, sizeof(ResumedFrame)}, {FrameKind::caught_up, sizeof(CaughtUpFrame)},
    {FrameKind::open, sizeof(OpenFrame)},       {FrameKind::opened, sizeof(OpenedFrame)},
    {FrameKind::data, sizeof(DataFrame)},       {FrameKind::update, sizeof(UpdateFrame)},
    {FrameKind::gone, sizeof(GoneFrame)},       {FrameKind::window, sizeof(WindowFrame)},
    {FrameKind::placed, sizeof(PlacedFrame)},
};

// The node that the fuzzer plays: dials the bridge, and shows the key unless it is told not to.
class FarNode {
  public:
    FarNode(NodeUnderTest& node, FuzzInput& input) : node_(node), input_(input) {}

    void step() {
        if (!socket_) dial();
        switch (input_.byte() % 8) {
            case 0:
                socket_.reset();
                break;
            case 1:
                send_raw();
                break;
            default:
                send_frame();
        }
        char heard[1 << 12];
        while (socket_ && ::recv(socket_.get(), heard, sizeof heard, MSG_DONTWAIT) > 0) continue;
    }

  private:
    void dial() {
        socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const int yes = 1;
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        const linger reset{1, 0};  // no TIME_WAIT
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = ::htons(node_.port());
        ::inet_pton(AF_INET, kBridgeAddress, &address.sin_addr);
        require(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        if (input_.byte() % 16 != 0) greet();
    }
    void greet() {
        auto greeting = make_frame<GreetFrame>(FrameKind::greet);
        greeting.magic = kNodeMagic;
        greeting.version = kNodeVersion;
        greeting.listen_port = kNodePort;
        greeting.to = name_of(*node_address(kBridgeAddress));
        greeting.to.port = node_.port() == kNodePort ? 0 : node_.port();
        ::send(socket_.get(), &greeting, sizeof greeting, MSG_NOSIGNAL);
        node_.turn();
        GreetFrame theirs{};
        if (::recv(socket_.get(), &theirs, sizeof theirs, MSG_DONTWAIT) != sizeof theirs) return;
        Meeting meeting{{}, {}, greeting.to};
        std::copy(std::begin(theirs.nonce), std::end(theirs.nonce), meeting.listeners.begin());
        const Proof proof = NodeKey(kKeyBytes).proof(Role::dialler, meeting);
        auto frame = make_frame<ProofFrame>(FrameKind::proof);
        std::copy(proof.begin(), proof.end(), frame.proof);
        ::send(socket_.get(), &frame, sizeof frame, MSG_NOSIGNAL);
        node_.turn();
    }
    void send_raw() {
        std::uint8_t bytes[64];
        const std::size_t size = input_.byte() % sizeof bytes;
        input_.fill(bytes, size);
        ::send(socket_.get(), bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    void send_frame() {
        const Kind kind = kKinds[input_.byte() % std::size(kKinds)];
        alignas(8) std::uint8_t bytes[sizeof(RefusedFrame) + 256] = {};
        auto& header = *reinterpret_cast<FrameHeader*>(bytes);
        if (kind.kind == FrameKind::open) make_open(*reinterpret_cast<OpenFrame*>(bytes));
        if (kind.kind == FrameKind::window) reinterpret_cast<WindowFrame*>(bytes)->size_bytes = kRing;
        std::size_t size = kind.size_bytes;
        // Small numbers meet each other.
        for (std::size_t at = sizeof header; at + 8 <= size; at += 8) {
            const std::uint8_t word = input_.byte();
            if (word != 0) bytes[at] ^= word;
            if (word == 0xFF) input_.fill(bytes + at, 8);
        }
        const std::size_t payload = kind.kind == FrameKind::data ? input_.byte() : 0;
        input_.fill(bytes + size, payload);
        size += payload;
        header.kind = static_cast<std::uint16_t>(kind.kind);
        header.length_bytes = static_cast<std::uint32_t>(size) + (input_.byte() == 0xFF ? input_.byte() : 0);
        header.connection = input_.byte() % 4;
        ::send(socket_.get(), bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    void make_open(OpenFrame& open) {
        open.connection_id = input_.byte() % 4;
        open.ring_size_bytes[0] = open.ring_size_bytes[1] = kRing;
        open.from_domain = 2;
        open.to_domain = kDomain;
    }

    NodeUnderTest& node_;
    FuzzInput& input_;
    UniqueFd socket_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    static NodeUnderTest& node = *new NodeUnderTest;
    FuzzInput input(data, size_bytes);
    {
        Agent agent(node);
        FarNode far(node, input);
        while (!input.is_empty()) {
            if (input.byte() % 4 == 0) {
                agent.speak(input);
            } else {
                far.step();
            }
            node.turn();
            agent.step(input);
            node.turn();
        }
    }
    for (int i = 0; i < 4; ++i) node.turn();
    while (node.bridge().look_for_left_behind()) continue;
    for (int i = 0; i < 4; ++i) node.turn();
    require(node.bridge().connection_count() == 0);
    return 0;
}
