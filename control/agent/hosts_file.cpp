// HostsFile: hosts-map's reloading map, flattened. Nothing of the parser's types leaves this file.
#include "control/agent/hosts_file.hpp"

#include <utility>

#include "hosts-map/reload.hpp"

namespace xylem::agent {
namespace {

HostsTarget target_of(PlaceKind kind) {
    switch (kind) {
        case PlaceKind::tcp:
            return HostsTarget::tcp;
        case PlaceKind::domain:
            return HostsTarget::domain;
        case PlaceKind::node:
            return HostsTarget::node;
        case PlaceKind::guest:
            return HostsTarget::guest;
        case PlaceKind::domain_of_low_16bits:
            return HostsTarget::domain_low16;
    }
    return HostsTarget::tcp;
}

HostsRow row_of(const HostsEntry& entry) {
    return {entry.prefix.network.family,
            entry.prefix.network.bytes,
            entry.prefix.length_bits,
            target_of(entry.place.kind),
            entry.place.domain,
            entry.place.node.family,
            entry.place.node.bytes,
            entry.place.node_port,
            entry.place.guest,
            entry.options.ring_size_bytes,
            entry.options.spin_ns,
            entry.options.node_order
                ? std::string(to_string(static_cast<NodeOrder>(*entry.options.node_order)))
                : std::string(),
            entry.line,
            to_string(entry)};
}

}  // namespace

struct HostsFile::Parsed {
    ReloadingHostsMap map;
};

HostsFile::HostsFile(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
HostsFile::~HostsFile() = default;

std::unique_ptr<HostsFile> HostsFile::open(const std::string& path, bool is_named, std::string& error) {
    auto map = ReloadingHostsMap::open(
        path, is_named ? MissingFile::is_failure : MissingFile::means_zero_configuration);
    if (!map) {
        error = to_string(map.error());
        return nullptr;
    }
    return std::unique_ptr<HostsFile>(new HostsFile(std::make_unique<Parsed>(Parsed{std::move(*map)})));
}

int HostsFile::fd() const { return parsed_->map.fd(); }
const std::string& HostsFile::path() const { return parsed_->map.path(); }
bool HostsFile::is_from_file() const { return parsed_->map.is_from_file(); }

std::vector<HostsRow> HostsFile::rows() const {
    std::vector<HostsRow> rows;
    for (const HostsEntry& entry : parsed_->map.current()->entries()) rows.push_back(row_of(entry));
    return rows;
}

HostsFile::Reloaded HostsFile::reload(std::string& error) {
    const ReloadResult result = parsed_->map.reload_if_changed();
    if (result.status == ReloadStatus::unchanged) return Reloaded::unchanged;
    if (result.status == ReloadStatus::reloaded) return Reloaded::changed;
    error = to_string(result.failure);
    return Reloaded::failed;
}

}  // namespace xylem::agent
