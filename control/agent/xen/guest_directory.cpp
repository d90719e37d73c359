// GuestDirectory: a handful of guests, so it is searched from end to end.
#include "control/agent/xen/guest_directory.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

namespace xylem::agent {
namespace {

constexpr unsigned kTextVersion = 1;
constexpr std::size_t kMaxTextBytes = 256;  // a guest's name is 127 bytes at most (hosts-map/place.hpp)
constexpr char kBehindDomain[] = "/data/xylem/self";

// The number between two parts of a path.
std::optional<DomainId> number_in(const std::string& path, const std::string& before,
                                  const std::string& behind) {
    const bool fits =
        path.size() > before.size() + behind.size() && path.starts_with(before) && path.ends_with(behind);
    if (!fits) return std::nullopt;
    const char* first = path.data() + before.size();
    const char* last = path.data() + path.size() - behind.size();
    DomainId domain = 0;
    const auto [end, error] = std::from_chars(first, last, domain);
    if (error != std::errc() || end != last || domain >= kFirstReservedDomain) return std::nullopt;
    return domain;
}

}  // namespace

std::string GuestDirectory::Entry::text() const { return fmt::format("{} {} {}", kTextVersion, uuid, name); }

std::optional<GuestDirectory::Entry> GuestDirectory::Entry::parse(const std::string& text) {
    std::istringstream words(text);
    unsigned version = 0;
    Entry entry;
    words >> version >> entry.uuid >> std::ws;
    std::getline(words, entry.name);
    if (text.size() > kMaxTextBytes || version != kTextVersion || entry.name.empty()) return std::nullopt;
    return entry;
}

bool GuestDirectory::set(DomainId domain, Source source, const std::optional<Entry>& entry) {
    auto& entries = source == Source::dom0 ? by_dom0_ : by_guests_;
    const auto found = entries.find(domain);
    const bool is_there = found != entries.end();
    if (!entry) {
        if (is_there) entries.erase(found);
        return is_there;
    }
    if (is_there && found->second == *entry) return false;
    entries[domain] = *entry;
    return true;
}

std::optional<DomainId> GuestDirectory::find(const std::string& guest) const {
    std::optional<DomainId> domain;
    for (const auto& [id, entry] : by_dom0_.empty() ? by_guests_ : by_dom0_) {
        if (entry.name != guest && entry.uuid != guest) continue;
        if (domain) return std::nullopt;
        domain = id;
    }
    return domain;
}

std::optional<GuestDirectory::Place> GuestDirectory::place_of(const std::string& path) {
    if (const auto domain = number_in(path, kDomains + std::string("/"), kBehindDomain))
        return Place{*domain, Source::guest};
    if (const auto domain = number_in(path, kDom0 + std::string("/"), ""))
        return Place{*domain, Source::dom0};
    if (path == kDom0) return kList;
    return std::nullopt;
}

std::string GuestDirectory::path_of(Place place) {
    if (place.is_list()) return kDom0;
    return place.source == Source::dom0 ? fmt::format("{}/{}", kDom0, place.domain)
                                        : fmt::format("{}/{}{}", kDomains, place.domain, kBehindDomain);
}

}  // namespace xylem::agent
