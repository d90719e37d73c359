// AF_VSOCK sockets and their names: ports, options, and what fork() and exec() leave of them. As vsock(7) and
// net/vmw_vsock/af_vsock.c have it.
//
//   vsock_cases_names CID [reference]        one line a case; the program's cid is CID. reference: it is the
//                                            kernel's AF_VSOCK that plays, without the library
//   vsock_cases_names inherited KIND FD CID  after exec(): exit code 0 if the socket is what it was
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vsock_case.hpp"

namespace {

void a_new_socket_is_an_unbound_vsock_stream() {
    const int fd = stream(SOCK_NONBLOCK | SOCK_CLOEXEC);
    EXPECT_EQ(number_option(fd, SO_DOMAIN), AF_VSOCK);
    EXPECT_EQ(number_option(fd, SO_TYPE), SOCK_STREAM);
    EXPECT_EQ(number_option(fd, SO_PROTOCOL), 0);
    EXPECT_EQ(number_option(fd, SO_ACCEPTCONN), 0);
    EXPECT_EQ(number_option(fd, SO_ERROR), 0);
    EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(local_name(fd).svm_cid, kAnyCid);
    EXPECT_EQ(local_name(fd).svm_port, kAnyPort);
    VmName name;
    EXPECT_ERROR(getpeername(fd, name.get(), &name.length), ENOTCONN);
    EXPECT_ERROR(socket(AF_VSOCK, SOCK_STREAM, IPPROTO_TCP), EPROTONOSUPPORT);
    close(fd);
}

void an_unconnected_socket_moves_no_data() {
    const int fd = stream();
    char byte = 0;
    EXPECT_ERROR(send(fd, &byte, 1, MSG_NOSIGNAL), ENOTCONN);
    EXPECT_ERROR(recv(fd, &byte, 1, 0), ENOTCONN);
    EXPECT_ERROR(read(fd, &byte, 1), ENOTCONN);
    EXPECT_ERROR(shutdown(fd, SHUT_WR), ENOTCONN);
    EXPECT_ERROR(accept(fd, nullptr, nullptr), EINVAL);
    EXPECT_ERROR(listen(fd, 1), EINVAL);
    EXPECT_EQ(events_of(fd), POLLOUT);
    close(fd);
}

void port_any_is_an_automatic_port_above_the_reserved_ones() {
    const int first = bound_stream();
    const int second = bound_stream();
    EXPECT_EQ(local_name(first).svm_cid, kAnyCid);
    EXPECT_EQ(local_name(first).svm_port >= 1024, true);
    EXPECT_EQ(local_name(first).svm_port == local_name(second).svm_port, false);
    close(first);
    close(second);
}

void a_port_is_taken_until_its_socket_is_closed() {
    const int first = bound_stream(own_cid, 70'000);
    const int second = stream();
    EXPECT_ERROR(bind_to(second, own_cid, 70'000), EADDRINUSE);
    EXPECT_ERROR(bind_to(second, kAnyCid, 70'000), EADDRINUSE);
    EXPECT_EQ(close(first), 0);
    EXPECT_EQ(bind_to(second, kAnyCid, 70'000), 0);
    close(second);
}

void a_socket_is_bound_once_and_to_its_own_cid() {
    const int fd = stream();
    const VmName name(kAnyCid, 70'001);
    EXPECT_ERROR(bind_to(fd, own_cid + 1000, 70'001), EADDRNOTAVAIL);
    EXPECT_ERROR(bind(fd, name.get(), sizeof(sockaddr_vm) - 1), EINVAL);
    EXPECT_EQ(bind_to(fd, own_cid, 70'001), 0);
    EXPECT_EQ(local_name(fd).svm_cid, own_cid);
    EXPECT_ERROR(bind_to(fd, own_cid, 70'002), EINVAL);
    close(fd);
}

bool set_capability(bool wanted) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    syscall(SYS_capget, &header, data);
    const unsigned bit = 1U << CAP_NET_BIND_SERVICE;
    data[0].effective = wanted ? data[0].effective | bit : data[0].effective & ~bit;
    return syscall(SYS_capset, &header, data) == 0;
}

void reserved_ports_need_the_capability_and_zero_is_one_of_them() {
    const bool may = set_capability(true);
    for (const unsigned port : {0U, 512U, 1023U}) {
        const int fd = stream();
        if (may) {
            EXPECT_EQ(bind_to(fd, kAnyCid, port), 0);
            EXPECT_EQ(local_name(fd).svm_port, port);
            set_capability(false);
        }
        const int refused = stream();
        EXPECT_ERROR(bind_to(refused, kAnyCid, port), EACCES);
        if (may) set_capability(true);
        close(fd);
        close(refused);
    }
}

void options_are_kept() {
    const int fd = stream();
    std::uint64_t size = 100'000;
    socklen_t length = sizeof size;
    EXPECT_EQ(setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &size, length), 0);
    EXPECT_EQ(getsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &(size = 0), &length), 0);
    EXPECT_EQ(size, 100'000);
    EXPECT_EQ(setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, &(size = 5000), length), 0);
    EXPECT_EQ(getsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &size, &length), 0);
    EXPECT_EQ(size, 5000);  // it stays between the least and the most
    timeval timeout{7, 500'000};
    length = sizeof timeout;
    EXPECT_EQ(setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, length), 0);
    timeout = {};
    EXPECT_EQ(getsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, &length), 0);
    EXPECT_EQ(timeout.tv_sec, 7);
    EXPECT_EQ(timeout.tv_usec, 500'000);
    EXPECT_ERROR(setsockopt(fd, AF_VSOCK, 99, &size, sizeof size), ENOPROTOOPT);
    EXPECT_ERROR(setsockopt(fd, IPPROTO_TCP, 1, &size, sizeof(int)), ENOPROTOOPT);
    EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(length = 1), sizeof length), 0);
    close(fd);
}

void the_local_cid_is_told() {
    unsigned cid = 0;
    const int fd = stream();
    EXPECT_EQ(ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid), 0);
    EXPECT_EQ(cid, own_cid);
    close(fd);
    const int device = open("/dev/vsock", O_RDONLY);
    if (device < 0) return;
    EXPECT_EQ(ioctl(device, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &(cid = 0)), 0);
    EXPECT_EQ(cid, own_cid);
    close(device);
}

void a_port_is_held_by_the_child_too() {
    const int fd = bound_stream(kAnyCid, 70'005);
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    close(fd);
    const int other = stream();
    EXPECT_ERROR(bind_to(other, kAnyCid, 70'005), EADDRINUSE);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (int i = 0; i < 2000 && bind_to(other, kAnyCid, 70'005) != 0; ++i) usleep(10'000);
    EXPECT_EQ(local_name(other).svm_port, 70'005);
    close(other);
}

int exec_with(const char* kind, int fd) {
    const pid_t child = fork();
    if (child == 0) {
        const std::string number = std::to_string(fd);
        const std::string cid = std::to_string(own_cid);
        execl("/proc/self/exe", "vsock_cases_names", "inherited", kind, number.c_str(), cid.c_str(), nullptr);
        _exit(127);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void sockets_survive_exec() {
    const int bound = bound_stream(own_cid, 70'006);
    EXPECT_EQ(exec_with("bound", bound), 0);
    close(bound);
    Pair pair;
    EXPECT_EQ(send(pair.near, "hello", 5, 0), 5);
    EXPECT_EQ(exec_with("connection", pair.far), 0);
    const int caller = stream();
    EXPECT_EQ(connect_to(caller, own_cid, pair.port), 0);
    EXPECT_EQ(exec_with("listener", pair.at), 0);
    close(caller);
}

int check_inherited(const std::string& kind, int fd) {
    char bytes[5] = {};
    if (kind == "bound") {
        EXPECT_EQ(local_name(fd).svm_port, 70'006);
        EXPECT_EQ(local_name(fd).svm_cid, own_cid);
        EXPECT_ERROR(bind_to(stream(), kAnyCid, 70'006), EADDRINUSE);
    } else if (kind == "connection") {
        EXPECT_EQ(number_option(fd, SO_DOMAIN), AF_VSOCK);
        EXPECT_EQ(recv(fd, bytes, sizeof bytes, 0), 5);
        EXPECT_EQ(peer_name(fd).svm_cid, own_cid);
    } else {
        EXPECT_EQ(number_option(fd, SO_ACCEPTCONN), 1);
        EXPECT_EQ(accept(fd, nullptr, nullptr) >= 0, true);
    }
    if (!first_fault.empty()) fprintf(stderr, "inherited %s: %s\n", kind.c_str(), first_fault.c_str());
    return first_fault.empty() ? 0 : 1;
}

#define CASE(name, where) \
    { #name, name, Where::where }
constexpr Case kCases[] = {
    CASE(a_new_socket_is_an_unbound_vsock_stream, anywhere),
    CASE(an_unconnected_socket_moves_no_data, anywhere),
    CASE(port_any_is_an_automatic_port_above_the_reserved_ones, anywhere),
    CASE(a_port_is_taken_until_its_socket_is_closed, anywhere),
    CASE(a_socket_is_bound_once_and_to_its_own_cid, anywhere),
    CASE(reserved_ports_need_the_capability_and_zero_is_one_of_them, anywhere),
    CASE(options_are_kept, anywhere),
    CASE(the_local_cid_is_told, on_rings),
    CASE(a_port_is_held_by_the_child_too, anywhere),
    CASE(sockets_survive_exec, on_rings),
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return run_cases(kCases, argc, argv);
    own_cid = static_cast<unsigned>(atoi(argv[4]));
    return check_inherited(argv[2], atoi(argv[3]));
}
