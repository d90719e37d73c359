// AF_VSOCK connections within one domain and one program: `vsock_cases_streams CID`, one line a case.
// No case connects to a cid without an agent unless the kernel has no AF_VSOCK: it might be another
// machine's.
#include <fcntl.h>

#include <thread>

#include "vsock_case.hpp"

namespace {

void both_ends_know_both_names() {
    Pair pair;
    const unsigned client_port = local_name(pair.near).svm_port;
    EXPECT_EQ(local_name(pair.near).svm_cid, kAnyCid);  // the kernel's habit: never bound to a cid
    EXPECT_EQ(peer_name(pair.near).svm_cid, own_cid);
    EXPECT_EQ(peer_name(pair.near).svm_port, pair.port);
    EXPECT_EQ(local_name(pair.far).svm_cid, own_cid);
    EXPECT_EQ(local_name(pair.far).svm_port, pair.port);
    EXPECT_EQ(peer_name(pair.far).svm_cid, own_cid);
    EXPECT_EQ(peer_name(pair.far).svm_port, client_port);
    EXPECT_EQ(number_option(pair.far, SO_DOMAIN), AF_VSOCK);
    EXPECT_EQ(number_option(pair.at, SO_ACCEPTCONN), 1);
    EXPECT_ERROR(connect_to(pair.near, own_cid, pair.port), EISCONN);
    EXPECT_ERROR(listen(pair.near, 1), EINVAL);
    EXPECT_ERROR(connect_to(pair.at, own_cid, pair.port), EINVAL);
}

void nobody_listening_resets_and_the_socket_may_try_again() {
    const int at = listener();
    const int fd = stream();
    EXPECT_ERROR(connect_to(fd, own_cid, 70'003), ECONNRESET);
    EXPECT_EQ(events_of(fd), POLLOUT);
    EXPECT_EQ(connect_to(fd, own_cid, local_name(at).svm_port), 0);
    close(fd);
    close(at);
    const int nonblocking = stream(SOCK_NONBLOCK);
    EXPECT_ERROR(connect_to(nonblocking, own_cid, 70'003), ECONNRESET);
    close(nonblocking);
}

void no_domain_of_that_cid_is_no_device() {
    const int fd = stream();
    EXPECT_ERROR(connect_to(fd, own_cid + 1000, 70'004), ENODEV);
    EXPECT_ERROR(connect_to(fd, VMADDR_CID_HOST, 70'004), ENODEV);
    EXPECT_ERROR(connect_to(fd, kAnyCid, 70'004), ENODEV);
    const VmName name(own_cid, 70'004);
    EXPECT_ERROR(connect(fd, name.get(), sizeof(sockaddr_vm) - 1), EINVAL);
    close(fd);
}

void the_local_cid_is_the_own_domain() {
    const int at = listener(8, own_cid);
    const int fd = stream();
    EXPECT_EQ(connect_to(fd, VMADDR_CID_LOCAL, local_name(at).svm_port), 0);
    EXPECT_EQ(peer_name(fd).svm_cid, own_cid);
    close(fd);
    close(at);
}

void a_full_queue_resets() {
    const int at = listener(1);
    int fds[3] = {stream(), stream(), stream()};
    int refused = 0;
    for (const int fd : fds) refused += connect_to(fd, own_cid, local_name(at).svm_port) != 0 ? 1 : 0;
    EXPECT_ERROR(refused > 0 ? -1 : 0, ECONNRESET);
    for (const int fd : fds) close(fd);
    close(at);
}

void a_nonblocking_connect_is_in_progress_then_done() {
    const int at = listener();
    const int fd = stream(SOCK_NONBLOCK);
    EXPECT_ERROR(connect_to(fd, own_cid, local_name(at).svm_port), EINPROGRESS);
    EXPECT_EQ(events_of(fd), POLLOUT);
    EXPECT_EQ(number_option(fd, SO_ERROR), 0);
    EXPECT_ERROR(connect_to(fd, own_cid, local_name(at).svm_port), EISCONN);
    char byte;
    EXPECT_ERROR(recv(fd, &byte, 1, 0), EAGAIN);
    close(fd);
    close(at);
}

void bytes_go_both_ways_and_ends_are_seen_one_by_one() {
    Pair pair;
    const std::string there = pattern(3'000'000, 1);
    const std::string back = pattern(2'000'000, 2);
    std::thread far([&] {
        EXPECT_EQ(receive_all(pair.far) == there, true);
        EXPECT_EQ(send_all(pair.far, back), true);
        close(pair.far);
    });
    EXPECT_EQ(send_all(pair.near, there), true);
    EXPECT_EQ(shutdown(pair.near, SHUT_WR), 0);
    EXPECT_EQ(receive_all(pair.near) == back, true);
    far.join();
    pair.far = -1;
    EXPECT_ERROR(send(pair.near, "x", 1, MSG_NOSIGNAL), EPIPE);
}

void poll_tells_what_there_is() {
    const int at = listener();
    EXPECT_EQ(events_of(at), 0);
    EXPECT_EQ(fcntl(at, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(fcntl(at, F_SETFL, O_NONBLOCK), 0);
    EXPECT_ERROR(accept(at, nullptr, nullptr), EAGAIN);
    const int waiting = stream();
    EXPECT_EQ(connect_to(waiting, own_cid, local_name(at).svm_port), 0);
    EXPECT_EQ(events_of(at), POLLIN);
    close(accept(at, nullptr, nullptr));
    EXPECT_EQ(events_of(at), 0);
    close(waiting);
    Pair pair(at);
    EXPECT_EQ(events_of(pair.far), POLLOUT);
    EXPECT_EQ(send(pair.near, "abc", 3, 0), 3);
    EXPECT_EQ(events_of(pair.far), POLLIN | POLLOUT);
    int ready = 0;
    EXPECT_EQ(ioctl(pair.far, FIONREAD, &ready), 0);
    EXPECT_EQ(ready, 3);
    char bytes[8];
    EXPECT_EQ(recv(pair.far, bytes, sizeof bytes, 0), 3);
    EXPECT_EQ(shutdown(pair.near, SHUT_WR), 0);
    EXPECT_EQ(events_of(pair.far), POLLIN | POLLOUT | POLLRDHUP);
    EXPECT_EQ(recv(pair.far, bytes, sizeof bytes, 0), 0);
}

int wait_for_one(int set, int timeout_ms) {
    epoll_event event{};
    return epoll_wait(set, &event, 1, timeout_ms) == 1 ? event.data.fd : -1;
}

void epoll_wakes_for_listeners_and_connections() {
    const int set = epoll_create1(EPOLL_CLOEXEC);
    const int at = bound_stream();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.fd = at;
    EXPECT_EQ(epoll_ctl(set, EPOLL_CTL_ADD, at, &event), 0);
    EXPECT_EQ(listen(at, 8), 0);
    EXPECT_EQ(wait_for_one(set, 0), -1);
    std::thread caller([at] {
        usleep(20'000);
        const int fd = stream();
        EXPECT_EQ(connect_to(fd, own_cid, local_name(at).svm_port), 0);
        usleep(20'000);
        EXPECT_EQ(send(fd, "x", 1, 0), 1);
        close(fd);
    });
    EXPECT_EQ(wait_for_one(set, 20'000), at);
    event.data.fd = accept(at, nullptr, nullptr);
    event.events = EPOLLIN;
    EXPECT_EQ(epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event), 0);
    EXPECT_EQ(wait_for_one(set, 20'000), event.data.fd);
    caller.join();
    for (const int fd : {set, at, event.data.fd}) close(fd);
}

#define CASE(name, where) \
    { #name, name, Where::where }
constexpr Case kCases[] = {
    CASE(both_ends_know_both_names, on_rings),
    CASE(nobody_listening_resets_and_the_socket_may_try_again, on_rings),
    CASE(no_domain_of_that_cid_is_no_device, on_stand_ins),
    CASE(the_local_cid_is_the_own_domain, on_rings),
    CASE(a_full_queue_resets, on_rings),
    CASE(a_nonblocking_connect_is_in_progress_then_done, on_rings),
    CASE(bytes_go_both_ways_and_ends_are_seen_one_by_one, on_rings),
    CASE(poll_tells_what_there_is, on_rings),
    CASE(epoll_wakes_for_listeners_and_connections, on_rings),
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
