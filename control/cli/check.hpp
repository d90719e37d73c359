// One line of `xylem doctor`: what was looked at, what was found, and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xylem::cli {

enum class Verdict : std::uint8_t {
    ok,
    warn,  // works, but slower or less than it could
    fail,  // something will not work
};

struct Check {
    Verdict verdict = Verdict::ok;
    std::string subject;
    std::string finding;
    std::string remedy;  // empty for ok
};

using Checks = std::vector<Check>;

// Of a limit: worth a warning.
inline constexpr double kNearlyFull = 0.9;

// By subject, one file each. None prints, none changes anything that stays.
Checks check_installation();                 // check_installation.cpp
Checks check_folders(std::uint32_t domain);  // check_folders.cpp
Checks check_files(std::uint32_t domain);    // check_folders.cpp
Checks check_agent(std::uint32_t domain);    // check_agent.cpp
Checks check_system();                       // check_system.cpp
Checks check_xen(std::uint32_t domain);      // check_xen.cpp; empty where there is no Xen
Checks check_connection();                   // check_connection.cpp

}  // namespace xylem::cli
