// The backend of Xen, in one guest: pages that have two mappings (xen_pages.hpp), and event channels from the
// guest to itself, through the same devices and hypercalls as between two guests.
//   xen                     of pages of its own, in a PV guest; the far end is a thread
//   xen_two_processes       the same, and the far script is a forked process
//   xen_lent, xen_lent_two_processes    of pages that the other guest lends, if XYLEM_LENDER says so:
//                           `DOMAIN REF COUNT`, the last two as page_lender printed them
extern "C" {
#include <xenstore.h>
}

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/conformance/backend/far_scripts.hpp"
#include "tests/conformance/backend/table_bells.hpp"
#include "tests/conformance/backend/xen_pages.hpp"
#include "tests/support/stream_memory.hpp"
#include "vsock-transport/xen/event_channel.hpp"

namespace xylem::conformance {
namespace {

bool is_guest() { return ::access("/dev/xen/gntalloc", F_OK) == 0; }

bool is_pv_guest() {
    std::string type;
    return std::ifstream("/sys/hypervisor/guest_type") >> type && type == "PV";
}

DomainId own_domain() {
    xs_handle* store = ::xs_open(0);
    if (store == nullptr) throw std::runtime_error("no XenStore");
    unsigned length = 0;
    void* text = ::xs_read(store, XBT_NULL, "domid", &length);
    ::xs_close(store);
    if (text == nullptr) throw std::runtime_error("XenStore does not say which domain this is");
    const auto domain = static_cast<DomainId>(std::atoi(static_cast<char*>(text)));
    std::free(text);
    return domain;
}

Lender& lender() {
    static Lender lender = [] {
        unsigned domain = 0;
        unsigned directory = 0;
        std::size_t count = 0;
        if (std::sscanf(std::getenv("XYLEM_LENDER"), "%u %u %zu", &domain, &directory, &count) != 3)
            throw std::runtime_error("XYLEM_LENDER is not DOMAIN REF COUNT");
        return Lender(static_cast<DomainId>(domain), directory, count);
    }();
    return lender;
}

std::unique_ptr<XenPages> own_pages(std::size_t size_bytes) {
    return std::make_unique<OwnPages>(own_domain(), size_bytes);
}
std::unique_ptr<XenPages> lent_pages(std::size_t size_bytes) {
    return std::make_unique<LentPages>(lender(), size_bytes);
}
using PageMaker = std::unique_ptr<XenPages> (*)(std::size_t size_bytes);

testing_support::BellPair make_pair(DomainId domain) {
    EventChannel waiter = must(offer_event_channel(domain), "no event channel");
    EventChannel kicker = must(bind_event_channel(domain, waiter.port), "cannot bind an event channel");
    return {std::move(waiter.fd), std::move(kicker.fd), kicker.port};
}

class XenConnection final : public Connection {
  public:
    XenConnection(PageMaker make_pages, const SlabGeometry& geometry, testing_support::TwoDomainBells& bells)
        : pages_(make_pages(geometry.slab_bytes())), memory_(geometry, 0) {
        Mapping slab = pages_->map(0);
        initialise_slab(slab, geometry);
        open(0, std::move(slab), bells);
        open(1, pages_->map(1), bells);
    }
    Stream& end(unsigned side) override { return ends_[side]; }
    EndBlock& block(unsigned side) override { return *blocks_[side]; }
    std::weak_ptr<XenPages> pages() const { return pages_; }

  private:
    void open(unsigned side, Mapping slab, testing_support::TwoDomainBells& bells) {
        blocks_[side] = &testing_support::block_of(slab, side);
        ends_[side] =
            must(Stream::open(std::move(slab), memory_.map_page(side), bells), "cannot open an end");
    }

    std::shared_ptr<XenPages> pages_;
    testing_support::StreamMemory memory_;  // of which only the end pages are used
    EndBlock* blocks_[2];
    Stream ends_[2];
};

template <class ScriptType, PageMaker make_pages>
class XenBackend final : public Backend {
  public:
    Bells& bells() override { return bells_; }
    std::unique_ptr<Connection> connect(const SlabGeometry& geometry) override {
        auto made = std::make_unique<XenConnection>(make_pages, geometry, bells_.table());
        slabs_.push_back(made->pages());
        return made;
    }
    std::unique_ptr<FarScript> run(std::function<void()> script) override {
        if (is_one_process()) return std::make_unique<ScriptType>(std::move(script));
        return std::make_unique<ScriptType>([this, script] {
            for (const auto& area : areas_) area->map_again();
            for (const auto& slab : slabs_) {
                if (const auto pages = slab.lock()) pages->map_again();
            }
            script();
        });
    }
    bool is_one_process() const override { return std::is_same_v<ScriptType, ThreadScript>; }

  private:
    testing_support::AreaPair make_area() {
        XenPages& area = *areas_.emplace_back(make_pages(kDoorbellAreaBytes));
        Mapping owners = area.map(0);
        return {std::move(owners), area.map(1)};
    }

    DomainId domain_ = own_domain();
    std::vector<std::unique_ptr<XenPages>> areas_;
    std::vector<std::weak_ptr<XenPages>> slabs_;
    TableBells bells_{testing_support::BellMaker{
        KickKind::event_channel, [this] { return make_pair(domain_); }, [this] { return make_area(); }}};
};

template <class ScriptType, PageMaker make_pages>
std::unique_ptr<Backend> make() {
    return std::make_unique<XenBackend<ScriptType, make_pages>>();
}

const bool is_registered = [] {
    if (!is_guest()) return false;
    if (is_pv_guest()) {
        backend_kinds().push_back({"xen", make<ThreadScript, own_pages>});
        backend_kinds().push_back({"xen_two_processes", make<ProcessScript, own_pages>});
    }
    if (std::getenv("XYLEM_LENDER") != nullptr) {
        backend_kinds().push_back({"xen_lent", make<ThreadScript, lent_pages>});
        backend_kinds().push_back({"xen_lent_two_processes", make<ProcessScript, lent_pages>});
    }
    return true;
}();

TEST(xen_backend, passes_the_suite_in_a_guest) {
    if (!is_registered) GTEST_SKIP() << "no Xen guest: make check-xen boots some";
}

}  // namespace
}  // namespace xylem::conformance
