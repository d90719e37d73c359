// The lines and words of a configuration file, each with its place, for every grammar in this folder:
// words are parted by blanks, '#' starts a comment anywhere, a line may end in CR LF.
// Words are views into the text they were read from and must not outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hosts-map/diagnostic.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem::text {

constexpr std::size_t kMaxLineBytes = 4096;

struct Word {
    std::string_view text;
    std::uint32_t line = 0;    // counted from 1
    std::uint32_t column = 0;  // counted from 1, in bytes

    // The part that starts at position (0 to text.size()), and the part before it.
    Word from(std::size_t position) const;
    Word before(std::size_t position) const { return {text.substr(0, position), line, column}; }
    // The empty word just past this one: where something that is missing should have been.
    Word end() const { return from(text.size()); }
};

struct Line {
    std::string_view text;  // without its line feed
    std::uint32_t number = 0;
};

class LineReader {
  public:
    explicit LineReader(std::string_view text) : rest_(text) {}
    std::optional<Line> next();

  private:
    std::string_view rest_;
    std::uint32_t number_ = 0;
};

// The words of one line; none for a blank or comment line. Errors: NUL byte, line too long.
Result<std::vector<Word>, Diagnostic> words_of(const Line& line);

// A Diagnostic at the start of the word, as the error of any Result<T, Diagnostic>.
tl::unexpected<Diagnostic> wrong_at(const Word& word, std::string wrong, std::string expected);

// 'text', with unprintable bytes as \xNN and cut off after 64 bytes: safe on a terminal and in a log.
std::string in_quotes(std::string_view text);

// A decimal number without sign or leading zeros, if it is one and at most max.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max);

// The known word that the given one was probably meant to be (at most two slips away), if any.
std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> known);

}  // namespace xylem::text
