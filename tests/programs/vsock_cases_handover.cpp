// AF_VSOCK sockets that go to other processes: fork, exec, posix_spawn, SCM_RIGHTS.
//
//   vsock_cases_handover inherited KIND FD CID   the program that got it: exit code 0 if FD is what it was
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "vsock_case.hpp"

namespace {

constexpr unsigned kPort = 70'006;

// Whoever had it may be on the way out still.
void expect_free(unsigned port) {
    const int fd = stream();
    for (int i = 0; i < 2000 && bind_to(fd, kAnyCid, port) != 0; ++i) usleep(10'000);
    EXPECT_EQ(local_name(fd).svm_port, port);
    close(fd);
}

void expect_taken(unsigned port) {
    const int fd = stream();
    EXPECT_ERROR(bind_to(fd, kAnyCid, port), EADDRINUSE);
    close(fd);
}

void a_port_is_held_by_the_child_too() {
    const int fd = bound_stream(kAnyCid, kPort);
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    close(fd);
    expect_taken(kPort);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    expect_free(kPort);
}

// The program anew, in a child that is forked or spawned; it says by its exit code whether the descriptor is
// what it was. The parent's own is closed meanwhile.
int handed_over(const char* kind, int fd, bool spawns) {
    std::string number = std::to_string(fd);
    std::string cid = std::to_string(own_cid);
    char* arguments[] = {const_cast<char*>("vsock_cases_handover"),
                         const_cast<char*>("inherited"),
                         const_cast<char*>(kind),
                         number.data(),
                         cid.data(),
                         nullptr};
    pid_t child = spawns ? -1 : fork();
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    if (spawns) EXPECT_EQ(posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
    close(fd);
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void hand_over_each_kind(bool spawns) {
    EXPECT_EQ(handed_over("fresh", stream(), spawns), 0);
    EXPECT_EQ(handed_over("bound", bound_stream(own_cid, kPort), spawns), 0);
    expect_free(kPort);
    Pair pair;
    EXPECT_EQ(send(pair.near, "hello", 5, 0), 5);
    EXPECT_EQ(handed_over("connection", pair.far, spawns), 0);
    char bytes[5];
    EXPECT_EQ(recv(pair.near, bytes, sizeof bytes, MSG_WAITALL), 5);
    EXPECT_EQ(recv(pair.near, bytes, sizeof bytes, 0), 0);
    const int caller = stream();
    EXPECT_EQ(connect_to(caller, own_cid, pair.port), 0);
    EXPECT_EQ(handed_over("listener", pair.at, spawns), 0);
    EXPECT_EQ(recv(caller, bytes, sizeof bytes, MSG_WAITALL), 5);
    close(caller);
    pair.at = pair.far = -1;
}

void sockets_survive_exec() { hand_over_each_kind(false); }
void sockets_come_to_a_spawned_program() { hand_over_each_kind(true); }

int check_inherited(const std::string& kind, int fd) {
    char bytes[5] = {};
    EXPECT_EQ(number_option(fd, SO_DOMAIN), AF_VSOCK);
    EXPECT_EQ(number_option(fd, SO_TYPE), SOCK_STREAM);
    if (kind == "fresh") {
        EXPECT_EQ(local_name(fd).svm_port, kAnyPort);
        EXPECT_EQ(bind_to(fd, kAnyCid, kPort), 0);
        EXPECT_EQ(listen(fd, 1), 0);
    } else if (kind == "bound") {
        EXPECT_EQ(local_name(fd).svm_port, kPort);
        EXPECT_EQ(local_name(fd).svm_cid, own_cid);
        expect_taken(kPort);
    } else if (kind == "connection") {
        EXPECT_EQ(recv(fd, bytes, sizeof bytes, 0), 5);
        EXPECT_EQ(peer_name(fd).svm_cid, own_cid);
        EXPECT_EQ(send(fd, bytes, sizeof bytes, 0), 5);
    } else {
        EXPECT_EQ(number_option(fd, SO_ACCEPTCONN), 1);
        const int made = accept(fd, nullptr, nullptr);
        EXPECT_EQ(send(made, "hello", 5, 0), 5);
    }
    if (!first_fault.empty()) fprintf(stderr, "inherited %s: %s\n", kind.c_str(), first_fault.c_str());
    return first_fault.empty() ? 0 : 1;
}

// A message with one descriptor, through a pair of its own.
class Message {
  public:
    explicit Message(int fd) {
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
        *reinterpret_cast<cmsghdr*>(control_) = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(reinterpret_cast<cmsghdr*>(control_)), &fd, sizeof fd);
        EXPECT_EQ(sendmsg(ends_[0], &message_, 0), 1);
        close(fd);
    }
    ~Message() {
        for (const int end : ends_) close(end);
    }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    int take() {
        int fd = -1;
        EXPECT_EQ(recvmsg(ends_[1], &message_, 0), 1);
        memcpy(&fd, CMSG_DATA(reinterpret_cast<cmsghdr*>(control_)), sizeof fd);
        return fd;
    }

  private:
    int ends_[2] = {-1, -1};
    char byte_ = 'f';
    iovec piece_{&byte_, 1};
    alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int))] = {};
    msghdr message_{nullptr, 0, &piece_, 1, control_, sizeof control_, 0};
};

void a_port_travels_in_a_message() {
    Message message(bound_stream(own_cid, kPort));
    expect_taken(kPort);
    const int fd = message.take();
    EXPECT_EQ(local_name(fd).svm_port, kPort);
    EXPECT_ERROR(bind_to(fd, kAnyCid, kPort + 1), EINVAL);
    close(fd);
    expect_free(kPort);
}

void a_port_in_a_message_that_nobody_takes_is_free() {
    {
        const Message message(bound_stream(own_cid, kPort));
        expect_taken(kPort);
    }
    expect_free(kPort);
}

void a_new_socket_travels_in_a_message() {
    Message message(stream());
    const int fd = message.take();
    EXPECT_EQ(number_option(fd, SO_DOMAIN), AF_VSOCK);
    EXPECT_EQ(bind_to(fd, kAnyCid, kPort), 0);
    EXPECT_EQ(local_name(fd).svm_port, kPort);
    close(fd);
}

#define CASE(name, where) \
    { #name, name, Where::where }
constexpr Case kCases[] = {
    CASE(a_port_is_held_by_the_child_too, anywhere),
    CASE(sockets_survive_exec, on_rings),
    CASE(sockets_come_to_a_spawned_program, on_rings),
    CASE(a_port_travels_in_a_message, anywhere),
    CASE(a_port_in_a_message_that_nobody_takes_is_free, anywhere),
    CASE(a_new_socket_travels_in_a_message, anywhere),
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return run_cases(kCases, argc, argv);
    own_cid = static_cast<unsigned>(atoi(argv[4]));
    return check_inherited(argv[2], atoi(argv[3]));
}
