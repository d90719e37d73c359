// `xylem doctor`: goes through everything that must hold for a connection to take a ring, from the files on
// disk to a connection between two domains, and says for each what to do if it does not.
#include <fmt/format.h>

#include <cstdio>

#include "control/cli/check.hpp"
#include "control/cli/domains.hpp"
#include "control/cli/terminal.hpp"
#include "control/cli/verb.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

po::options_description doctor_options() {
    po::options_description known;
    auto add = known.add_options();
    add("domain", text_value("N"),
        "the domain whose agent is asked; default XYLEM_DOMAIN, else the default agent's, else the guest's, "
        "else 1");
    add("no-connection", "leave out the test connection, which takes two agents and two programs");
    return known;
}

std::string mark(Verdict verdict, bool colours) {
    switch (verdict) {
        case Verdict::ok:
            break;
        case Verdict::warn:
            return painted("[warn]", Paint::doubtful, colours);
        case Verdict::fail:
            return painted("[fail]", Paint::bad, colours);
    }
    return painted("[ok]", Paint::good, colours) + "  ";
}

struct Tally {
    unsigned warnings = 0;
    unsigned failures = 0;
};

void print(const Checks& checks, Tally& tally) {
    const bool colours = colours_on(stdout);
    for (const Check& check : checks) {
        fmt::print("{} {:<14} {}\n", mark(check.verdict, colours), check.subject, check.finding);
        if (check.verdict != Verdict::ok) fmt::print("{:>22}{}\n", "-> ", check.remedy);
        tally.warnings += check.verdict == Verdict::warn ? 1 : 0;
        tally.failures += check.verdict == Verdict::fail ? 1 : 0;
    }
    std::fflush(stdout);
}

Outcome<int> run_doctor(const Arguments& arguments) {
    auto domain = chosen_domain(arguments.value("domain"));
    if (!domain) return tl::unexpected(domain.error());
    Tally tally;
    print(check_installation(), tally);
    print(check_folders(*domain), tally);
    print(check_files(*domain), tally);
    print(check_agent(*domain), tally);
    print(check_system(), tally);
    print(check_xen(*domain), tally);
    if (!arguments.has("no-connection")) print(check_connection(), tally);
    if (tally.failures == 0 && tally.warnings == 0) {
        fmt::print("all is well\n");
    } else {
        fmt::print("{} failed, {} to look at\n", tally.failures, tally.warnings);
    }
    return tally.failures == 0 ? kOk : kFailed;
}

}  // namespace

const Verb kDoctorVerb{
    "doctor",
    "check the installation, the agent and the system",
    "doctor [--domain N] [--no-connection]",
    "Prints [ok], [warn] or [fail] for each, with what to do. Exits 1 if anything failed. The last\n"
    "check connects two domains of its own and leaves nothing behind.",
    "xylem doctor\n"
    "xylem doctor --domain 2 --no-connection",
    doctor_options,
    run_doctor,
};

}  // namespace xylem::cli
