// Cases of how much one call moves: nothing, a part, as much as somebody waits for.
#include <linux/sockios.h>

#include <algorithm>
#include <array>

#include "calls.hpp"

namespace {

constexpr timeval kShort{0, 50'000};

void read_time_out(int fd, const timeval& timeout) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

void vectors_of_nothing_do_not_wait(Side& side) {
    const int fd = side.connection();
    char byte = 0;
    const iovec nothing{&byte, 0};
    side.result("readv", readv(fd, &nothing, 1));
    side.result("preadv2", preadv2(fd, &nothing, 1, -1, 0));
    side.result("readv of no vectors", readv(fd, &nothing, 0));
    side.meet();
    shutdown(fd, SHUT_WR);
    count_pipe_signals();
    side.result("writev", writev(fd, &nothing, 1));
    side.result("pwritev2", pwritev2(fd, &nothing, 1, -1, 0));
    side.result("write", write(fd, &byte, 0));
    side.line("signals %d", pipe_signals.load());
    side.meet();
}

// A peek that wants more than there is waits as any other does.
void a_peek_for_all_waits_with_its_time_out(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 10);
        side.meet();
        usleep(50'000);
        send_bytes(side, fd, 10, MSG_NOSIGNAL, 10);
        side.meet();
        return;
    }
    await_bytes(fd, 10);
    read_time_out(fd, kShort);
    receive_bytes(side, fd, 20, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 20, MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT);
    read_time_out(fd, {kPatienceMs / 1000, 0});
    side.meet();
    receive_bytes(side, fd, 20, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 20);
    side.meet();
}

void a_peek_for_all_ends_with_the_stream(Side& side) {
    const int fd = side.connection();
    send_bytes(side, fd, 10);
    if (!side.server) {
        side.meet();
        shutdown(fd, SHUT_WR);
        side.meet();
        return;
    }
    await_bytes(fd, 10);
    side.meet();
    receive_bytes(side, fd, 20, MSG_PEEK | MSG_WAITALL);
    receive_bytes(side, fd, 20);
    side.meet();
}

std::array<mmsghdr, 2> messages_of(iovec (&pieces)[2]) {
    std::array<mmsghdr, 2> messages{};
    for (std::size_t i = 0; i < messages.size(); ++i) {
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return messages;
}

// The first message is larger than what fits: what is counted last may be a part, and nothing comes behind
// it.
void no_message_follows_a_part_of_one(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.meet();
        const std::uint64_t size = side.exchange(0);
        side.line("all of it came: %d", drain(fd, size) == size);
        receive_bytes(side, fd, 1);
        return;
    }
    std::string large = pattern(64 << 20), small = pattern(10);
    iovec pieces[2] = {{large.data(), large.size()}, {small.data(), small.size()}};
    std::array<mmsghdr, 2> messages = messages_of(pieces);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kShort, sizeof kShort);
    side.result("sendmmsg", sendmmsg(fd, messages.data(), 2, MSG_NOSIGNAL));
    side.line("a part of it: %d", messages[0].msg_len > 0 && messages[0].msg_len < large.size());
    side.line("then %u", messages[1].msg_len);
    side.meet();
    side.exchange(messages[0].msg_len);
    close(fd);
}

// Of several messages some come before the error, which the next call tells.
void an_error_after_messages_is_the_next_call_s(Side& side) {
    const int fd = side.connection();
    const linger at_once{1, 0};
    if (!side.server) {
        send_bytes(side, fd, 10);
        side.meet();
        side.meet();
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 10);
    char first[10], second[10];
    iovec pieces[2] = {{first, sizeof first}, {second, sizeof second}};
    std::array<mmsghdr, 2> messages = messages_of(pieces);
    read_time_out(fd, kShort);
    side.result("recvmmsg", recvmmsg(fd, messages.data(), 2, 0, nullptr));
    side.line("of %u bytes", messages[0].msg_len);
    side.meet();
    side.meet();
    side.line("hung up: %d", await(fd, POLLHUP));
    side.result("recvmmsg", recvmmsg(fd, messages.data(), 2, 0, nullptr));
    side.result("recvmmsg", recvmmsg(fd, messages.data(), 2, 0, nullptr));
}

// What the peer's program has not read is acknowledged all the same, as far as there is room for it.
void bytes_that_nobody_has_read_are_delivered(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 1000);
        int left = 1;
        for (int waited_ms = 0; left > 0 && waited_ms < kPatienceMs; waited_ms += 2) {
            ioctl(fd, SIOCOUTQ, &left);
            usleep(2000);
        }
        side.line("SIOCOUTQ %d", left);
    }
    side.meet();
    if (side.server) receive_bytes(side, fd, 1000, MSG_WAITALL);
    side.meet();
}

// Set before there is a connection, of which it is then.
void a_low_water_mark_is_kept_over_connect(Side& side) {
    constexpr int kBytes = 20;
    if (side.server) {
        const Listening listener = side.listening();
        setsockopt(listener.fd, SOL_SOCKET, SO_RCVLOWAT, &kBytes, sizeof kBytes);
        side.exchange(listener.port);
        const int fd = side.accepted(listener);
        side.line("SO_RCVLOWAT %d", option(fd, SOL_SOCKET, SO_RCVLOWAT));
        send_bytes(side, fd, 10);
        side.meet();
        await_bytes(fd, 10);
        show_poll(side, fd);
        side.meet();
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &kBytes, sizeof kBytes);
    side.result("connect", connect(fd, name.get(), name.length));
    side.note_transport(fd);
    send_bytes(side, fd, 10);
    side.meet();
    await_bytes(fd, 10);
    show_poll(side, fd);
    read_time_out(fd, kShort);
    receive_bytes(side, fd, 100);
    side.meet();
}

constexpr Case kCases[] = {
    {"vectors_of_nothing_do_not_wait", vectors_of_nothing_do_not_wait, true},
    {"a_peek_for_all_waits_with_its_time_out", a_peek_for_all_waits_with_its_time_out},
    {"a_peek_for_all_ends_with_the_stream", a_peek_for_all_ends_with_the_stream},
    {"no_message_follows_a_part_of_one", no_message_follows_a_part_of_one},
    {"an_error_after_messages_is_the_next_call_s", an_error_after_messages_is_the_next_call_s},
    {"bytes_that_nobody_has_read_are_delivered", bytes_that_nobody_has_read_are_delivered},
    {"a_low_water_mark_is_kept_over_connect", a_low_water_mark_is_kept_over_connect},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
