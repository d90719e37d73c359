// Map compiler: sorts rows by (family, longest prefix first, address), cuts them into groups of one family
// and length, and writes header and entries one behind the other.
#include "control/agent/map_compiler.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "control/protocol/remote_domain.hpp"
#include "control/protocol/session_protocol.h"

namespace xylem::agent {
namespace {

bool comes_first(const HostsRow& a, const HostsRow& b) {
    if (a.family != b.family) return a.family < b.family;
    if (a.prefix_bits != b.prefix_bits) return a.prefix_bits > b.prefix_bits;
    return a.address < b.address;
}

MapTarget target_of(HostsTarget target) {
    switch (target) {
        case HostsTarget::tcp:
            return MapTarget::tcp;
        case HostsTarget::domain:
            return MapTarget::domain;
        case HostsTarget::domain_low16:
            return MapTarget::domain_low16;
        case HostsTarget::node:
            return MapTarget::node;
        case HostsTarget::guest:
            return MapTarget::unknown_guest;
    }
    return MapTarget::tcp;
}

MapTableEntry entry_of(const HostsRow& row) {
    MapTableEntry entry{};
    std::memcpy(entry.address, row.address.data(), sizeof entry.address);
    entry.target = static_cast<std::uint32_t>(target_of(row.target));
    entry.domain = row.domain;
    entry.ring_size_bytes = row.ring_size_bytes.value_or(0);
    entry.spin_ns = row.spin_ns ? static_cast<std::uint32_t>(*row.spin_ns) : kUnsetSpinNs;
    entry.line = row.line;
    if (row.target == HostsTarget::node) entry.node = node_of(row);
    return entry;
}

void add_to_group(MapTableHeader& header, const HostsRow& row) {
    MapTableGroup* group = header.group_count == 0 ? nullptr : &header.groups[header.group_count - 1];
    if (group == nullptr || group->family != row.family || group->prefix_bits != row.prefix_bits) {
        group = &header.groups[header.group_count++];
        *group = {static_cast<std::uint16_t>(row.family), static_cast<std::uint16_t>(row.prefix_bits),
                  header.entry_count, 0};
    }
    ++group->entry_count;
    ++header.entry_count;
}

const MapTableEntry* entries_of(const MapTableHeader& table) {
    return reinterpret_cast<const MapTableEntry*>(&table + 1);
}

SocketName named(int family, const std::uint8_t (&address)[16]) {
    SocketName name{};
    name.family = static_cast<std::uint32_t>(family);
    std::memcpy(name.address, address, sizeof name.address);
    return name;
}

SocketName numbered(const MapTableEntry& entry, std::uint32_t domain) {
    SocketName name = named(AF_INET, entry.address);
    name.address[2] = static_cast<std::uint8_t>(domain >> 8);
    name.address[3] = static_cast<std::uint8_t>(domain);
    return name;
}

}  // namespace

SocketName node_of(const HostsRow& row) {
    SocketName node{};
    node.family = static_cast<std::uint32_t>(row.node_family);
    node.port = row.node_port;
    std::memcpy(node.address, row.node_address.data(), sizeof node.address);
    return node;
}

std::vector<std::byte> compile_map(const std::vector<HostsRow>& rows, std::uint32_t own_domain) {
    std::vector<HostsRow> sorted = rows;
    std::stable_sort(sorted.begin(), sorted.end(), comes_first);
    std::vector<std::byte> bytes(sizeof(MapTableHeader) + sorted.size() * sizeof(MapTableEntry));
    auto& header = *reinterpret_cast<MapTableHeader*>(bytes.data());
    auto* entries = reinterpret_cast<MapTableEntry*>(&header + 1);
    header.magic = kMapTableMagic;
    header.version = kMapTableVersion;
    header.own_domain = own_domain;
    for (const HostsRow& row : sorted) {
        *entries++ = entry_of(row);
        add_to_group(header, row);
    }
    header.own_address[0] = address_of(header, own_domain, AF_INET);
    header.own_address[1] = address_of(header, own_domain, AF_INET6);
    return bytes;
}

SocketName address_of(const MapTableHeader& table, std::uint32_t domain, int family) {
    const unsigned whole_bits = family == AF_INET ? 32 : 128;
    const MapTableEntry* first = nullptr;
    const MapTableEntry* low16 = nullptr;
    for (unsigned g = 0; g < table.group_count; ++g) {
        const MapTableGroup& group = table.groups[g];
        if (group.family != family) continue;
        for (std::uint32_t i = 0; i < group.entry_count; ++i) {
            const MapTableEntry& entry = entries_of(table)[group.first_entry + i];
            const auto target = static_cast<MapTarget>(entry.target);
            if (target == MapTarget::domain_low16) low16 = &entry;
            const bool is_one =
                target == MapTarget::domain || (target == MapTarget::node && is_remote_domain(entry.domain));
            if (!is_one || entry.domain != domain) continue;
            if (group.prefix_bits == whole_bits && (first == nullptr || entry.line < first->line)) {
                first = &entry;
            }
        }
    }
    if (first != nullptr) return named(family, first->address);
    if (low16 != nullptr && family == AF_INET && domain <= 0xFFFF) return numbered(*low16, domain);
    return {};
}

}  // namespace xylem::agent
