// A test may have the other guest destroyed and created again: the peer is then another domain, and what it
// had mapped is unmapped. Guest b runs this program once in each of its two lives.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/xen/smoke/two_guests.hpp"

using xylem::xen_smoke::TwoGuests;
using xylem::xen_smoke::wait_until;

namespace {

void have_b_created_again(TwoGuests& guests) {
    const unsigned old = guests.peer_domid();
    xengntshr_handle* device = xengntshr_open(nullptr, 0);
    std::uint32_t reference = 0;
    void* memory = xengntshr_share_pages(device, old, 1, &reference, 1);
    if (!guests.check(memory != nullptr, "a grants a page to b")) return;
    guests.publish("reference", std::to_string(reference));
    guests.check(guests.peer_says("mapped").has_value(), "b has it mapped");

    std::puts("xylem: recreate b");
    const auto is_new = [&] { return guests.peer_domid() != old && guests.peer_domid() != 0; };
    guests.check(wait_until(is_new), "b comes back as another domain");
    guests.check(guests.peer_says("back").has_value(), "b can be spoken to again");
    xengntshr_unshare(device, memory, 1);
    xengntshr_close(device);
    guests.publish("seen", "yes");
}

void hold_a_page_until_destroyed(TwoGuests& guests) {
    xengnttab_handle* device = xengnttab_open(nullptr, 0);
    auto reference = static_cast<std::uint32_t>(
        std::strtoul(guests.peer_says("reference").value_or("0").c_str(), nullptr, 10));
    void* memory = xengnttab_map_grant_ref(device, guests.peer_domid(), reference, PROT_READ | PROT_WRITE);
    if (!guests.check(memory != nullptr, "b maps the page of a")) return;
    guests.publish("mapped", "yes");
    // Until dom0 destroys this guest. If it does not, run_guest ends the test, which is a failure.
    for (;;) pause();
}

}  // namespace

int main() {
    TwoGuests guests("recreate");
    if (guests.is_a()) {
        have_b_created_again(guests);
    } else if (guests.life() == 1) {
        hold_a_page_until_destroyed(guests);
    } else {
        guests.check(guests.publish("back", "yes"), "b runs the same test in its next life");
        guests.check(guests.peer_says("seen").has_value(), "a has found b");
        // Two lives, two counts: a plan would be of one.
        return 0;
    }
    return guests.finish();
}
