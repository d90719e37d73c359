// XenPeers: guests by name. This one shows its own; others are looked for where the hosts map names some.
#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"

namespace xylem::agent {
namespace {

// A search goes through all ids in two minutes; where XenStore answers in 0.1 ms that is 3% of the agent's
// time.
constexpr unsigned kLooksATurn = 8;
constexpr std::uint64_t kTurnsApartNs = 25 * kNsPerMs;

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
// read, as they change. Those that are there already dom0 lists, if it runs xylem-guests(8).
void XenPeers::open_directory() {
    directory_is_open_ = true;
    for (const char* root : {GuestDirectory::kDomains, GuestDirectory::kDom0}) {
        if (!store_->watch(root))
            spdlog::warn("XenStore: cannot watch {}: guests may not be found by name", root);
    }
    look_up(GuestDirectory::kList);
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

// True: something has changed.
bool XenPeers::look_up(GuestDirectory::Place place) {
    if (place.is_list()) return look_up_list();
    const auto text = store_->read(GuestDirectory::path_of(place));
    return directory_.set(place.domain, place.source,
                          text ? GuestDirectory::Entry::parse(*text) : std::nullopt);
}

// Without it nobody says which guests there are, and their ids are tried.
bool XenPeers::look_up_list() {
    directory_.forget_dom0();
    for (const std::string& id : store_->list(GuestDirectory::kDom0)) {
        const auto place = GuestDirectory::place_of(GuestDirectory::kDom0 + ("/" + id));
        if (place && !place->is_list()) look_up(*place);
    }
    if (directory_.has_dom0()) {
        search_.reset();
        searches_again_ = Watch();
    } else if (!search_) {
        search_.emplace(store_->own_domain());
        search_on();
    }
    return true;
}

// A turn: each look waits for XenStore.
void XenPeers::search_on() {
    bool has_changed = false;
    std::optional<DomainId> id;
    for (unsigned i = 0; i < kLooksATurn && (id = search_->next()); ++i)
        has_changed |= look_up({*id, GuestDirectory::Source::guest});
    if (id)
        searches_again_ = agent_.loop.after(kTurnsApartNs, [this] {
            searches_again_ = Watch();
            search_on();
        });
    if (has_changed) agent_.map.names_changed();
}

}  // namespace xylem::agent
