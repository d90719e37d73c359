// The list of verbs, and the help that is made of it. Help texts, completion (xylem.bash-completion) and
// manual (docs/man/xylem.1) name the same options; tests/control/cli_help.sh compares them.
#include "control/cli/verb.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <sstream>

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

constexpr unsigned kLineWidth = 110;

// continuation stands before lines that begin with a blank.
std::string indented(std::string_view text, std::string_view indent, std::string_view continuation) {
    std::string result;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        result += fmt::format("{}{}\n", text.starts_with(" ") ? continuation : indent, text.substr(0, end));
        text = end == text.npos ? std::string_view() : text.substr(end + 1);
    }
    return result;
}

}  // namespace

std::span<const Verb* const> all_verbs() {
    static constexpr std::array kVerbs{&kRunVerb,     &kTuneVerb,    &kLsVerb,    &kStatVerb,
                                       &kCaptureVerb, &kExplainVerb, &kHostsVerb, &kPolicyVerb,
                                       &kDoctorVerb,  &kVersionVerb, &kHelpVerb,  &kSelfTestVerb};
    return kVerbs;
}

const Verb* find_verb(std::string_view name) {
    for (const Verb* verb : all_verbs()) {
        if (verb->name == name) return verb;
    }
    return nullptr;
}

std::string suggested_verb(const std::string& given) {
    std::vector<std::string> names;
    for (const Verb* verb : all_verbs()) {
        if (!verb->is_hidden) names.emplace_back(verb->name);
    }
    return suggestion(given, names);
}

po::typed_value<std::string>* text_value(const char* placeholder) {
    return po::value<std::string>()->value_name(placeholder);
}

std::string menu_text() {
    std::string text =
        "Xylem carries the TCP and AF_VSOCK sockets of unmodified programs over shared memory.\n\n"
        "usage: xylem VERB [OPTIONS]\n\n";
    for (const Verb* verb : all_verbs()) {
        if (!verb->is_hidden) text += fmt::format("  {:<9} {}\n", verb->name, verb->summary);
    }
    return text +
           "\nexamples:\n"
           "  xylem run --domain 1 -- iperf3 -s\n"
           "  xylem run --domain 2 -- iperf3 -c 127.44.0.1\n"
           "  xylem ls --all\n"
           "\n'xylem VERB --help' says more about one verb, 'man xylem' about all.\n";
}

std::string help_text(const Verb& verb) {
    std::string text =
        fmt::format("{}\n\nusage:\n{}", verb.summary, indented(verb.synopsis, "  xylem ", "        "));
    if (!verb.details.empty()) text += "\n" + indented(verb.details, "", "");
    po::options_description shown("options", kLineWidth, kLineWidth / 2);
    shown.add_options()("help,h", "print this text");
    po::options_description own = verb.options();
    for (const auto& option : own.options()) shown.add(option);
    std::ostringstream options;
    options << shown;
    text += "\n" + options.str();
    if (!verb.examples.empty()) text += "\nexamples:\n" + indented(verb.examples, "  ", "  ");
    return text;
}

}  // namespace xylem::cli
