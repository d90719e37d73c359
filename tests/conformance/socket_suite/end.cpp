// Cases of endings: half-close, close, reset, and what each end sees of it.
#include "calls.hpp"

namespace {

void half_close_lets_the_answer_through(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 20);
        side.result("shutdown", shutdown(fd, SHUT_WR));
        show_masks(side, fd, "own writing shut");
        send_bytes(side, fd, 1);
        side.result("shutdown again", shutdown(fd, SHUT_WR));
        side.meet();
        receive_bytes(side, fd, 30, MSG_WAITALL);
        side.meet();
        side.line("ended: %d", await(fd, POLLHUP));
        show_masks(side, fd, "both shut");
        receive_bytes(side, fd, 10);
        side.result("shutdown at the end", shutdown(fd, SHUT_WR));
        Name name;
        side.result("getpeername", getpeername(fd, name.get(), &name.length));
        return;
    }
    receive_bytes(side, fd, 100, MSG_WAITALL);
    receive_bytes(side, fd, 10);
    show_masks(side, fd, "peer's writing shut");
    side.meet();
    send_bytes(side, fd, 30);
    show_masks(side, fd, "answered");
    side.result("shutdown", shutdown(fd, SHUT_WR));
    side.meet();
    side.line("ended: %d", await(fd, POLLHUP));
    show_masks(side, fd, "both shut");
    receive_bytes(side, fd, 10);
}

void shutting_the_reading_side(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.result("shutdown", shutdown(fd, SHUT_RD));
        show_masks(side, fd, "own reading shut");
        receive_bytes(side, fd, 10);
        side.meet();
        side.meet();
        await_bytes(fd, 10);
        receive_bytes(side, fd, 10);
        receive_bytes(side, fd, 10);
        send_bytes(side, fd, 10);
        side.meet();
        return;
    }
    side.meet();
    show_masks(side, fd, "peer reads no more");
    send_bytes(side, fd, 10);
    side.meet();
    receive_bytes(side, fd, 10);
    side.meet();
}

void shutting_both(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.result("shutdown", shutdown(fd, SHUT_RDWR));
        receive_bytes(side, fd, 10);
        send_bytes(side, fd, 10);
        show_masks(side, fd, "shut");
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLRDHUP);
    show_masks(side, fd, "peer shut both");
    receive_bytes(side, fd, 10);
    side.meet();
}

void an_orderly_close_is_an_end_of_file(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 50'000);
        side.result("close", close(fd));
        side.result("close again", close(fd));
        side.result("recv", recv(fd, nullptr, 0, 0));
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLRDHUP);
    show_masks(side, fd, "closed with bytes on the way");
    receive_bytes(side, fd, 60'000, MSG_WAITALL);
    for (int i = 0; i < 2; ++i) receive_bytes(side, fd, 10);
    show_masks(side, fd, "read to the end");
    show_socket_error(side, fd);
}

// The server closes with ten bytes unread. True at the client, when that has happened.
bool is_reset(Side& side, int fd) {
    if (!side.server) send_bytes(side, fd, 10);
    side.meet();
    if (side.server) {
        await_bytes(fd, 10);
        close(fd);
    }
    side.meet();
    return !side.server;
}

void closing_with_unread_bytes_resets(Side& side) {
    const int fd = side.connection();
    if (!is_reset(side, fd)) return;
    side.line("ended: %d", await(fd, POLLERR));
    show_masks(side, fd, "reset");
    receive_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
    show_masks(side, fd, "after the error");
    send_bytes(side, fd, 10);
    show_socket_error(side, fd);
    Name name;
    side.result("getpeername", getpeername(fd, name.get(), &name.length));
    side.result("shutdown", shutdown(fd, SHUT_RDWR));
}

void the_pending_error_is_told_once(Side& side) {
    const int fd = side.connection();
    if (!is_reset(side, fd)) return;
    await(fd, POLLERR);
    show_socket_error(side, fd);
    show_socket_error(side, fd);
    show_masks(side, fd, "asked");
    receive_bytes(side, fd, 10);
}

void bytes_that_came_before_a_reset_can_be_read(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        send_bytes(side, fd, 5);
    } else {
        await_bytes(fd, 5);
    }
    if (!is_reset(side, fd)) return;
    await(fd, POLLERR);
    receive_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
}

void a_reset_on_purpose(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        const linger abort_at_once{1, 0};
        side.result("set SO_LINGER",
                    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof abort_at_once));
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLERR);
    show_masks(side, fd, "reset");
    send_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
    send_bytes(side, fd, 10);
}

void the_second_send_to_a_closed_peer_fails(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLRDHUP);
    send_bytes(side, fd, 10);
    side.line("failed: %d", await(fd, POLLERR));
    show_masks(side, fd, "sent to nobody");
    receive_bytes(side, fd, 10);
    send_bytes(side, fd, 10);
    show_masks(side, fd, "after the error");
    receive_bytes(side, fd, 10);
}

// Nothing was sent, so nothing is refused: what the peer left behind and a real send come as if it had not
// been.
void an_empty_send_to_a_closed_peer_draws_no_reset(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        send_bytes(side, fd, 10);
        close(fd);
        side.meet();
        return;
    }
    side.meet();
    await(fd, POLLRDHUP);
    for (int i = 0; i < 3; ++i) send_bytes(side, fd, 0);
    show_socket_error(side, fd);
    receive_bytes(side, fd, 10);
    receive_bytes(side, fd, 10);
    send_bytes(side, fd, 0);
    send_bytes(side, fd, 5);
    await(fd, POLLERR | POLLHUP);
    send_bytes(side, fd, 0);
    send_bytes(side, fd, 5);
}

void broken_pipes_raise_a_signal(Side& side) {
    count_pipe_signals();
    const int fd = side.connection();
    if (side.server) {
        side.meet();
        return;
    }
    shutdown(fd, SHUT_WR);
    send_bytes(side, fd, 10, MSG_NOSIGNAL);
    side.line("signals: %d", pipe_signals.load());
    send_bytes(side, fd, 10, 0);
    side.line("signals: %d", pipe_signals.load());
    side.result("write", write(fd, "x", 1));
    const iovec piece{const_cast<char*>("x"), 1};
    side.result("writev", writev(fd, &piece, 1));
    side.line("signals: %d", pipe_signals.load());
    signal(SIGPIPE, SIG_IGN);
    send_bytes(side, fd, 10, 0);
    side.line("signals: %d", pipe_signals.load());
    side.meet();
}

void a_sleeping_reader_is_woken_by_the_end(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        usleep(50'000);
        close(fd);
        return;
    }
    receive_bytes(side, fd, 10);
}

void a_sleeping_reader_is_woken_by_a_reset(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 10);
        receive_bytes(side, fd, 10);
        return;
    }
    await_bytes(fd, 10);
    usleep(50'000);
    close(fd);
}

constexpr Case kCases[] = {
    {"half_close_lets_the_answer_through", half_close_lets_the_answer_through},
    {"shutting_the_reading_side", shutting_the_reading_side},
    {"shutting_both", shutting_both},
    {"an_orderly_close_is_an_end_of_file", an_orderly_close_is_an_end_of_file, true},
    {"closing_with_unread_bytes_resets", closing_with_unread_bytes_resets},
    {"the_pending_error_is_told_once", the_pending_error_is_told_once},
    {"bytes_that_came_before_a_reset_can_be_read", bytes_that_came_before_a_reset_can_be_read},
    {"a_reset_on_purpose", a_reset_on_purpose},
    {"the_second_send_to_a_closed_peer_fails", the_second_send_to_a_closed_peer_fails},
    {"an_empty_send_to_a_closed_peer_draws_no_reset", an_empty_send_to_a_closed_peer_draws_no_reset},
    {"broken_pipes_raise_a_signal", broken_pipes_raise_a_signal, true},
    {"a_sleeping_reader_is_woken_by_the_end", a_sleeping_reader_is_woken_by_the_end},
    {"a_sleeping_reader_is_woken_by_a_reset", a_sleeping_reader_is_woken_by_a_reset},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
