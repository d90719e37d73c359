// Reading reports: a field that is missing, null or of another type gives the fallback, never an exception.
// Agents may be older or newer than this command (control/README.md: fields are only ever added).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/cli/terminal.hpp"

namespace xylem::cli {

using Json = nlohmann::json;

// The member, or null.
inline const Json& member(const Json& object, const char* name) {
    static const Json kNull;
    if (!object.is_object()) return kNull;
    auto found = object.find(name);
    return found == object.end() ? kNull : *found;
}
// Printable on a terminal.
inline std::string text_of(const Json& value, const std::string& fallback = {}) {
    return value.is_string() ? printable(value.get_ref<const std::string&>()) : fallback;
}
inline std::string text_at(const Json& object, const char* name, const std::string& fallback = {}) {
    return text_of(member(object, name), fallback);
}
inline std::optional<std::uint64_t> number_at(const Json& object, const char* name) {
    const Json& value = member(object, name);
    if (!value.is_number()) return std::nullopt;
    return value.get<std::uint64_t>();
}
inline bool bool_at(const Json& object, const char* name) {
    const Json& value = member(object, name);
    return value.is_boolean() && value.get<bool>();
}
// "10.0.0.2:80" of a name, or the fallback for null.
inline std::string name_text(const Json& name, const std::string& fallback = "-") {
    return text_at(name, "text", fallback);
}

}  // namespace xylem::cli
