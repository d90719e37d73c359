// Cases of calls with vectors, messages and files, and of much data in both directions.
#include <sys/mman.h>
#include <sys/sendfile.h>

#include <algorithm>
#include <random>

#include "calls.hpp"

namespace {

void vectors_are_gathered_and_scattered(Side& side) {
    const int fd = side.connection();
    const std::string bytes = pattern(100);
    if (!side.server) {
        char* base = const_cast<char*>(bytes.data());
        const iovec pieces[] = {{base, 10}, {nullptr, 0}, {base + 10, 60}, {base + 70, 30}};
        side.result("writev", writev(fd, pieces, 4));
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 100);
    char first[7], second[50], third[100];
    const iovec pieces[] = {
        {first, sizeof first}, {nullptr, 0}, {second, sizeof second}, {third, sizeof third}};
    side.result("readv", readv(fd, pieces, 4));
    side.line("equal: %d", memcmp(first, bytes.data(), 7) == 0 && memcmp(second, bytes.data() + 7, 50) == 0 &&
                               memcmp(third, bytes.data() + 57, 43) == 0);
    side.meet();
}

msghdr message_of(iovec* pieces, std::size_t count) {
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    return message;
}

void messages_carry_their_bytes(Side& side) {
    const int fd = side.connection();
    std::string bytes = pattern(60);
    iovec pieces[2] = {{bytes.data(), 20}, {bytes.data() + 20, 40}};
    msghdr message = message_of(pieces, 2);
    if (!side.server) {
        side.result("sendmsg", sendmsg(fd, &message, MSG_NOSIGNAL));
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 60);
    std::string got(100, '\0');
    pieces[0] = {got.data(), 15};
    pieces[1] = {got.data() + 15, 85};
    char control[64];
    Name name;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    message.msg_name = name.get();
    message.msg_namelen = name.length;
    message.msg_flags = 0x7FFF;
    side.result("recvmsg peeking", recvmsg(fd, &message, MSG_PEEK));
    side.line("name %u control %zu flags 0x%x", message.msg_namelen, message.msg_controllen,
              static_cast<unsigned>(message.msg_flags));
    side.result("recvmsg", recvmsg(fd, &message, 0));
    side.line("equal: %d", got.compare(0, 60, bytes) == 0);
    side.result("recvmsg of nothing", recvmsg(fd, &message, MSG_DONTWAIT));
    message.msg_iovlen = IOV_MAX + 1;
    side.result("recvmsg of too many", recvmsg(fd, &message, MSG_DONTWAIT));
    side.result("sendmsg of too many", sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
    side.meet();
}

void several_messages_in_one_call(Side& side) {
    const int fd = side.connection();
    std::string bytes = pattern(90);
    iovec pieces[3] = {{bytes.data(), 20}, {bytes.data() + 20, 30}, {bytes.data() + 50, 40}};
    mmsghdr messages[3] = {};
    for (int i = 0; i < 3; ++i) messages[i].msg_hdr = message_of(pieces + i, 1);
    if (!side.server) {
        side.result("sendmmsg", sendmmsg(fd, messages, 3, MSG_NOSIGNAL));
        side.line("lengths %u %u %u", messages[0].msg_len, messages[1].msg_len, messages[2].msg_len);
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 90);
    bytes.assign(90, '\0');
    for (int i = 0; i < 3; ++i) pieces[i].iov_len = i == 2 ? 15 : 30;
    side.result("recvmmsg", recvmmsg(fd, messages, 2, 0, nullptr));
    side.line("lengths %u %u", messages[0].msg_len, messages[1].msg_len);
    side.result("recvmmsg", recvmmsg(fd, messages, 3, MSG_WAITFORONE, nullptr));
    side.line("lengths %u %u", messages[0].msg_len, messages[1].msg_len);
    side.result("recvmmsg", recvmmsg(fd, messages, 3, MSG_DONTWAIT, nullptr));
    side.meet();
}

void addresses_in_sendto_and_recvfrom(Side& side) {
    const int fd = side.connection();
    Name name = name_of("127.0.0.1", 9);
    if (!side.server) {
        side.result("sendto elsewhere", sendto(fd, "hello", 5, MSG_NOSIGNAL, name.get(), name.length));
        side.meet();
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 5);
    char bytes[10];
    name.length = sizeof name.storage;
    show_received(side, "recvfrom", recvfrom(fd, bytes, sizeof bytes, 0, name.get(), &name.length), bytes);
    side.line("length of the name %u", name.length);
    side.meet();
}

int file_of(const std::string& bytes) {
    const int file = memfd_create("case", MFD_CLOEXEC);
    if (write(file, bytes.data(), bytes.size()) < 0) return -1;
    return file;
}

void files_are_sent(Side& side) {
    const int fd = side.connection();
    constexpr std::size_t kSize = 300'000;
    if (side.server) {
        receive_bytes(side, fd, 100, MSG_WAITALL);
        receive_bytes(side, fd, 200, MSG_WAITALL);
        receive_bytes(side, fd, kSize, MSG_WAITALL);
        side.meet();
        return;
    }
    const int file = file_of(pattern(kSize));
    lseek(file, 0, SEEK_SET);
    side.result("sendfile at the file's position", sendfile(fd, file, nullptr, 100));
    side.result("position", lseek(file, 0, SEEK_CUR));
    off_t offset = 1000;
    side.result("sendfile at an offset", sendfile(fd, file, &offset, 200));
    side.line("offset %lld", static_cast<long long>(offset));
    side.result("position", lseek(file, 0, SEEK_CUR));
    offset = 0;
    while (offset < static_cast<off_t>(kSize)) {
        if (sendfile(fd, file, &offset, 2 * kSize) <= 0) break;
    }
    side.line("offset %lld", static_cast<long long>(offset));
    side.result("sendfile behind the end", sendfile(fd, file, &offset, 100));
    side.result("sendfile of nothing", sendfile(fd, file, &offset, 0));
    side.result("sendfile of a bad descriptor", sendfile(fd, 999, &offset, 10));
    side.meet();
}

void splice_moves_bytes_of_pipes(Side& side) {
    const int fd = side.connection();
    int ends[2];
    side.must("pipe", pipe(ends));
    if (!side.server) {
        side.result("write", write(ends[1], "through a pipe", 14));
        side.result("splice", splice(ends[0], nullptr, fd, nullptr, 14, 0));
        side.meet();
        return;
    }
    side.meet();
    await_bytes(fd, 14);
    side.result("splice", splice(fd, nullptr, ends[1], nullptr, 14, 0));
    char bytes[20];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    show_received(side, "read", read(ends[0], bytes, sizeof bytes), bytes);
}

void stdio_reads_and_writes(Side& side) {
    const int fd = side.connection();
    FILE* in = fdopen(fd, "r");
    FILE* out = fdopen(dup(fd), "w");
    const bool opened = in != nullptr && out != nullptr;
    side.line("opened: %d", opened);
    char text[100] = "";
    if (!side.server) {
        side.line("fprintf = %d", fprintf(out, "a question of %d words\n", 5));
        side.line("fflush = %d", fflush(out));
        side.line("dprintf = %d", dprintf(fd, "and one more\n"));
        side.meet();
        side.line("fgets: %s", fgets(text, sizeof text, in) != nullptr ? text : "nothing");
    } else {
        side.meet();
        await_bytes(fd, 35);
        side.line("fgets: %s", fgets(text, sizeof text, in) != nullptr ? text : "nothing");
        side.line("fgets: %s", fgets(text, sizeof text, in) != nullptr ? text : "nothing");
        side.line("fputs = %d", fputs("the answer\n", out) >= 0);
        side.line("fclose = %d", fclose(out));
    }
    side.meet();
}

// Both directions at once, pieces of any size, through poll: every byte in its place.
void much_data_both_ways(Side& side) {
    const int fd = side.connection(SOCK_NONBLOCK);
    constexpr std::size_t kTotal = 24 << 20;
    const std::string bytes = pattern(1 << 20);
    std::minstd_rand random(side.server ? 1 : 2);
    std::string buffer(300'000, '\0');
    std::size_t sent = 0, received = 0;
    bool equal = true;
    while (sent < kTotal || received < kTotal) {
        pollfd item{fd, static_cast<short>((sent < kTotal ? POLLOUT : 0) | (received < kTotal ? POLLIN : 0)),
                    0};
        if (poll(&item, 1, kPatienceMs) <= 0) break;
        if ((item.revents & POLLOUT) != 0) {
            const std::size_t at = sent % bytes.size();
            const std::size_t size =
                std::min({bytes.size() - at, kTotal - sent, 1 + random() % buffer.size()});
            const ssize_t now = send(fd, bytes.data() + at, size, MSG_NOSIGNAL);
            if (now > 0) sent += static_cast<std::size_t>(now);
        }
        if ((item.revents & POLLIN) != 0) {
            const std::size_t at = received % bytes.size();
            const std::size_t room = std::min(bytes.size() - at, 1 + random() % buffer.size());
            const ssize_t now = recv(fd, buffer.data(), room, 0);
            if (now <= 0) break;
            equal = equal && memcmp(buffer.data(), bytes.data() + at, static_cast<std::size_t>(now)) == 0;
            received += static_cast<std::size_t>(now);
        }
    }
    side.line("sent %zu, received %zu, equal %d", sent, received, equal);
    side.meet();
}

constexpr Case kCases[] = {
    {"vectors_are_gathered_and_scattered", vectors_are_gathered_and_scattered},
    {"messages_carry_their_bytes", messages_carry_their_bytes},
    {"several_messages_in_one_call", several_messages_in_one_call},
    {"addresses_in_sendto_and_recvfrom", addresses_in_sendto_and_recvfrom},
    {"files_are_sent", files_are_sent},
    {"splice_moves_bytes_of_pipes", splice_moves_bytes_of_pipes},
    {"stdio_reads_and_writes", stdio_reads_and_writes},
    {"much_data_both_ways", much_data_both_ways},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
