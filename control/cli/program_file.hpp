// The file behind a command: where execvp(3) will find it, and whether the guest library can get into it.
#pragma once

#include <cstdint>
#include <string>

#include "control/cli/failure.hpp"

namespace xylem::cli {

// As execvp: a name with a slash as it is, another one through PATH.
// Errors: kNotFound, kCannotExecute.
Outcome<std::string> find_program(const std::string& name);

enum class Preload : std::uint8_t {
    works,
    no_static_program,  // no dynamic loader runs, so nothing is preloaded
    no_privileged,      // setuid, setgid or file capabilities: the loader ignores LD_PRELOAD paths
    no_other_machine,   // an ELF file of another word size or processor
};

// Looks through up to four #! lines at the program that really runs.
Preload preload_into(const std::string& path);
// "is statically linked", ...; empty for works.
const char* preload_text(Preload preload);

}  // namespace xylem::cli
