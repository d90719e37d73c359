// Colours by the eight standard codes of ECMA-48, which every terminal knows.
#include "control/cli/terminal.hpp"

#include <stdlib.h>
#include <unistd.h>

namespace xylem::cli {
namespace {

std::string_view code_of(Paint paint) {
    switch (paint) {
        case Paint::none:
            break;
        case Paint::heading:
            return "\033[1m";
        case Paint::good:
            return "\033[32m";
        case Paint::doubtful:
            return "\033[33m";
        case Paint::bad:
            return "\033[31m";
        case Paint::faint:
            return "\033[2m";
    }
    return "";
}

}  // namespace

bool colours_on(std::FILE* stream) {
    const char* no_color = ::getenv("NO_COLOR");
    if (no_color != nullptr && no_color[0] != '\0') return false;
    const char* terminal = ::getenv("TERM");
    if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
    return ::isatty(::fileno(stream)) == 1;
}

std::string painted(std::string_view text, Paint paint, bool colours) {
    if (!colours || paint == Paint::none || text.empty()) return std::string(text);
    return std::string(code_of(paint)) + std::string(text) + "\033[0m";
}

std::string printable(std::string_view text) {
    std::string result;
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        result += byte >= 0x20 && byte < 0x7f ? character : '?';
    }
    return result;
}

}  // namespace xylem::cli
