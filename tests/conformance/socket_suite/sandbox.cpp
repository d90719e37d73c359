// Cases of a process that locks itself in as OpenSSH's and others do: no more descriptors, and a seccomp
// filter that kills for every call but those between open descriptors.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "calls.hpp"

namespace {

constexpr int kRounds = 300;
constexpr std::size_t kLarge = 3 << 20;

constexpr unsigned kAllowed[] = {
    SYS_read,          SYS_write,      SYS_close,          SYS_shutdown,  SYS_ppoll,  SYS_futex,
    SYS_mmap,          SYS_munmap,     SYS_mremap,         SYS_madvise,   SYS_brk,    SYS_getpid,
    SYS_exit,          SYS_exit_group, SYS_rt_sigprocmask, SYS_nanosleep, SYS_gettid, SYS_clock_nanosleep,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_clock_gettime,
};

void add_rule(std::vector<sock_filter>& rules, unsigned call) {
    rules.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    rules.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

// From here on the process can do nothing but talk over what it has.
bool lock_in() {
    const rlimit none{1, 1};
    std::vector<sock_filter> rules;
    rules.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (const unsigned call : kAllowed) add_rule(rules, call);
    rules.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    const sock_fprog filter{static_cast<unsigned short>(rules.size()), rules.data()};
    return setrlimit(RLIMIT_NOFILE, &none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool read_all(int fd, char* bytes, std::size_t size, bool polls) {
    for (std::size_t done = 0; done < size;) {
        pollfd item{fd, POLLIN, 0};
        if (polls && poll(&item, 1, kPatienceMs) != 1) return false;
        const ssize_t got = read(fd, bytes + done, size - done);
        if (got <= 0) return false;
        done += static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(int fd, const char* bytes, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
        const ssize_t sent = write(fd, bytes + done, size - done);
        if (sent <= 0) return false;
        done += static_cast<std::size_t>(sent);
    }
    return true;
}

enum class Answering { plain, polling, late };

// Answers small messages one by one, then takes and returns a large one. An exit code.
int answer(int fd, Answering how, std::string& room) {
    const bool polls = how == Answering::polling;
    for (int i = 0; i < kRounds; ++i) {
        if (!read_all(fd, room.data(), 32, polls)) return 2;
        if (how == Answering::late && i % 2 == 0) usleep(2'000);  // so that the asker sleeps
        if (!write_all(fd, room.data(), 32)) return 3;
    }
    if (!read_all(fd, room.data(), kLarge, polls)) return 4;
    return write_all(fd, room.data(), kLarge) ? 0 : 5;
}

int wrong_answers(int fd) {
    std::string back(32, '\0');
    int wrong = 0;
    for (int i = 0; i < kRounds; ++i) {
        const std::string question = pattern(32, static_cast<std::uint64_t>(i));
        if (i % 100 == 0) usleep(20'000);  // so that the other side sleeps
        wrong += !write_all(fd, question.data(), 32) || !read_all(fd, back.data(), 32, false) ||
                 back.compare(0, 32, question) != 0;
    }
    return wrong;
}

// The answers that another process gets, whose doorbells are made when the sandbox is there.
int wrong_answers_later(int fd) {
    usleep(200'000);
    const pid_t child = fork();
    if (child == 0) _exit(wrong_answers(fd) != 0);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

void ask(Side& side, int fd, bool is_later) {
    const int wrong = is_later ? wrong_answers_later(fd) : wrong_answers(fd);
    side.line("wrong answers: %d", wrong);
    std::string back(kLarge, '\0');
    const std::string large = pattern(kLarge);
    side.line("sent: %d", write_all(fd, large.data(), kLarge));
    side.line("came back: %d", read_all(fd, back.data(), kLarge, false) && back == large);
    receive_bytes(side, fd, 1);
}

// As sshd does: the connection has been used before, and a child goes into the sandbox with it.
void play(Side& side, Answering how, bool forks) {
    const int fd = side.connection();
    if (!side.server) {
        send_bytes(side, fd, 10);
        receive_bytes(side, fd, 10, MSG_WAITALL);
        return ask(side, fd, how == Answering::late);
    }
    receive_bytes(side, fd, 10, MSG_WAITALL);
    send_bytes(side, fd, 10);
    std::string room(kLarge, '\0');
    const pid_t child = fork();
    if (child == 0) {
        if (forks && fork() != 0) _exit(0);
        _exit(lock_in() ? answer(fd, how, room) : 1);
    }
    close(fd);
    int status = 0;
    waitpid(child, &status, 0);
    side.line("child: exit code %d, signal %d", WEXITSTATUS(status),
              WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void a_child_in_a_sandbox_reads_and_writes(Side& side) { play(side, Answering::plain, false); }
void a_child_in_a_sandbox_polls(Side& side) { play(side, Answering::polling, false); }
void a_grandchild_in_a_sandbox_reads_and_writes(Side& side) { play(side, Answering::plain, true); }
void a_child_in_a_sandbox_answers_a_later_process(Side& side) { play(side, Answering::late, false); }

constexpr Case kCases[] = {
    {"a_child_in_a_sandbox_reads_and_writes", a_child_in_a_sandbox_reads_and_writes, true},
    {"a_child_in_a_sandbox_polls", a_child_in_a_sandbox_polls, true},
    {"a_grandchild_in_a_sandbox_reads_and_writes", a_grandchild_in_a_sandbox_reads_and_writes, true},
    {"a_child_in_a_sandbox_answers_a_later_process", a_child_in_a_sandbox_answers_a_later_process, true},
};

}  // namespace

int main(int argc, char** argv) { return run_cases(kCases, argc, argv); }
