// Plays what the fuzzer writes as up to four programs with one agent: messages of every kind with bodies of
// its choice, raw bytes, descriptors that fit or do not, hang-ups. The agent must take it all, and must hold
// nothing once the programs are gone.
#include <cstddef>
#include <cstdint>

#include "control/protocol/reason.hpp"
#include "control/protocol/session_protocol.h"
#include "tests/control/fuzz_input.hpp"

namespace {

using namespace xylem;
using namespace xylem::agent_test;

constexpr unsigned kPrograms = 4;

struct Kind {
    SessionMessage type;
    std::size_t size_bytes;
};
constexpr Kind kKinds[] = {
    {SessionMessage::hello, sizeof(HelloMessage)},
    {SessionMessage::get_map, sizeof(PlainMessage)},
    {SessionMessage::listen, sizeof(ListenMessage)},
    {SessionMessage::unlisten, sizeof(IdMessage)},
    {SessionMessage::accepted, sizeof(AcceptedMessage)},
    {SessionMessage::connect, sizeof(ConnectMessage)},
    {SessionMessage::release, sizeof(ReleaseMessage)},
    {SessionMessage::bell_new, sizeof(BellNewMessage)},
    {SessionMessage::bell_free, sizeof(IdMessage)},
    {SessionMessage::bell_find, sizeof(BellFindMessage)},
    {SessionMessage::adopt, sizeof(IdMessage)},
    {SessionMessage::rejoin, sizeof(RejoinMessage)},
    {SessionMessage::query, sizeof(QueryMessage)},
    {SessionMessage::lend, sizeof(IdMessage)},
    {SessionMessage::bind, sizeof(BindMessage)},
    {SessionMessage::unbind, sizeof(IdMessage)},
    {SessionMessage::run, sizeof(IdMessage)},
    {SessionMessage::bypass, sizeof(BypassMessage)},
    {SessionMessage::bell_ring, sizeof(BellRingMessage)},
};

class Programs {
  public:
    Programs(FuzzAgent& agent, FuzzInput& input) : agent_(agent), input_(input) {}

    void step() {
        const std::uint8_t what = input_.byte();
        UniqueFd& socket = sockets_[what % kPrograms];
        if (!socket) open(socket);
        switch (what / kPrograms % 10) {
            case 0:
                socket.reset();
                break;
            case 1:
                send_raw(socket.get());
                break;
            case 2:
                send_listen(socket.get());
                break;
            case 3:
                send_connect(socket.get());
                break;
            case 8:
                send_run(socket.get());
                break;
            case 9:
                send_bypass(socket.get());
                break;
            default:
                send_kind(socket.get());
        }
        agent_.turn();
        for (const UniqueFd& each : sockets_) read_answers(each.get());
    }

  private:
    void open(UniqueFd& socket) {
        SocketPair pair;
        agent_.agent->sessions.add(std::move(pair.agents));
        socket = std::move(pair.ours);
        HelloMessage hello = make_message<HelloMessage>(kSessionMagic, SessionMessage::hello, 1);
        const std::uint8_t choice = input_.byte();
        hello.role =
            static_cast<std::uint32_t>(choice / 4 % 8 == 7 ? SessionRole::command : SessionRole::program);
        if (choice % 4 != 0) send_with(socket.get(), &hello, sizeof hello, {});
    }
    void send_raw(int socket) {
        std::uint8_t bytes[600] = {};
        const std::size_t size_bytes = 1 + input_.byte() * 2;
        input_.fill(bytes, size_bytes);
        send_with(socket, bytes, size_bytes, {});
    }
    // Well-formed ones, so that the fuzzer gets beyond the first look.
    void send_listen(int socket) {
        auto message = make_message<ListenMessage>(kSessionMagic, SessionMessage::listen, 1);
        message.cookie = input_.byte() % 4;
        message.local.family = AF_INET;
        message.local.port = 80 + input_.byte() % 2;
        message.backlog = input_.byte() % 4;
        send_with(socket, &message, sizeof message, {});
    }
    void send_connect(int socket) {
        auto message = make_message<ConnectMessage>(kSessionMagic, SessionMessage::connect, 1);
        message.cookie = 4 + input_.byte() % 4;
        message.local.family = AF_INET;
        message.peer.family = AF_INET;
        message.peer.port = 80 + input_.byte() % 2;
        const std::uint8_t address[4] = {127, 44, 0, static_cast<std::uint8_t>(1 + input_.byte() % 2)};
        std::memcpy(message.peer.address, address, sizeof address);
        message.flags = input_.byte() % 2;
        send_with(socket, &message, sizeof message, {});
    }
    void send_run(int socket) {
        auto message = make_message<IdMessage>(kSessionMagic, SessionMessage::run, 1);
        message.id = input_.byte() % 4;
        send_with(socket, &message, sizeof message, {});
        auto question = make_message<QueryMessage>(kSessionMagic, SessionMessage::query, 1);
        question.what = static_cast<std::uint32_t>(QueryKind::run);
        send_with(socket, &question, sizeof question, {});
    }
    void send_bypass(int socket) {
        auto message = make_message<BypassMessage>(kSessionMagic, SessionMessage::bypass, 1);
        message.run_id = input_.byte() % 4;
        message.reason = static_cast<std::uint32_t>(Reason::static_program) + input_.byte() % 8;
        input_.fill(message.program, sizeof message.program);
        send_with(socket, &message, sizeof message, {});
    }
    void send_kind(int socket) {
        const Kind& kind = kKinds[input_.byte() % std::size(kKinds)];
        alignas(8) std::uint8_t bytes[kMaxMessageBytes] = {};
        input_.fill(bytes + sizeof(MessageHeader), kind.size_bytes - sizeof(MessageHeader));
        const MessageHeader header{kSessionMagic, kProtocolVersion, static_cast<std::uint16_t>(kind.type),
                                   static_cast<std::uint32_t>(kind.size_bytes), 1};
        std::memcpy(bytes, &header, sizeof header);
        const std::uint8_t choice = input_.byte();
        if (choice % 2 == 1 && last_end_ != 0) {  // an end that there is
            std::memcpy(bytes + sizeof header, &last_end_, sizeof last_end_);
        }
        std::vector<UniqueFd> fds;
        for (unsigned i = 0; i < choice / 2 % 4; ++i) fds.push_back(fuzz_descriptor(input_.byte()));
        send_with(socket, bytes, kind.size_bytes, fds);
    }
    void read_answers(int socket) {
        Received answer;
        while (socket >= 0 && receive_message(socket, answer)) {
            require(check_header(answer, kSessionMagic) == HeaderFault::none);
            const bool is_attached =
                answer.header().type == static_cast<std::uint16_t>(SessionMessage::attached);
            if (is_attached) {
                require(answer.fd_count == 2);
                last_end_ = answer.as<AttachedMessage>()->end_id;
            }
            for (UniqueFd& fd : answer.fds) fd.reset();
        }
    }

    FuzzAgent& agent_;
    FuzzInput& input_;
    UniqueFd sockets_[kPrograms];
    std::uint64_t last_end_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    static FuzzAgent agent;
    FuzzInput input(data, size_bytes);
    {
        Programs programs(agent, input);
        for (int i = 0; i < 64 && !input.is_empty(); ++i) programs.step();
    }
    agent.turn();
    agent.clean_up();
    return 0;
}
