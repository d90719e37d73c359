// One verb of the command: what it is called, what it takes, what it does. One file a verb.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/arguments.hpp"

namespace xylem::cli {

struct Verb {
    std::string_view name;
    std::string_view summary;   // one line of the menu
    std::string_view synopsis;  // after "xylem "; several forms on several lines
    std::string_view details;   // a paragraph or two
    std::string_view examples;  // one a line
    boost::program_options::options_description (*options)();
    Outcome<int> (*run)(const Arguments& arguments);  // exit code
    std::size_t max_words = 0;                        // beside options
    bool takes_command = false;                       // everything from the first plain word on is a command
    bool is_hidden = false;                           // not in menus
};

extern const Verb kRunVerb, kLsVerb, kStatVerb, kCaptureVerb, kExplainVerb, kHostsVerb, kPolicyVerb,
    kDoctorVerb, kTuneVerb, kVersionVerb, kHelpVerb, kSelfTestVerb;

// In the order of the menu.
std::span<const Verb* const> all_verbs();
const Verb* find_verb(std::string_view name);
// "; did you mean 'ls'?", or nothing.
std::string suggested_verb(const std::string& given);

// An option with a value, as Boost wants it, for the options() of verbs.
boost::program_options::typed_value<std::string>* text_value(const char* placeholder);

// The menu of all verbs, and the page of one.
std::string menu_text();
std::string help_text(const Verb& verb);

}  // namespace xylem::cli
