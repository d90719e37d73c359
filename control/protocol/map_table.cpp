// Map table: for each prefix length, longest first, a binary search among the entries of that length.
#include "control/protocol/map_table.hpp"

#include <cstring>

#include "control/protocol/socket_names.hpp"

namespace xylem {
namespace {

const MapTableEntry* entries(const MapTableHeader& table) {
    return reinterpret_cast<const MapTableEntry*>(&table + 1);
}

void keep_prefix(std::uint8_t (&address)[16], unsigned prefix_bits) {
    for (unsigned i = 0; i < 16; ++i) {
        if (prefix_bits >= 8) {
            prefix_bits -= 8;
        } else {
            address[i] &= static_cast<std::uint8_t>(0xFF00U >> prefix_bits);
            prefix_bits = 0;
        }
    }
}

const MapTableEntry* find(const MapTableEntry* first, std::uint32_t count,
                          const std::uint8_t (&address)[16]) {
    while (count > 0) {
        const std::uint32_t half = count / 2;
        const int order = std::memcmp(first[half].address, address, sizeof address);
        if (order == 0) return first + half;
        if (order < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return nullptr;
}

}  // namespace

bool is_map_table(const void* memory, std::size_t size_bytes) {
    if (size_bytes < sizeof(MapTableHeader)) return false;
    const auto& table = *static_cast<const MapTableHeader*>(memory);
    return table.magic == kMapTableMagic && table.version == kMapTableVersion &&
           table.group_count <= kMaxMapGroups &&
           size_bytes >= sizeof table + std::size_t{table.entry_count} * sizeof(MapTableEntry);
}

MapHit look_up(const MapTableHeader& table, const SocketName& asked) {
    const SocketName name = unmapped(asked);
    for (unsigned g = 0; g < table.group_count; ++g) {
        const MapTableGroup& group = table.groups[g];
        if (group.family != name.family) continue;
        std::uint8_t address[16];
        std::memcpy(address, name.address, sizeof address);
        keep_prefix(address, group.prefix_bits);
        const MapTableEntry* entry = find(entries(table) + group.first_entry, group.entry_count, address);
        if (entry == nullptr) continue;
        MapHit hit{static_cast<MapTarget>(entry->target), entry->domain, true, entry};
        if (hit.target == MapTarget::domain_low16) {
            hit.domain = static_cast<std::uint32_t>(name.address[2] << 8 | name.address[3]);
        }
        return hit;
    }
    return {};
}

}  // namespace xylem
