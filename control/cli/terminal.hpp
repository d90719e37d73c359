// What a terminal adds to plain text: colours. Never in pipes, nor where NO_COLOR is set (no-color.org).
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace xylem::cli {

enum class Paint : std::uint8_t { none, heading, good, doubtful, bad, faint };

// Whether text on this stream may carry colours.
bool colours_on(std::FILE* stream);
std::string painted(std::string_view text, Paint paint, bool colours);

// The text with control characters and non-ASCII bytes as '?': names of programs come from others.
std::string printable(std::string_view text);

}  // namespace xylem::cli
