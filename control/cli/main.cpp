// `xylem`: the command. Everything else is in libcli.a, so that tests can link it.
#include <fcntl.h>
#include <unistd.h>

#include "control/cli/command.hpp"

namespace {

// A file that is opened where a standard stream was closed would get what is said there.
void fill_standard_streams() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    }
}

}  // namespace

int main(int argc, char** argv) {
    fill_standard_streams();
    return xylem::cli::run_command({argv + (argc > 0 ? 1 : 0), argv + argc});
}
