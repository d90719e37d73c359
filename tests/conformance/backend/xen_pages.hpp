// Memory with two ends in one guest, of pages of Xen: each side has a mapping of its own, through the devices
// and hypercalls that are used between two guests.
//   OwnPages   granted by this guest to itself: side 0 grants, side 1 maps. Not in a PVH guest, where Xen
//   takes
//              away a page's first mapping when its own guest maps it a second time
//   LentPages  granted by another guest (tests/xen/lending): both sides map
// What gntdev has mapped does not outlive a fork in a PV guest; the child attaches the same references again,
// at the same addresses. Everything throws if the system refuses.
#pragma once

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem::conformance {

template <class T>
T must(Result<T> result, const char* what) {
    if (!result) throw std::runtime_error(what + std::string(": ") + std::strerror(result.error().sys_errno));
    return std::move(*result);
}

class XenPages {
  public:
    virtual ~XenPages() = default;
    // Each side once, side 0 first; the content is zero.
    virtual Mapping map(unsigned side) = 0;
    // In a child: where the parent has them.
    virtual void map_again() const = 0;
};

// References that a domain granted, mapped as a whole.
class GrantedByOthers {
  public:
    GrantedByOthers(DomainId domain, std::vector<GrantRef> refs) : domain_(domain), refs_(std::move(refs)) {}
    Mapping map() {
        Mapping mapped = must(Mapping::shared(attach().get(), size_bytes(), PROT_READ | PROT_WRITE),
                              "cannot map granted pages");
        address_ = mapped.bytes();
        return mapped;
    }
    void map_again() const {
        const void* mapped = ::mmap(address_, size_bytes(), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_FIXED_NOREPLACE, attach().get(), 0);
        if (mapped == MAP_FAILED && errno != EEXIST) throw std::runtime_error("cannot map pages again");
    }
    const std::vector<GrantRef>& refs() const { return refs_; }
    std::size_t size_bytes() const { return refs_.size() * kPageBytes; }

  private:
    UniqueFd attach() const {
        return must(attach_pages(domain_, refs_.data(), refs_.size()), "cannot attach pages");
    }

    DomainId domain_;
    std::vector<GrantRef> refs_;
    std::byte* address_ = nullptr;
};

class OwnPages final : public XenPages {
  public:
    OwnPages(DomainId own, std::size_t size_bytes) : mapped_(own, grant(own, size_bytes)) {}
    Mapping map(unsigned side) override {
        if (side == 1) return mapped_.map();
        return must(Mapping::shared(granted_.get(), mapped_.size_bytes(), PROT_READ | PROT_WRITE),
                    "cannot map own pages");
    }
    void map_again() const override { mapped_.map_again(); }

  private:
    std::vector<GrantRef> grant(DomainId own, std::size_t size_bytes) {
        std::vector<GrantRef> refs(size_bytes / kPageBytes);
        granted_ = must(grant_pages(own, refs.data(), refs.size()), "cannot grant pages");
        return refs;
    }

    UniqueFd granted_;
    GrantedByOthers mapped_;
};

// What the other guest lends, of which some is in use.
class Lender {
  public:
    // As page_lender printed it.
    Lender(DomainId domain, GrantRef directory, std::size_t count) : domain_(domain) {
        free_ = read_list(read_list({directory}, (count + kRefsPerPage - 1) / kRefsPerPage), count);
    }
    DomainId domain() const { return domain_; }
    std::vector<GrantRef> take(std::size_t count) {
        if (count > free_.size()) throw std::runtime_error("the other guest lends too few pages");
        std::vector<GrantRef> taken(free_.end() - static_cast<std::ptrdiff_t>(count), free_.end());
        free_.resize(free_.size() - count);
        return taken;
    }
    void give_back(const std::vector<GrantRef>& refs) { free_.insert(free_.end(), refs.begin(), refs.end()); }

  private:
    static constexpr std::size_t kRefsPerPage = kPageBytes / sizeof(GrantRef);
    std::vector<GrantRef> read_list(std::vector<GrantRef> pages, std::size_t count) const {
        const Mapping list = GrantedByOthers(domain_, std::move(pages)).map();
        const GrantRef* refs = list.as<GrantRef>();
        return {refs, refs + count};
    }

    DomainId domain_;
    std::vector<GrantRef> free_;
};

class LentPages final : public XenPages {
  public:
    LentPages(Lender& lender, std::size_t size_bytes)
        : lender_(lender),
          sides_{{lender.domain(), lender.take(size_bytes / kPageBytes)},
                 {lender.domain(), sides_[0].refs()}} {}
    ~LentPages() override { lender_.give_back(sides_[0].refs()); }
    LentPages(const LentPages&) = delete;
    LentPages& operator=(const LentPages&) = delete;
    Mapping map(unsigned side) override {
        Mapping mapped = sides_[side].map();
        if (side == 0) std::memset(mapped.bytes(), 0, mapped.size_bytes());
        return mapped;
    }
    void map_again() const override {
        for (const GrantedByOthers& side : sides_) side.map_again();
    }

  private:
    Lender& lender_;
    GrantedByOthers sides_[2];
};

}  // namespace xylem::conformance
