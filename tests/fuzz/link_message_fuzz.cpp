// Plays what the fuzzer writes as the agent of domain 2, on the link that it dialled and on the one that it
// was dialled on, with a program of domain 1 that listens, accepts and connects. Whatever domain 2 says costs
// it a link at most.
#include <cstddef>
#include <cstdint>

#include "control/protocol/session_protocol.h"
#include "tests/control/fuzz_input.hpp"

namespace {

using namespace xylem;
using namespace xylem::agent_test;

struct Kind {
    LinkMessage type;
    std::size_t size_bytes;
};
constexpr Kind kKinds[] = {
    {LinkMessage::hello, sizeof(LinkHelloMessage)},
    {LinkMessage::connect, sizeof(LinkConnectMessage)},
    {LinkMessage::connected, sizeof(LinkConnectedMessage)},
    {LinkMessage::bell_find, sizeof(LinkBellFindMessage)},
    {LinkMessage::bell, sizeof(LinkBellMessage)},
    {LinkMessage::bell_gone, sizeof(LinkBellGoneMessage)},
    {LinkMessage::ended, sizeof(LinkEndMessage)},
    {LinkMessage::vanished, sizeof(LinkEndMessage)},
    {LinkMessage::rejoined, sizeof(LinkRejoinedMessage)},
};

class FarAgentOfTheFuzzer {
  public:
    FarAgentOfTheFuzzer(FuzzAgent& agent, FuzzInput& input) : agent_(agent), input_(input) {
        SocketPair program;
        agent_.agent->sessions.add(std::move(program.agents));
        program_ = std::move(program.ours);
        const auto hello = make_message<HelloMessage>(kSessionMagic, SessionMessage::hello, 1);
        send_with(program_.get(), &hello, sizeof hello, {});
        auto listen = make_message<ListenMessage>(kSessionMagic, SessionMessage::listen, 1);
        listen.cookie = 1;
        listen.local.family = AF_INET;
        listen.local.port = 80;
        listen.backlog = 4;
        send_with(program_.get(), &listen, sizeof listen, {});
        agent_.turn();
    }
    ~FarAgentOfTheFuzzer() {
        dialled_.reset();
        answered_.reset();
        agent_.turn();  // both links break
    }

    void step() {
        if (!dialled_) dial();
        if (!answered_) be_dialled();
        const std::uint8_t what = input_.byte();
        const int link = what % 2 == 0 ? dialled_.get() : answered_.get();
        switch (what / 2 % 8) {
            case 0:
                return accept_or_connect();
            case 1:
                send_raw(link);
                break;
            case 2:
                send_connect();
                break;
            default:
                send_kind(link);
        }
        agent_.turn();
        drain(program_.get());
        notice_hang_up(dialled_);
        notice_hang_up(answered_);
    }

  private:
    void dial() {
        SocketPair pair;
        agent_.agent->links.add_incoming(std::move(pair.agents));
        dialled_ = std::move(pair.ours);
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = 2;
        hello.boot_id = input_.byte() % 2 + 1;
        send_with(dialled_.get(), &hello, sizeof hello, {});
        agent_.turn();
    }
    void be_dialled() {
        SocketPair pair;
        agent_.agent->links.add_outgoing(2, std::move(pair.agents));
        answered_ = std::move(pair.ours);
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = 2;
        send_with(answered_.get(), &hello, sizeof hello, {});
        agent_.turn();
    }
    void accept_or_connect() {
        accept();
        auto connect = make_message<ConnectMessage>(kSessionMagic, SessionMessage::connect, 1);
        connect.local.family = AF_INET;
        connect.peer.family = AF_INET;
        connect.peer.port = 80;
        const std::uint8_t address[4] = {127, 44, 0, 2};
        std::memcpy(connect.peer.address, address, sizeof address);
        if (input_.byte() % 2 == 0) send_with(program_.get(), &connect, sizeof connect, {});
        agent_.turn();
        drain(program_.get());
    }
    void accept() {
        Received queued;
        if (!receive_message(queue_.get(), queued)) return;
        require(queued.as<AttachedMessage>() != nullptr && queued.fd_count == 2);
        auto accepted = make_message<AcceptedMessage>(kSessionMagic, SessionMessage::accepted, 0);
        accepted.end_id = queued.as<AttachedMessage>()->end_id;
        accepted.listener_id = listener_;
        send_with(program_.get(), &accepted, sizeof accepted, {});
    }
    void send_raw(int link) {
        std::uint8_t bytes[600] = {};
        const std::size_t size_bytes = 1 + input_.byte() * 2;
        input_.fill(bytes, size_bytes);
        send_with(link, bytes, size_bytes, {});
    }
    void send_connect() {
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 1);
        message.connection_id = input_.byte() % 8;
        message.source.family = AF_INET;
        message.destination.family = AF_INET;
        message.destination.port = 80;
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = 4096;
        message.slab_bytes = 3 * 4096;
        std::vector<UniqueFd> fds;
        fds.push_back(fuzz_descriptor(1));
        send_with(dialled_.get(), &message, sizeof message, fds);
    }
    void send_kind(int link) {
        const Kind& kind = kKinds[input_.byte() % std::size(kKinds)];
        alignas(8) std::uint8_t bytes[kMaxMessageBytes] = {};
        input_.fill(bytes + sizeof(MessageHeader), kind.size_bytes - sizeof(MessageHeader));
        const MessageHeader header{kLinkMagic, kProtocolVersion, static_cast<std::uint16_t>(kind.type),
                                   static_cast<std::uint32_t>(kind.size_bytes), last_request_};
        std::memcpy(bytes, &header, sizeof header);
        const std::uint8_t choice = input_.byte();
        if (choice % 2 == 1) std::memcpy(bytes + sizeof header, &last_connection_, sizeof last_connection_);
        std::vector<UniqueFd> fds;
        for (unsigned i = 0; i < choice / 2 % 4; ++i) fds.push_back(fuzz_descriptor(input_.byte()));
        send_with(link, bytes, kind.size_bytes, fds);
    }
    void drain(int socket) {
        Received message;
        while (socket >= 0 && receive_message(socket, message)) {
            if (const auto* listening = message.as<ListeningMessage>()) {
                if (message.header().type == static_cast<std::uint16_t>(SessionMessage::listening)) {
                    listener_ = listening->listener_id;
                    queue_ = std::move(message.fds[0]);
                }
            }
            for (UniqueFd& fd : message.fds) fd.reset();
        }
    }
    void notice_hang_up(UniqueFd& link) {
        for (;;) {
            Received message;
            const auto got = receive_message(link.get(), message);
            if (!got && got.error().kind == ErrorKind::would_block) return;
            if (!got) return link.reset();
            last_request_ = message.header().request_id;
            if (const auto* connect = message.as<LinkConnectMessage>()) {
                last_connection_ = connect->connection_id;
            }
        }
    }

    FuzzAgent& agent_;
    FuzzInput& input_;
    UniqueFd program_;
    UniqueFd dialled_;
    UniqueFd answered_;
    std::uint64_t listener_ = 0;
    UniqueFd queue_;
    std::uint64_t last_connection_ = 0;
    std::uint32_t last_request_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    static FuzzAgent agent;
    FuzzInput input(data, size_bytes);
    {
        FarAgentOfTheFuzzer far_agent(agent, input);
        for (int i = 0; i < 64 && !input.is_empty(); ++i) far_agent.step();
    }
    agent.turn();
    agent.clean_up();
    return 0;
}
