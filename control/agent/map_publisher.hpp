// The hosts map in force: read from its file, compiled, handed to every program as a sealed table, replaced
// when the file changes. The agent looks up in the same table as the programs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/agent/event_loop.hpp"
#include "control/agent/hosts_file.hpp"
#include "control/protocol/map_table.hpp"
#include "hosts-map/watch.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem::agent {

struct Counters;

class MapPublisher {
  public:
    MapPublisher(EventLoop& loop, Counters& counters, std::uint32_t own_domain);

    // Loads and publishes the map, and watches its file. False with the reason in `error`.
    bool open(const std::string& path, bool is_named, std::string& error);

    const MapTableHeader& table() const { return *table_.as<MapTableHeader>(); }
    int table_fd() const { return fd_.get(); }  // to be handed out, read-only for whoever gets it
    MapHit look_up(const SocketName& name) const { return xylem::look_up(table(), name); }
    // The domain of this machine that the map gives the address to, if any.
    std::optional<std::uint32_t> domain_of(const SocketName& name) const;
    SocketName own_address(int family) const { return table().own_address[family == AF_INET ? 0 : 1]; }
    SocketName address_of(std::uint32_t domain, int family) const;

    const HostsFile& file() const { return *file_; }
    const std::string& last_error() const { return last_error_; }  // empty: the newest file is in force
    std::uint64_t loaded_at_ns() const { return loaded_at_ns_; }

    std::function<void()> on_change;  // what is in force has changed
    // The domain of a guest, by name or UUID. Not set: no guest is found.
    std::function<std::optional<std::uint32_t>(const std::string&)> find_guest;
    // What find_guest says has changed, or what nodes are called.
    void names_changed();
    bool names_guests() const { return !guests_by_line().empty(); }
    // The names and UUIDs in the map, by its lines.
    std::map<std::uint32_t, std::string> guests_by_line() const;

  private:
    std::vector<HostsRow> rows() const;
    bool publish(std::string& error);
    void reload();
    void watch_own_node();

    EventLoop& loop_;
    Counters& counters_;
    std::uint32_t own_domain_;
    std::unique_ptr<HostsFile> file_;
    Mapping table_;
    UniqueFd fd_;
    Watch watch_;
    std::optional<FileWatch> own_node_;
    Watch own_node_watch_;
    std::string last_error_;
    std::uint64_t loaded_at_ns_ = 0;
};

}  // namespace xylem::agent
