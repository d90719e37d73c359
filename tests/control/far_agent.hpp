// An agent that the test scripts: it listens at its own place of the fabric, and dials real agents.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/protocol/link_protocol.h"
#include "tests/control/scripted_client.hpp"

namespace xylem::agent_test {

class FarAgent {
  public:
    explicit FarAgent(std::uint32_t domain) : domain_(domain) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        ::strcpy(address.sun_path, link_socket(domain).text);
        listening_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listening_.get(), 8), 0);
    }

    // Dials a real agent and says hello. The link, or an empty one if it was not answered.
    UniqueFd dial_agent(std::uint32_t target, std::uint32_t claimed) {
        auto link = dial(link_socket(target).text);
        EXPECT_TRUE(link);
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = claimed;
        hello.boot_id = 99;
        Received answer;
        if (!ask(link->get(), hello, answer)) return UniqueFd();
        return std::move(*link);
    }
    UniqueFd dial_agent(std::uint32_t target) { return dial_agent(target, domain_); }

    // Takes the next link that says hello, and answers it.
    UniqueFd accept_link() {
        for (;;) {
            UniqueFd link(::accept(listening_.get(), nullptr, nullptr));
            Received hello;
            if (!receive(link.get(), hello)) continue;  // a look at who owns the socket
            auto answer =
                make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, hello.header().request_id);
            answer.domain = domain_;
            answer.boot_id = 99;
            EXPECT_TRUE(send_message(link.get(), &answer, sizeof answer));
            return link;
        }
    }

    static bool receive(int link, Received& message) {
        return wait_readable(link, deadline_after(kPatienceNs)) && receive_message(link, message);
    }
    template <class Message>
    static bool ask(int link, const Message& message, Received& answer, int fd = -1) {
        return send_message(link, &message, sizeof message, &fd, fd >= 0 ? 1 : 0) && receive(link, answer);
    }

  private:
    std::uint32_t domain_;
    UniqueFd listening_;
};

}  // namespace xylem::agent_test
