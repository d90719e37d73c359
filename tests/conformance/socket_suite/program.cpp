// Cases of programs that start others: what they inherit, what they do not, and who closes last.
#include <spawn.h>

#include "children.hpp"

namespace {

// A shell command that sends back twenty bytes of descriptor fd.
std::string echo_of(int fd) {
    const std::string number = std::to_string(fd);
    return "exec dd bs=4096 count=1 status=none <&" + number + " >&" + number;
}

void spawnp_and_the_path(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, 0);
    posix_spawn_file_actions_adddup2(&actions, fd, 1);
    const char* const arguments[] = {"dd", "bs=4096", "count=1", "status=none", nullptr};
    pid_t child = 0;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    side.line("posix_spawnp = %d",
              posix_spawnp(&child, "dd", &actions, nullptr, const_cast<char**>(arguments), environ));
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

void vfork_and_exec(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    volatile int seen = 0;
    const pid_t child = vfork();
    if (child == 0) {
        seen = 1;
        become_echo(fd);
    }
    side.line("the parent waited for the child: %d", seen);
    side.line("its descriptor is still open: %d", fcntl(fd, F_GETFD) == 0);
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

void vfork_and_exit(Side& side) {
    const int fd = side.connection();
    if (!side.server) {
        const pid_t child = vfork();
        if (child == 0) {
            close(fd);
            _exit(9);
        }
        side.line("child's exit code %d", exit_code_of(child));
    }
    send_bytes(side, fd, 10);
    receive_bytes(side, fd, 10, MSG_WAITALL);
    close(fd);
    side.meet();
}

void system_and_a_shell(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    side.line("system = %d", WEXITSTATUS(system(echo_of(fd).c_str())));
    close(fd);
}

void popen_and_a_shell(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    FILE* pipe = popen((echo_of(fd) + "; echo done").c_str(), "r");
    close(fd);
    char text[20] = "";
    side.line("read: %zu", fread(text, 1, sizeof text, pipe));
    side.line("pclose = %d", WEXITSTATUS(pclose(pipe)));
}

// A shell that stays, and starts the program that uses the connection: nobody in between speaks for it.
void a_program_started_by_a_shell_later(Side& side) {
    const int fd = side.connection();
    if (side.server) return talk_to_a_program(side, fd);
    const std::string number = std::to_string(fd);
    const std::string command =
        "sleep 0.2; dd bs=4096 count=1 status=none <&" + number + " >&" + number + "; true";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const char* const arguments[] = {"sh", "-c", command.c_str(), nullptr};
    pid_t child = 0;
    side.line("posix_spawn = %d",
              posix_spawn(&child, "/bin/sh", &actions, nullptr, const_cast<char**>(arguments), environ));
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

// What a program does not inherit does not keep the connection open, however long it lives.
void a_lasting_program_that_inherited_nothing(Side& side) {
    const int fd = side.connection(SOCK_CLOEXEC);
    if (side.server) {
        receive_bytes(side, fd, 5, MSG_WAITALL);
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    const pid_t forked = fork();
    if (forked == 0) {
        execl("/usr/bin/sleep", "sleep", "50", nullptr);
        _exit(127);
    }
    const char* const arguments[] = {"sleep", "50", nullptr};
    pid_t spawned = 0;
    posix_spawn(&spawned, "/usr/bin/sleep", nullptr, nullptr, const_cast<char**>(arguments), environ);
    usleep(100'000);
    send_bytes(side, fd, 5);
    side.result("close", close(fd));
    side.meet();
    for (const pid_t child : {forked, spawned}) {
        kill(child, SIGKILL);
        side.line("child's exit code %d", exit_code_of(child));
    }
}

// A program that knows nothing of the library keeps the connection open as long as it has the descriptor.
void a_lasting_program_that_inherited_it(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        receive_bytes(side, fd, 5, MSG_WAITALL);
        side.meet();
        receive_bytes(side, fd, 1, MSG_DONTWAIT);
        side.meet();
        receive_bytes(side, fd, 1);
        return side.meet();
    }
    const pid_t child = fork();
    if (child == 0) {
        execl("/usr/bin/env", "env", "-i", "/usr/bin/sleep", "50", nullptr);
        _exit(127);
    }
    usleep(100'000);
    send_bytes(side, fd, 5);
    side.result("close", close(fd));
    side.meet();
    usleep(100'000);
    side.meet();
    kill(child, SIGKILL);
    side.line("child's exit code %d", exit_code_of(child));
    side.meet();
}

void exec_with_several_sockets(Side& side) {
    const int first = side.connection();
    const int second = side.connection();
    if (side.server) {
        send_bytes(side, first, 20);
        receive_bytes(side, second, 20, MSG_WAITALL);
        receive_bytes(side, first, 1);
        receive_bytes(side, second, 1);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        const std::string command =
            "exec dd bs=4096 count=1 status=none <&" + std::to_string(first) + " >&" + std::to_string(second);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    close(first);
    close(second);
    side.line("child's exit code %d", exit_code_of(child));
}

// Of two generations only the last uses the connection.
void exec_of_a_grandchild(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        talk_to_a_program(side, fd);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        close(fd);
        _exit(0);
    }
    exit_code_of(child);
    const pid_t second = fork();
    if (second == 0) {
        const pid_t third = fork();
        if (third != 0) _exit(exit_code_of(third));
        execl("/bin/sh", "sh", "-c", echo_of(fd).c_str(), nullptr);
        _exit(127);
    }
    close(fd);
    side.line("child's exit code %d", exit_code_of(second));
}

constexpr Case kCases[] = {
    {"spawnp_and_the_path", spawnp_and_the_path, true},
    {"vfork_and_exec", vfork_and_exec, true},
    {"vfork_and_exit", vfork_and_exit, true},
    {"system_and_a_shell", system_and_a_shell, true},
    {"popen_and_a_shell", popen_and_a_shell, true},
    {"a_program_started_by_a_shell_later", a_program_started_by_a_shell_later, true},
    {"a_lasting_program_that_inherited_nothing", a_lasting_program_that_inherited_nothing, true},
    {"a_lasting_program_that_inherited_it", a_lasting_program_that_inherited_it, true},
    {"exec_with_several_sockets", exec_with_several_sockets, true},
    {"exec_of_a_grandchild", exec_of_a_grandchild, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
