// xylemd: the agent of one domain. Everything is elsewhere, so that tests can link it.
#include "control/agent/daemon.hpp"

int main(int argc, char** argv) {
    int exit_code = 0;
    const auto options = xylem::agent::read_options(argc, argv, exit_code);
    return options ? xylem::agent::run_daemon(*options) : exit_code;
}
