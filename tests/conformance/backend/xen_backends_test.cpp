// The backend of Xen, in one guest: pages that it grants to itself, and event channels from itself to itself,
// through the same devices and hypercalls as between two guests. Side 0 grants the slab, side 1 maps it.
//   xen                the far end is a thread
//   xen_two_processes  the same, and the far script is a forked process. In a PV guest what gntdev mapped
//   does not
//                      outlive the fork; the child attaches the same references again, at the same addresses
extern "C" {
#include <xenstore.h>
}

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/conformance/backend/far_scripts.hpp"
#include "tests/conformance/backend/table_bells.hpp"
#include "tests/support/stream_memory.hpp"
#include "vsock-transport/xen/event_channel.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::conformance {
namespace {

template <class T>
T must(Result<T> result, const char* what) {
    if (!result) throw std::runtime_error(what + std::string(": ") + std::strerror(result.error().sys_errno));
    return std::move(*result);
}

bool is_guest() { return ::access("/dev/xen/gntalloc", F_OK) == 0; }

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

// Pages that this guest granted to itself, mapped from both sides.
class LoopedPages {
  public:
    LoopedPages(DomainId domain, std::size_t size_bytes) : domain_(domain), refs_(size_bytes / kPageBytes) {
        granted_ = must(grant_pages(domain, refs_.data(), refs_.size()), "cannot grant pages");
    }
    Mapping map_granting() const {
        return must(Mapping::shared(granted_.get(), size_bytes(), PROT_READ | PROT_WRITE),
                    "cannot map own pages");
    }
    Mapping map_granted() {
        const UniqueFd attached =
            must(attach_pages(domain_, refs_.data(), refs_.size()), "cannot attach pages");
        Mapping mapped =
            must(Mapping::shared(attached.get(), size_bytes(), PROT_READ | PROT_WRITE), "cannot map pages");
        address_ = mapped.bytes();
        return mapped;
    }
    // In a child: where the parent has them.
    void map_granted_again() const {
        const UniqueFd attached =
            must(attach_pages(domain_, refs_.data(), refs_.size()), "cannot attach pages again");
        const void* mapped = ::mmap(address_, size_bytes(), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_FIXED_NOREPLACE, attached.get(), 0);
        if (mapped == MAP_FAILED && errno != EEXIST) throw std::runtime_error("cannot map pages again");
    }

  private:
    std::size_t size_bytes() const { return refs_.size() * kPageBytes; }

    DomainId domain_;
    std::vector<GrantRef> refs_;
    UniqueFd granted_;
    std::byte* address_ = nullptr;
};

testing_support::BellPair make_pair(DomainId domain) {
    EventChannel waiter = must(offer_event_channel(domain), "no event channel");
    EventChannel kicker = must(bind_event_channel(domain, waiter.port), "cannot bind an event channel");
    return {std::move(waiter.fd), std::move(kicker.fd), kicker.port};
}

class XenConnection final : public Connection {
  public:
    XenConnection(DomainId domain, const SlabGeometry& geometry, testing_support::TwoDomainBells& bells)
        : pages_(std::make_shared<LoopedPages>(domain, geometry.slab_bytes())), memory_(geometry, 0) {
        Mapping slab = pages_->map_granting();
        initialise_slab(slab, geometry);
        open(0, std::move(slab), bells);
        open(1, pages_->map_granted(), bells);
    }
    Stream& end(unsigned side) override { return ends_[side]; }
    EndBlock& block(unsigned side) override { return *blocks_[side]; }
    std::weak_ptr<LoopedPages> pages() const { return pages_; }

  private:
    void open(unsigned side, Mapping slab, testing_support::TwoDomainBells& bells) {
        blocks_[side] = &testing_support::block_of(slab, side);
        ends_[side] =
            must(Stream::open(std::move(slab), memory_.map_page(side), bells), "cannot open an end");
    }

    std::shared_ptr<LoopedPages> pages_;
    testing_support::StreamMemory memory_;  // of which only the end pages are used
    EndBlock* blocks_[2];
    Stream ends_[2];
};

template <class ScriptType>
class XenBackend final : public Backend {
  public:
    Bells& bells() override { return bells_; }
    std::unique_ptr<Connection> connect(const SlabGeometry& geometry) override {
        auto made = std::make_unique<XenConnection>(domain_, geometry, bells_.table());
        slabs_.push_back(made->pages());
        return made;
    }
    std::unique_ptr<FarScript> run(std::function<void()> script) override {
        if (is_one_process()) return std::make_unique<ScriptType>(std::move(script));
        return std::make_unique<ScriptType>([this, script] {
            for (const auto& area : areas_) area->map_granted_again();
            for (const auto& slab : slabs_) {
                if (const auto pages = slab.lock()) pages->map_granted_again();
            }
            script();
        });
    }
    bool is_one_process() const override { return std::is_same_v<ScriptType, ThreadScript>; }

  private:
    testing_support::AreaPair make_area() {
        areas_.push_back(std::make_unique<LoopedPages>(domain_, kDoorbellAreaBytes));
        return {areas_.back()->map_granting(), areas_.back()->map_granted()};
    }

    DomainId domain_ = own_domain();
    std::vector<std::unique_ptr<LoopedPages>> areas_;
    std::vector<std::weak_ptr<LoopedPages>> slabs_;
    TableBells bells_{testing_support::BellMaker{
        KickKind::event_channel, [this] { return make_pair(domain_); }, [this] { return make_area(); }}};
};

template <class ScriptType>
std::unique_ptr<Backend> make() {
    return std::make_unique<XenBackend<ScriptType>>();
}

const bool is_registered = [] {
    if (!is_guest()) return false;
    backend_kinds().push_back({"xen", make<ThreadScript>});
    backend_kinds().push_back({"xen_two_processes", make<ProcessScript>});
    return true;
}();

TEST(xen_backend, passes_the_suite_in_a_guest) {
    if (!is_registered) GTEST_SKIP() << "no Xen guest: make check-xen boots some";
}

}  // namespace
}  // namespace xylem::conformance
