// HostsOptions: the key=value words of a hosts map line. A new option is one field, one row of kKnown and
// one value parser. Values are checked against their range here, so nobody downstream has to.
#include "hosts-map/options.hpp"

#include <array>
#include <bit>
#include <string_view>

namespace xylem {

namespace {

using Value = Result<std::uint64_t, Diagnostic>;

constexpr std::uint64_t kUsNs = 1'000;
constexpr std::uint64_t kMsNs = 1'000'000;
constexpr std::uint64_t kMaxCount = 1ULL << 40;  // far beyond every range, and times any unit within 64 bits

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

// NUMBER and the suffix of one of the units; the unit with no suffix comes last.
std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (!text.ends_with(unit.suffix)) continue;
        auto count = text::number(text.substr(0, text.size() - unit.suffix.size()), kMaxCount);
        if (!count) return std::nullopt;
        return *count * unit.factor;
    }
    return std::nullopt;
}

Value parse_ring_size(const text::Word& word) {
    static constexpr std::array<Unit, 3> kUnits{{{"K", 1ULL << 10}, {"M", 1ULL << 20}, {"", 1}}};
    std::string expected = "a power of two from 4K to 64M, such as 512K";
    std::string name = text::in_quotes(word.text);
    auto size_bytes = parse_quantity(word.text, kUnits);
    if (!size_bytes) return text::wrong_at(word, name + " is not a ring size", expected);
    if (!std::has_single_bit(*size_bytes)) {
        return text::wrong_at(word, "ring size " + name + " is not a power of two", expected);
    }
    if (*size_bytes < kMinRingSizeBytes) {
        return text::wrong_at(word, "ring size " + name + " is too small", expected);
    }
    if (*size_bytes > kMaxRingSizeBytes) {
        return text::wrong_at(word, "ring size " + name + " is too large", expected);
    }
    return *size_bytes;
}

Value parse_spin(const text::Word& word) {
    static constexpr std::array<Unit, 2> kUnits{{{"us", kUsNs}, {"ms", kMsNs}}};
    std::string expected = "0, or a number with us or ms, at most 10ms";
    if (word.text == "0") return 0;
    auto spin_ns = parse_quantity(word.text, kUnits);
    if (!spin_ns) return text::wrong_at(word, text::in_quotes(word.text) + " is not a time", expected);
    if (*spin_ns > kMaxSpinNs) {
        return text::wrong_at(word, "spin time " + text::in_quotes(word.text) + " is too long", expected);
    }
    return *spin_ns;
}

constexpr std::array<std::string_view, 4> kOrders{"verbs", "tcp", "verbs,tcp", "tcp,verbs"};  // by NodeOrder

Value parse_node_order(const text::Word& word) {
    for (std::size_t order = 0; order < kOrders.size(); ++order) {
        if (word.text == kOrders[order]) return order;
    }
    return text::wrong_at(word, text::in_quotes(word.text) + " is not an order of transports between nodes",
                          "verbs, tcp, or both with a comma, the first choice first");
}

struct KnownOption {
    std::string_view key;
    std::string_view form;
    std::optional<std::uint64_t> HostsOptions::*field;
    Value (*parse)(const text::Word& value);
};

constexpr std::array<KnownOption, 3> kKnown{{
    {"ring", "ring=SIZE", &HostsOptions::ring_size_bytes, parse_ring_size},
    {"spin", "spin=TIME", &HostsOptions::spin_ns, parse_spin},
    {"over", "over=ORDER", &HostsOptions::node_order, parse_node_order},
}};

tl::unexpected<Diagnostic> unknown_option(const text::Word& key) {
    constexpr std::array<std::string_view, 3> kKeys{kKnown[0].key, kKnown[1].key, kKnown[2].key};
    std::string expected = std::string(kKnown[0].form) + ", " + std::string(kKnown[1].form) + " or " +
                           std::string(kKnown[2].form);
    if (auto guess = text::nearest(key.text, kKeys)) {
        expected += " (did you mean " + std::string(*guess) + "?)";
    }
    return text::wrong_at(key, "unknown option " + text::in_quotes(key.text), expected);
}

Result<void, Diagnostic> parse_option(const text::Word& word, HostsOptions& options) {
    std::size_t equals = word.text.find('=');
    text::Word key = word.before(equals);
    for (const KnownOption& known : kKnown) {
        if (key.text != known.key) continue;
        std::string form(known.form);
        if ((options.*known.field).has_value()) {
            return text::wrong_at(word, "option " + text::in_quotes(key.text) + " is given twice",
                                  form + " once");
        }
        if (equals == word.text.npos || equals + 1 == word.text.size()) {
            return text::wrong_at(word.end(), "option " + text::in_quotes(key.text) + " has no value", form);
        }
        auto value = known.parse(word.from(equals + 1));
        if (!value) return tl::unexpected(value.error());
        options.*known.field = *value;
        return {};
    }
    return unknown_option(key);
}

}  // namespace

std::string_view to_string(NodeOrder order) { return kOrders[static_cast<std::size_t>(order)]; }

Result<HostsOptions, Diagnostic> parse_options(std::span<const text::Word> words) {
    HostsOptions options;
    for (const text::Word& word : words) {
        if (auto parsed = parse_option(word, options); !parsed) return tl::unexpected(parsed.error());
    }
    return options;
}

std::string to_string(const HostsOptions& options) {
    std::string result;
    if (options.ring_size_bytes) {
        std::uint64_t size_kib = *options.ring_size_bytes >> 10;
        result += " ring=" + (size_kib % 1024 == 0 ? std::to_string(size_kib / 1024) + "M"
                                                   : std::to_string(size_kib) + "K");
    }
    if (options.spin_ns) {
        std::uint64_t spin_ns = *options.spin_ns;
        result += " spin=";
        if (spin_ns == 0) {
            result += "0";
        } else if (spin_ns % kMsNs == 0) {
            result += std::to_string(spin_ns / kMsNs) + "ms";
        } else {
            result += std::to_string(spin_ns / kUsNs) + "us";
        }
    }
    if (options.node_order) {
        result += " over=";
        result += to_string(static_cast<NodeOrder>(*options.node_order));
    }
    return result;
}

}  // namespace xylem
