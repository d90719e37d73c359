// AF_VSOCK sockets and their names: ports and options, as vsock(7) and net/vmw_vsock/af_vsock.c have it.
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/syscall.h>

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
}

void the_device_tells_the_local_cid_too() {
    unsigned cid = 0;
    const int device = open("/dev/vsock", O_RDONLY);
    EXPECT_EQ(ioctl(device, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid), 0);
    EXPECT_EQ(cid, own_cid);
    close(device);
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
    CASE(the_device_tells_the_local_cid_too, on_kernel_sockets),
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
