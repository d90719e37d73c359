// MapPublisher: a table is written whole into a fresh memfd through a mapping made before
// F_SEAL_FUTURE_WRITE, so that the agent can still mark it superseded while nobody else can write to it.
// Order at a reload: publish the new table, then mark the old one; programs that still hold the old one find
// the mark at their next look-up and ask again. A table that is not needed any more lives as long as the
// programs map it.
#include "control/agent/map_publisher.hpp"

#include <fcntl.h>
#include <linux/memfd.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/agent/counters.hpp"
#include "control/agent/map_compiler.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {
namespace {

constexpr int kTableSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

// A memfd that holds the bytes, and the only writable mapping of it there will ever be.
Result<std::pair<UniqueFd, Mapping>> make_table(const std::vector<std::byte>& bytes) {
    UniqueFd fd(::memfd_create("xylem-map", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes.size())) != 0) return fail_errno();
    Result<Mapping> mapping = Mapping::shared(fd.get(), bytes.size(), PROT_READ | PROT_WRITE);
    if (!mapping) return fail(mapping.error());
    std::memcpy(mapping->bytes(), bytes.data(), bytes.size());
    if (::fcntl(fd.get(), F_ADD_SEALS, kTableSeals) != 0) return fail_errno();
    return std::pair{std::move(fd), std::move(*mapping)};
}

}  // namespace

MapPublisher::MapPublisher(EventLoop& loop, Counters& counters, std::uint32_t own_domain)
    : loop_(loop), counters_(counters), own_domain_(own_domain) {}

bool MapPublisher::open(const std::string& path, bool is_named, std::string& error) {
    file_ = HostsFile::open(path, is_named, error);
    if (file_ == nullptr || !publish(error)) return false;
    watch_ = loop_.on_ready(file_->fd(), EPOLLIN, [this](std::uint32_t) { reload(); });
    watch_own_node();
    return true;
}

// A bridge may say later what this node is called.
void MapPublisher::watch_own_node() {
    Result<FileWatch> opened = FileWatch::open(own_node_path().text);
    if (!opened)
        return spdlog::warn("cannot watch for the node's name: {}",
                            strerrordesc_np(opened.error().sys_errno));
    own_node_.emplace(std::move(*opened));
    own_node_watch_ = loop_.on_ready(own_node_->fd(), EPOLLIN, [this](std::uint32_t) {
        if (own_node_->drain()) names_changed();
    });
}

SocketName MapPublisher::address_of(std::uint32_t domain, int family) const {
    return agent::address_of(table(), domain, family);
}

std::optional<std::uint32_t> MapPublisher::domain_of(const SocketName& name) const {
    const MapHit hit = look_up(name);
    if (!hit.mapped || !takes_ring(hit)) return std::nullopt;
    return hit.domain;
}

std::map<std::uint32_t, std::string> MapPublisher::guests_by_line() const {
    std::map<std::uint32_t, std::string> guests;
    for (const HostsRow& row : file_->rows()) {
        if (row.target == HostsTarget::guest) guests[row.line] = row.guest;
    }
    return guests;
}

// A guest that was found is its domain, as one of this node is; one of another node that has a number is the
// remote domain.
std::vector<HostsRow> MapPublisher::rows() const {
    std::vector<HostsRow> rows = file_->rows();
    const std::string own = own_node().text;
    std::map<std::string, std::uint32_t> numbers;
    for (HostsRow& row : rows) {
        if (row.target == HostsTarget::node) {
            const std::string node = node_text(node_of(row)).text;
            if (node == own) {
                row.target = HostsTarget::domain;
                continue;
            }
            auto [place, is_first] = numbers.try_emplace(node, 0);
            if (is_first) place->second = number_of_node(node.c_str());
            if (is_first && place->second != 0) set_order_of_node(place->second, row.node_order.c_str());
            if (place->second != 0) row.domain = remote_domain(place->second, row.domain);
        }
        if (row.target != HostsTarget::guest || !find_guest) continue;
        const auto domain = find_guest(row.guest);
        if (!domain) continue;
        row.target = HostsTarget::domain;
        row.domain = *domain;
    }
    return rows;
}

void MapPublisher::names_changed() {
    const std::vector<std::byte> bytes = compile_map(rows(), own_domain_);
    if (table_.size_bytes() == bytes.size() && std::memcmp(table_.bytes(), bytes.data(), bytes.size()) == 0)
        return;
    std::string error;
    if (!publish(error)) return spdlog::error("{}", error);
    if (on_change) on_change();
}

bool MapPublisher::publish(std::string& error) {
    auto made = make_table(compile_map(rows(), own_domain_));
    if (!made) {
        error = fmt::format("cannot publish the map: {}", ::strerrordesc_np(made.error().sys_errno));
        return false;
    }
    const Mapping old = std::move(table_);
    fd_ = std::move(made->first);
    table_ = std::move(made->second);
    loaded_at_ns_ = now_ns();
    // Pairs with the acquire load of `superseded` in a program's look-up.
    if (old) old.as<MapTableHeader>()->superseded.store_release(1);
    return true;
}

void MapPublisher::reload() {
    std::string error;
    const HostsFile::Reloaded result = file_->reload(error);
    if (result == HostsFile::Reloaded::unchanged) return;
    if (result == HostsFile::Reloaded::changed && publish(error)) {
        ++counters_.map_reloads;
        last_error_.clear();
        if (on_change) on_change();
        spdlog::info("{}: {} entries in force", file_->path(), table().entry_count);
        return;
    }
    ++counters_.map_errors;
    last_error_ = std::move(error);
    spdlog::error("the hosts map stays as it was:\n{}", last_error_);
}

}  // namespace xylem::agent
