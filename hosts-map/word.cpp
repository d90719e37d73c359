// Words: cuts a configuration text into lines and words that remember where they stood, so that each
// parser reports the exact column without counting. Never copies the text, never trusts it: bytes that
// could hide something from a reader (NUL) or make one line unbounded work are refused here, once.
#include "hosts-map/word.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace xylem::text {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::size_t kMaxQuotedBytes = 64;
constexpr std::size_t kMaxGuessedBytes = 15;  // no known word is longer
constexpr unsigned kMaxSlips = 2;

// Letters to insert, drop, change or swap with their neighbour (optimal string alignment distance).
unsigned slips_between(std::string_view a, std::string_view b) {
    std::array<std::array<unsigned, kMaxGuessedBytes + 1>, kMaxGuessedBytes + 1> cost{};
    for (unsigned i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (unsigned j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            unsigned change = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, change});
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

Word Word::from(std::size_t position) const {
    return {text.substr(position), line, column + static_cast<std::uint32_t>(position)};
}

std::optional<Line> LineReader::next() {
    if (rest_.empty()) return std::nullopt;
    std::size_t end = rest_.find('\n');
    Line line{rest_.substr(0, end), ++number_};
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return line;
}

Result<std::vector<Word>, Diagnostic> words_of(const Line& line) {
    Word whole{line.text, line.number, 1};
    if (whole.text.ends_with('\r')) whole.text.remove_suffix(1);
    if (whole.text.size() > kMaxLineBytes) {
        return wrong_at(whole.from(kMaxLineBytes), "the line is too long",
                        "at most " + std::to_string(kMaxLineBytes) + " bytes");
    }
    if (std::size_t nul = whole.text.find('\0'); nul != whole.text.npos) {
        return wrong_at(whole.from(nul), "NUL byte", "plain text");
    }
    whole = whole.before(whole.text.find('#'));
    std::vector<Word> words;
    for (std::size_t start = 0; (start = whole.text.find_first_not_of(kBlanks, start)) != whole.text.npos;) {
        Word rest = whole.from(start);
        words.push_back(rest.before(rest.text.find_first_of(kBlanks)));
        start += words.back().text.size();
    }
    return words;
}

tl::unexpected<Diagnostic> wrong_at(const Word& word, std::string wrong, std::string expected) {
    return tl::unexpected<Diagnostic>(
        Diagnostic{word.line, word.column, std::move(wrong), std::move(expected)});
}

std::string in_quotes(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string result = "'";
    for (char character : text.substr(0, kMaxQuotedBytes)) {
        auto byte = static_cast<unsigned char>(character);
        if (byte >= 0x20 && byte < 0x7f) {
            result += character;
        } else {
            result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return result + (text.size() > kMaxQuotedBytes ? "...'" : "'");
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
    return value;
}

std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> known) {
    if (text.size() > kMaxGuessedBytes) return std::nullopt;
    std::optional<std::string_view> best;
    unsigned best_slips = kMaxSlips + 1;
    for (std::string_view candidate : known) {
        if (candidate.size() > kMaxGuessedBytes) continue;
        unsigned slips = slips_between(text, candidate);
        // A word that shares no letter with the candidate is a different word, not a slip.
        if (slips >= best_slips || slips >= candidate.size()) continue;
        best = candidate;
        best_slips = slips;
    }
    return best;
}

}  // namespace xylem::text
