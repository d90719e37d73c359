// Guest a grants pages with gntalloc, guest b maps them with gntdev; both see what the other writes. dom0 has
// no part in it.
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/xen/smoke/two_guests.hpp"

using xylem::xen_smoke::TwoGuests;

namespace {

constexpr std::uint32_t kPages = 2;
constexpr std::size_t kBytes = kPages * 4096;

void fill(void* memory, unsigned seed) {
    auto* bytes = static_cast<unsigned char*>(memory);
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<unsigned char>(i * 7 + seed);
}

bool holds(const void* memory, unsigned seed) {
    const auto* bytes = static_cast<const unsigned char*>(memory);
    for (std::size_t i = 0; i < kBytes; ++i) {
        if (bytes[i] != static_cast<unsigned char>(i * 7 + seed)) return false;
    }
    return true;
}

void grant(TwoGuests& guests) {
    xengntshr_handle* device = xengntshr_open(nullptr, 0);
    if (!guests.check(device != nullptr, "gntalloc opens")) return;
    std::uint32_t references[kPages] = {};
    void* memory = xengntshr_share_pages(device, guests.peer_domid(), kPages, references, 1);
    if (!guests.check(memory != nullptr, "a grants pages to b")) return;
    fill(memory, 1);
    guests.publish("references", std::to_string(references[0]) + " " + std::to_string(references[1]));
    guests.check(guests.peer_says("written").has_value() && holds(memory, 2),
                 "a sees what b wrote into them");
    guests.check(guests.peer_says("unmapped").has_value() && xengntshr_unshare(device, memory, kPages) == 0,
                 "a takes the pages back");
    xengntshr_close(device);
}

void map(TwoGuests& guests) {
    xengnttab_handle* device = xengnttab_open(nullptr, 0);
    if (!guests.check(device != nullptr, "gntdev opens")) return;
    const std::string text = guests.peer_says("references").value_or("");
    char* rest = nullptr;
    std::uint32_t references[kPages] = {};
    references[0] = static_cast<std::uint32_t>(std::strtoul(text.c_str(), &rest, 10));
    references[1] = static_cast<std::uint32_t>(std::strtoul(rest, nullptr, 10));
    void* memory = xengnttab_map_domain_grant_refs(device, kPages, guests.peer_domid(), references,
                                                   PROT_READ | PROT_WRITE);
    if (!guests.check(memory != nullptr, "b maps pages that a granted")) return;
    guests.check(holds(memory, 1), "b sees what a wrote into them");
    fill(memory, 2);
    guests.publish("written", "yes");
    guests.check(xengnttab_unmap(device, memory, kPages) == 0, "b unmaps them");
    guests.publish("unmapped", "yes");
    xengnttab_close(device);
}

}  // namespace

int main() {
    TwoGuests guests("grant");
    if (guests.is_a()) {
        grant(guests);
    } else {
        map(guests);
    }
    return guests.finish();
}
