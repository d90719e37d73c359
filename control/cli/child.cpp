// Child: fork and exec with one pipe. The child runs in this process's group, so that an interrupt from the
// terminal ends both.
#include "control/cli/child.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/cli/exec_words.hpp"
#include "control/cli/failure.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

[[noreturn]] void become(const std::vector<std::string>& words, const Environment& environment, int output) {
    std::vector<char*> arguments = exec_words(words);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(kCannotExecute);
}

}  // namespace

Child::Child(const std::vector<std::string>& words, const Environment& environment) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    pipe_.reset(ends[0]);
    const UniqueFd output(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) become(words, environment, output.get());
}

Child::~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

bool Child::read_more(std::uint64_t deadline_ns) {
    const std::uint64_t now = now_ns();
    if (now >= deadline_ns || !pipe_) return false;
    pollfd item{pipe_.get(), POLLIN, 0};
    const int ready = ::poll(&item, 1, static_cast<int>((deadline_ns - now) / kNsPerMs) + 1);
    if (ready < 0) return errno == EINTR;
    if (ready == 0) return true;
    char chunk[4096];
    const ssize_t got = ::read(pipe_.get(), chunk, sizeof chunk);
    if (got <= 0) return false;
    output_.append(chunk, static_cast<std::size_t>(got));
    return true;
}

bool Child::read_until(const std::string& text, std::uint64_t deadline_ns) {
    while (output_.find(text) == output_.npos) {
        if (!read_more(deadline_ns)) return false;
    }
    return true;
}

int Child::wait(std::uint64_t deadline_ns) {
    if (pid_ <= 0) return kCannotExecute;
    while (read_more(deadline_ns)) continue;
    for (;;) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        if (now_ns() >= deadline_ns) return -1;
        ::usleep(1'000);
    }
}

}  // namespace xylem::cli
