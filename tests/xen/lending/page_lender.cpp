// Lends zeroed pages to another guest, for the suite of rings and streams there
// (tests/conformance/backend/xen_pages.hpp): a guest that maps them twice has memory with two ends, as guests
// that share a ring have.
//
//   page_lender DOMAIN COUNT
//
// Prints `REF COUNT` and lends until it is killed. REF is of the directory: a page of grant references of
// index pages, as many as hold COUNT references (4 bytes each, 1,024 a page); these are of the pages lent.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace {

using namespace xylem;

constexpr std::size_t kRefsPerPage = 4096 / sizeof(GrantRef);

struct Lent {
    UniqueFd region;
    std::vector<GrantRef> refs;
};

[[noreturn]] void fail(const char* what, const Error& error) {
    std::fprintf(stderr, "page_lender: %s: %s\n", what, std::strerror(error.sys_errno));
    std::exit(1);
}

Lent lend(DomainId domain, std::size_t count) {
    Lent lent{{}, std::vector<GrantRef>(count)};
    Result<UniqueFd> region = grant_pages(domain, lent.refs.data(), count);
    if (!region) fail("cannot grant pages", region.error());
    lent.region = std::move(*region);
    return lent;
}

// Pages in which those references are written down, kRefsPerPage a page.
Lent lend_list(DomainId domain, const std::vector<GrantRef>& refs) {
    const std::size_t pages = (refs.size() + kRefsPerPage - 1) / kRefsPerPage;
    Lent list = lend(domain, pages);
    Result<Mapping> mapping = Mapping::shared(list.region.get(), pages * 4096, PROT_READ | PROT_WRITE);
    if (!mapping) fail("cannot map own pages", mapping.error());
    std::memcpy(mapping->bytes(), refs.data(), refs.size() * sizeof(GrantRef));
    return list;
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned long count = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
    if (count == 0 || count > kRefsPerPage * kRefsPerPage) {
        std::fprintf(stderr, "usage: page_lender DOMAIN COUNT (1 to %zu)\n", kRefsPerPage * kRefsPerPage);
        return 2;
    }
    const auto domain = static_cast<DomainId>(std::atoi(argv[1]));
    const Lent pages = lend(domain, count);
    const Lent index = lend_list(domain, pages.refs);
    const Lent directory = lend_list(domain, index.refs);
    std::printf("%u %lu\n", directory.refs[0], count);
    std::fflush(stdout);
    ::pause();
}
