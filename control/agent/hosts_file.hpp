// The hosts file in force, as plain rows. The agent works on the compiled table (map_publisher.hpp), the very
// one that programs look at, so the rows are all it needs of the parsed map.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xylem::agent {

enum class HostsTarget : std::uint8_t { tcp, domain, domain_low16, node, guest };

struct HostsRow {
    int family;                            // AF_INET or AF_INET6
    std::array<std::uint8_t, 16> address;  // network order, host bits zero
    unsigned prefix_bits;
    HostsTarget target;
    std::uint32_t domain;
    int node_family;
    std::array<std::uint8_t, 16> node_address;
    std::uint16_t node_port;                       // 0: the bridge's usual one
    std::string guest;                             // name or UUID
    std::optional<std::uint64_t> ring_size_bytes;  // of the line
    std::optional<std::uint64_t> spin_ns;
    std::string node_order;  // as the line has it; empty: the bridge's choice
    std::uint32_t line;      // 0: built in
    std::string text;        // the line, normalised
};

class HostsFile {
  public:
    // With a named file, a missing one is an error; without, it means zero configuration.
    // On failure returns null and says why in `error`.
    static std::unique_ptr<HostsFile> open(const std::string& path, bool is_named, std::string& error);
    ~HostsFile();

    int fd() const;  // readable when reload() has something to look at
    std::vector<HostsRow> rows() const;
    const std::string& path() const;
    bool is_from_file() const;

    enum class Reloaded : std::uint8_t { unchanged, changed, failed };
    // error: one line a mistake; the old map stays in force.
    Reloaded reload(std::string& error);

  private:
    struct Parsed;
    explicit HostsFile(std::unique_ptr<Parsed> parsed);

    std::unique_ptr<Parsed> parsed_;
};

}  // namespace xylem::agent
