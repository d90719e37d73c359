// Which domain a guest of this machine is, by its name or UUID: what the hosts map's vm: lines are looked up
// in. Each agent shows what its guest is called in its node data/xylem/self, which any guest may read; dom0
// may show it for all guests in /tool/xylem/<domid> (xylem-guests(8)), which guests may list, and where it
// does, nobody else is believed.
//
//   VERSION UUID NAME       the name goes to the end of the text
//
// A guest that calls itself by another's name is one too many: a name that two domains claim is nobody's.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::agent {

class GuestDirectory {
  public:
    struct Entry {
        std::string uuid;  // in lower case
        std::string name;

        std::string text() const;
        // Nothing where the text makes no sense, or is of another version: a guest wrote it.
        static std::optional<Entry> parse(const std::string& text);
        bool operator==(const Entry&) const = default;
    };
    enum class Source { guest, dom0 };

    // What a node says now; nullopt: nothing. True: something has changed.
    bool set(DomainId domain, Source source, const std::optional<Entry>& entry);
    // What dom0 said is void.
    void forget_dom0() { by_dom0_.clear(); }
    bool has_dom0() const { return !by_dom0_.empty(); }
    // The domain of that name or UUID. Nothing: there is none, or more than one.
    std::optional<DomainId> find(const std::string& guest) const;

    // Where they are told. The first is relative to the own domain's node.
    static constexpr char kOwnPath[] = "data/xylem/self";
    static constexpr char kDomains[] = "/local/domain";
    static constexpr char kDom0[] = "/tool/xylem";
    struct Place {
        DomainId domain;
        Source source;

        // Not a guest's node, but the folder of dom0's.
        bool is_list() const { return source == Source::dom0 && domain == 0; }
        bool operator==(const Place&) const = default;
    };
    static constexpr Place kList{0, Source::dom0};
    // The place that a node of XenStore is, if it is one.
    static std::optional<Place> place_of(const std::string& path);
    static std::string path_of(Place place);

  private:
    std::map<DomainId, Entry> by_guests_;
    std::map<DomainId, Entry> by_dom0_;
};

}  // namespace xylem::agent
