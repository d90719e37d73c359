// Why a verb could not do what it was asked, in words for its user, and the exit code that says so to
// scripts.
#pragma once

#include <string>
#include <utility>

#include "vsock-transport/base/result.hpp"

namespace xylem::cli {

// Exit codes of the command; also in docs/man/xylem.1.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // something was found wrong, or could not be done
inline constexpr int kUsage = 2;
inline constexpr int kNoAgent = 3;
inline constexpr int kCannotExecute = 126;  // as env(1): found, but not executable
inline constexpr int kNotFound = 127;       // as env(1): no such command

struct Failure {
    int exit_code = kFailed;
    std::string wrong;   // one sentence without a full stop; more lines if there is more to say
    std::string remedy;  // what to do; may be empty
};

template <class T>
using Outcome = Result<T, Failure>;

inline tl::unexpected<Failure> failed(int exit_code, std::string wrong, std::string remedy = {}) {
    return tl::unexpected<Failure>(Failure{exit_code, std::move(wrong), std::move(remedy)});
}
inline tl::unexpected<Failure> misused(std::string wrong, std::string remedy = {}) {
    return failed(kUsage, std::move(wrong), std::move(remedy));
}

// Prints it to standard error as "xylem: wrong" and returns its exit code.
int report(const Failure& failure);

}  // namespace xylem::cli
