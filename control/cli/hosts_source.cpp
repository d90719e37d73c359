// HostsSource: file names and JSON around hosts-map, which knows neither.
#include "control/cli/hosts_source.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>

#include "hosts-map/file.hpp"

namespace xylem::cli {
namespace {

constexpr const char* kDefaultFile = "/etc/xylem/hosts";
constexpr const char* kStandardInput = "<stdin>";

tl::unexpected<Failure> unusable(const LoadFailure& failure) { return failed(kFailed, to_string(failure)); }

Json node_json(const Place& place) {
    if (place.kind != PlaceKind::node) return nullptr;
    const bool is_ipv4 = place.node.family == AF_INET;
    const std::string address = to_string(place.node);
    return {{"family", is_ipv4 ? "inet" : "inet6"},
            {"address", address},
            {"port", place.node_port},
            {"text", fmt::format(fmt::runtime(is_ipv4 ? "{}:{}" : "[{}]:{}"), address, place.node_port)}};
}

const char* target_name(PlaceKind kind) {
    switch (kind) {
        case PlaceKind::tcp:
            break;
        case PlaceKind::domain:
            return "domain";
        case PlaceKind::node:
            return "node";
        case PlaceKind::guest:
            return "guest";
        case PlaceKind::domain_of_low_16bits:
            return "domain_low16";
    }
    return "tcp";
}

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json order_json(const HostsOptions& options) {
    if (!options.node_order) return nullptr;
    return std::string(to_string(static_cast<NodeOrder>(*options.node_order)));
}

}  // namespace

std::string default_hosts_file() {
    const char* set = ::getenv("XYLEM_HOSTS");
    return set != nullptr && set[0] != '\0' ? set : kDefaultFile;
}

Outcome<std::string> read_standard_input() {
    std::string text;
    char chunk[65536];
    ssize_t got = 0;
    while ((got = ::read(STDIN_FILENO, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed(kFailed, fmt::format("{}: {}", kStandardInput, ::strerror(errno)));
        text.append(chunk, static_cast<std::size_t>(got));
        if (text.size() > kMaxFileBytes) return failed(kFailed, fmt::format("{}: too long", kStandardInput));
    }
    return text;
}

Outcome<HostsSource> read_hosts(const std::optional<std::string>& named) {
    if (named && *named == "-") {
        auto text = read_standard_input();
        if (!text) return tl::unexpected(text.error());
        auto map = HostsMap::parse(*text);
        if (!map) return unusable({kStandardInput, 0, {}, map.error()});
        return HostsSource{std::move(*map), kStandardInput, true};
    }
    const std::string file = named.value_or(default_hosts_file());
    auto map = load_hosts_map(file);
    if (map) return HostsSource{std::move(*map), file, true};
    const char* set = ::getenv("XYLEM_HOSTS");
    const bool may_be_missing = !named && (set == nullptr || set[0] == '\0');
    if (may_be_missing && map.error().is_missing_file()) {
        return HostsSource{HostsMap::zero_configuration(), file, false};
    }
    return unusable(map.error());
}

Json entry_json(const HostsEntry& entry) {
    const PlaceKind kind = entry.place.kind;
    const bool has_domain = kind == PlaceKind::domain || kind == PlaceKind::node;
    return {{"prefix", to_string(entry.prefix)},
            {"line", entry.line},
            {"target", target_name(kind)},
            {"domain", has_domain ? Json(entry.place.domain) : Json(nullptr)},
            {"node", node_json(entry.place)},
            {"guest", kind == PlaceKind::guest ? Json(entry.place.guest) : Json(nullptr)},
            {"ring_size_bytes", or_null(entry.options.ring_size_bytes)},
            {"spin_ns", or_null(entry.options.spin_ns)},
            {"over", order_json(entry.options)},
            {"text", to_string(entry)}};
}

Json map_json(const HostsSource& source) {
    Json entries = Json::array();
    for (const HostsEntry& entry : source.map.entries()) entries.push_back(entry_json(entry));
    return {{"file", source.file}, {"from_file", source.from_file}, {"entries", entries}};
}

std::string address_text(const Json& entry) {
    const std::string prefix = text_at(entry, "prefix");
    const std::string_view whole = prefix.find(':') == prefix.npos ? "/32" : "/128";
    return prefix.ends_with(whole) ? prefix.substr(0, prefix.size() - whole.size()) : prefix;
}

std::string where_text(const Json& entry) {
    std::string target = text_at(entry, "target");
    const std::uint64_t domain = number_at(entry, "domain").value_or(0);
    if (const std::string guest = text_at(entry, "guest"); !guest.empty()) {
        // An agent says which domain it is by now; a file does not.
        if (target == "guest") return "vm:" + guest;
        return fmt::format("vm:{} ({})", guest,
                           target == "domain" ? fmt::format("domain {}", domain) : "not found");
    }
    if (target == "domain") return fmt::format("dom:{}", domain);
    if (target == "domain_low16") return "dom:256*H+L";
    if (target != "node") return target;
    const Json& node = member(entry, "node");
    const bool has_port = number_at(node, "port").value_or(0) != 0;
    return fmt::format("node:{}/dom:{}", text_at(node, has_port ? "text" : "address"), domain);
}

std::string options_text(const Json& entry) {
    HostsOptions set;
    set.ring_size_bytes = number_at(entry, "ring_size_bytes");
    set.spin_ns = number_at(entry, "spin_ns");
    std::string text = to_string(set);
    if (const std::string order = text_at(entry, "over"); !order.empty()) text += " over=" + order;
    return text.empty() ? text : text.substr(1);
}

// A built-in entry has no text: its place cannot be written in a file.
std::string entry_text(const Json& entry) {
    const std::string options = options_text(entry);
    return fmt::format("{} {}{}{}", address_text(entry), where_text(entry), options.empty() ? "" : " ",
                       options);
}

std::string place_of_line(const std::string& file, std::uint64_t line) {
    return line == 0 ? "built in" : fmt::format("{}:{}", file, line);
}

}  // namespace xylem::cli
