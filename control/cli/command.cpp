// From words to a verb: global options, the verb's own arguments, its run(), and the one place where a
// failure is printed. A report that could not be written (a full disk) is a failure too.
#include "control/cli/command.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cstdio>
#include <system_error>

#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

// runtime_paths.cpp ignores relative paths, so the user would look at another place than the one named.
Outcome<void> check_environment() {
    for (const char* name : {"XYLEM_RUNTIME_DIR", "XYLEM_FABRIC_DIR"}) {
        const char* value = ::getenv(name);
        if (value == nullptr || value[0] == '\0' || value[0] == '/') continue;
        return misused(fmt::format("{} is '{}', which is not an absolute path", name, printable(value)));
    }
    return {};
}

Outcome<int> run_verb(const Verb& verb, const std::vector<std::string>& words) {
    auto arguments = Arguments::parse(verb, words);
    if (!arguments) return tl::unexpected(arguments.error());
    if (arguments->has("help")) {
        fmt::print("{}", help_text(verb));
        return kOk;
    }
    if (auto checked = check_environment(); !checked) return tl::unexpected(checked.error());
    return verb.run(*arguments);
}

Outcome<int> dispatch(const std::vector<std::string>& words) {
    if (words.empty()) {
        fmt::print(stderr, "{}", menu_text());
        return kUsage;
    }
    std::string name = words[0];
    if (name == "--help" || name == "-h") name = "help";
    if (name == "--version" || name == "-V") name = "version";
    const Verb* verb = find_verb(name);
    if (verb == nullptr) {
        const char* what = name.starts_with("-") ? "option" : "verb";
        return misused(fmt::format("there is no {} '{}'{}", what, printable(name), suggested_verb(name)),
                       "see: xylem help");
    }
    return run_verb(*verb, {words.begin() + 1, words.end()});
}

}  // namespace

int run_command(const std::vector<std::string>& words) {
    try {
        auto exit_code = dispatch(words);
        const bool is_written = std::fflush(stdout) == 0;
        if (!exit_code) return report(exit_code.error());
        if (!is_written) return report({kFailed, "cannot write to standard output", {}});
        return *exit_code;
    } catch (const std::system_error& error) {
        // Mostly fmt::print()'s, of a stream that takes no more.
        const bool is_full = std::ferror(stdout) != 0;
        std::fprintf(stderr, "xylem: %s\n", is_full ? "cannot write to standard output" : error.what());
        return kFailed;
    }
}

}  // namespace xylem::cli
