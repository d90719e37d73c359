// Arguments: Boost.Program_options does the options; this file only decides which words it gets to see.
// `run` stops at the first word that is no option, as env(1) does, because what follows belongs to another
// program; the other verbs take options anywhere. "--" ends the options of both.
// Boost reports by exception; none leaves this file.
#include "control/cli/arguments.hpp"

#include <fmt/format.h>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>

#include "control/cli/verb.hpp"
#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

// Whole names only: a name that is cut short would change its meaning with the next option added.
constexpr int kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

// How many words belong to the options: up to the first that is none.
std::size_t count_option_words(const po::options_description& known, const std::vector<std::string>& words) {
    std::size_t i = 0;
    while (i < words.size() && words[i].size() > 1 && words[i][0] == '-' && words[i] != "--") {
        const std::string& word = words[i++];
        const bool is_long = word[1] == '-';
        if (is_long && word.find('=') != word.npos) continue;
        if (!is_long && word.size() > 2) continue;
        const auto* option = known.find_nothrow(is_long ? word.substr(2) : word, false);
        if (option != nullptr && option->semantic()->min_tokens() > 0) ++i;
    }
    return std::min(i, words.size());
}

std::vector<std::string> long_names(const po::options_description& known) {
    std::vector<std::string> names;
    for (const auto& option : known.options()) names.push_back("--" + option->long_name());
    return names;
}

tl::unexpected<Failure> wrong_usage(const Verb& verb, const std::string& wrong) {
    return misused(wrong, fmt::format("see: xylem {} --help", verb.name));
}

}  // namespace

Outcome<Arguments> Arguments::parse(const Verb& verb, const std::vector<std::string>& words) {
    po::options_description known = verb.options();
    known.add_options()("help,h", "");
    Arguments result;
    std::vector<std::string> option_words = words;
    if (verb.takes_command) {
        const auto end = words.begin() + static_cast<std::ptrdiff_t>(count_option_words(known, words));
        option_words.assign(words.begin(), end);
        result.rest_.assign(end != words.end() && *end == "--" ? end + 1 : end, words.end());
    }
    try {
        auto parsed = po::command_line_parser(option_words).options(known).style(kStyle).run();
        po::store(parsed, result.options_);
        auto bare = po::collect_unrecognized(parsed.options, po::include_positional);
        result.rest_.insert(result.rest_.begin(), bare.begin(), bare.end());
    } catch (const po::unknown_option& error) {
        const std::string name = error.get_option_name();
        return wrong_usage(verb, fmt::format("{} has no option '{}'{}", verb.name, name,
                                             suggestion(name, long_names(known))));
    } catch (const po::error& error) {
        return wrong_usage(verb, fmt::format("{}: {}", verb.name, error.what()));
    }
    if (result.has("help") || verb.takes_command) return result;
    if (result.rest_.size() > verb.max_words) {
        return wrong_usage(verb, fmt::format("{}: '{}' is one word too many", verb.name,
                                             printable(result.rest_[verb.max_words])));
    }
    return result;
}

std::optional<std::string> Arguments::value(const char* option) const {
    auto found = options_.find(option);
    if (found == options_.end()) return std::nullopt;
    return found->second.as<std::string>();
}

std::string suggestion(const std::string& given, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    auto guess = text::nearest(given, views);
    return guess ? fmt::format("; did you mean '{}'?", *guess) : std::string();
}

}  // namespace xylem::cli
