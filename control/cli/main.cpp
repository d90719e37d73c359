// `xylem`: the command. Everything else is in libcli.a, so that tests can link it.
#include "control/cli/command.hpp"

int main(int argc, char** argv) { return xylem::cli::run_command({argv + (argc > 0 ? 1 : 0), argv + argc}); }
