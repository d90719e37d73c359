// Diagnostic: its one printed form, the file:line:column that compilers use and editors jump to.
#include "hosts-map/diagnostic.hpp"

namespace xylem {

std::string to_string(const Diagnostic& diagnostic, std::string_view file) {
    return std::string(file) + ":" + std::to_string(diagnostic.line) + ":" +
           std::to_string(diagnostic.column) + ": " + diagnostic.wrong + "; expected " + diagnostic.expected;
}

}  // namespace xylem
