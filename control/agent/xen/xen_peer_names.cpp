// XenPeers: guests by name. This one shows its own; others are looked for where the hosts map names some.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {
namespace {

constexpr int kTriedBefore = 1024;
constexpr int kTriedBehind = 64;

}  // namespace

void XenPeers::show_own_name() {
    // The second node is /vm/UUID.
    const auto name = store_->read("name");
    const auto vm = store_->read("vm");
    const GuestDirectory::Entry own{vm ? vm->substr(vm->rfind('/') + 1) : "-", name.value_or("")};
    if (!name || !store_->show_all(GuestDirectory::kOwnPath, own.text()))
        spdlog::warn("XenStore: cannot show the name of this guest: others do not find it as vm:NAME");
    directory_.set(store_->own_domain(), GuestDirectory::Source::guest,
                   GuestDirectory::Entry::parse(own.text()));
    agent_.map.find_guest = [this](const std::string& guest) { return directory_.find(guest); };
}

void XenPeers::on_map_change() {
    if (agent_.map.names_guests() && !directory_is_open_) open_directory();
    meet_all();
}

// Guests are looked for where the map names some, and never otherwise. A watch tells of nodes that may be
// read, as they change; of those that are there already nobody may ask for a list, so their ids are tried.
// Ids are given out in order.
void XenPeers::open_directory() {
    directory_is_open_ = true;
    for (const char* root : {GuestDirectory::kDomains, GuestDirectory::kDom0}) {
        if (!store_->watch(root))
            spdlog::warn("XenStore: cannot watch {}: guests may not be found by name", root);
    }
    const int own = store_->own_domain();
    for (int id = std::max(1, own - kTriedBefore); id <= own + kTriedBehind; ++id) {
        look_up({static_cast<DomainId>(id), GuestDirectory::Source::guest});
        look_up({static_cast<DomainId>(id), GuestDirectory::Source::dom0});
    }
    agent_.map.names_changed();
}

// Guests may rename themselves without end. Together they get as much of our time as one peer does.
void XenPeers::look_up_named() {
    if (names_again_) return;
    const std::uint64_t start_ns = now_ns();
    if (const std::uint64_t rest_ns = names_pace_.rest_ns(start_ns)) {
        names_again_ = agent_.loop.after(rest_ns, [this] {
            names_again_ = Watch();
            look_up_named();
        });
        return;
    }
    for (const auto& [source, domain] : named_) look_up({domain, source});
    named_.clear();
    agent_.map.names_changed();
    const std::uint64_t end_ns = now_ns();
    names_pace_.charge(end_ns, end_ns - start_ns);
}

void XenPeers::look_up(GuestDirectory::Place place) {
    const auto text = store_->read(GuestDirectory::path_of(place));
    directory_.set(place.domain, place.source, text ? GuestDirectory::Entry::parse(*text) : std::nullopt);
}

}  // namespace xylem::agent
