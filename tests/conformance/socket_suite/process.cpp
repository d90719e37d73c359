// Cases of several processes that share connections and listeners.
#include <spawn.h>

#include <algorithm>

#include "children.hpp"

namespace {

void parent_and_child_use_one_connection(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        receive_bytes(side, fd, 30, MSG_WAITALL);
        send_bytes(side, fd, 20);
        receive_bytes(side, fd, 10);
        return;
    }
    const pid_t child = fork();
    if (child == 0) _exit(send_all(fd, pattern(10)) ? 0 : 1);
    side.line("child's exit code %d", exit_code_of(child));
    send_bytes(side, fd, 10, MSG_NOSIGNAL, 10);
    const pid_t second = fork();
    if (second == 0) {
        const bool sent = send_all(fd, pattern(10, 20));
        char bytes[10];
        _exit(!sent ? 1 : recv(fd, bytes, sizeof bytes, MSG_WAITALL) == 10 ? 0 : 2);
    }
    side.line("child's exit code %d", exit_code_of(second));
    receive_bytes(side, fd, 10, MSG_WAITALL);
    close(fd);
}

void the_child_sends_after_the_parent_closed(Side& side) {
    const int fd = side.connection();
    constexpr std::size_t kSize = 3 << 20;
    if (side.server) {
        side.line("came: %d", drain(fd, kSize) == kSize);
        receive_bytes(side, fd, 10);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        usleep(20'000);
        _exit(send_all(fd, pattern(kSize)) ? 0 : 1);
    }
    side.result("close", close(fd));
    side.line("child's exit code %d", exit_code_of(child));
}

void a_child_connects_and_the_parent_never_knew(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        receive_bytes(side, fd, 100, MSG_WAITALL);
        return;
    }
    Name name = name_of(side.address, side.exchange(0));
    const pid_t child = fork();
    if (child == 0) {
        const int fd = socket(name.storage.ss_family, SOCK_STREAM, 0);
        if (connect(fd, name.get(), name.length) != 0) _exit(3);
        _exit(send_all(fd, pattern(40)) ? 0 : 1);
    }
    side.line("child's exit code %d", exit_code_of(child));
}

void an_exit_without_close_is_an_end_of_file(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        for (int i = 0; i < 2; ++i) {
            const int fd = side.accepted(listener);
            receive_bytes(side, fd, 100, MSG_WAITALL);
            receive_bytes(side, fd, 1);
        }
        side.meet();
        return;
    }
    const std::uint64_t port = side.exchange(0);
    for (int i = 0; i < 2; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            Side own(false, side.address, -1);
            const int fd = own.connect_to(port);
            send_all(fd, pattern(40));
            if (i == 1) raise(SIGKILL);
            _exit(0);
        }
        side.line("child's exit code %d", exit_code_of(child));
    }
    side.meet();
}

void children_share_a_listener(Side& side) {
    constexpr int kChildren = 4;
    constexpr int kCalls = 12;
    if (!side.server) {
        const std::uint64_t port = side.exchange(0);
        std::vector<int> answers;
        for (int i = 0; i < kCalls; ++i) {
            const int fd = side.connect_to(port);
            send(fd, "q", 1, MSG_NOSIGNAL);
            char answer = 0;
            side.must("recv", static_cast<int>(recv(fd, &answer, 1, 0)));
            answers.push_back(answer);
            close(fd);
        }
        side.line("answers %zu, all right: %d", answers.size(),
                  std::all_of(answers.begin(), answers.end(), [](int a) { return a == 'a'; }));
        side.meet();
        return;
    }
    const Listening listener = side.listening();
    std::vector<pid_t> children;
    for (int i = 0; i < kChildren; ++i) {
        children.push_back(fork());
        if (children.back() != 0) continue;
        for (;;) {
            const int fd = accept(listener.fd, nullptr, nullptr);
            char question = 0;
            if (fd < 0 || recv(fd, &question, 1, 0) != 1) _exit(1);
            send(fd, "a", 1, MSG_NOSIGNAL);
            close(fd);
        }
    }
    side.exchange(listener.port);
    side.meet();
    for (pid_t child : children) kill(child, SIGTERM);
    for (pid_t child : children) side.line("child's exit code %d", exit_code_of(child));
}

void exec_inherits_the_connection(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    const pid_t child = fork();
    if (child == 0) become_echo(fd);
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

void a_spawned_program_inherits_the_connection(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    posix_spawn_file_actions_addclose(&actions, fd);
    const char* const arguments[] = {"dd", "bs=4096", "count=1", "status=none", nullptr};
    pid_t child = 0;
    const int error =
        posix_spawn(&child, "/usr/bin/dd", &actions, nullptr, const_cast<char**>(arguments), environ);
    side.line("posix_spawn = %d", error);
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

constexpr Case kCases[] = {
    {"parent_and_child_use_one_connection", parent_and_child_use_one_connection, true},
    {"the_child_sends_after_the_parent_closed", the_child_sends_after_the_parent_closed, true},
    {"a_child_connects_and_the_parent_never_knew", a_child_connects_and_the_parent_never_knew, true},
    {"an_exit_without_close_is_an_end_of_file", an_exit_without_close_is_an_end_of_file, true},
    {"children_share_a_listener", children_share_a_listener, true},
    {"exec_inherits_the_connection", exec_inherits_the_connection, true},
    {"a_spawned_program_inherits_the_connection", a_spawned_program_inherits_the_connection, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
