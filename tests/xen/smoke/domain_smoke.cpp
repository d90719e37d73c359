// Guests find themselves and each other in XenStore, and read what the other lets them read.
#include <cerrno>
#include <string>

#include "tests/xen/smoke/two_guests.hpp"

using xylem::xen_smoke::TwoGuests;

int main() {
    TwoGuests guests("domain");
    guests.check(guests.own_domid() > 0, "a guest reads its own domain id");
    guests.check(guests.peer_domid() > 0 && guests.peer_domid() != guests.own_domid(),
                 "dom0 names the other guest, and it is another domain");

    guests.check(guests.keep("secret", "mine"), "a guest writes below its own data/");
    guests.check(guests.read("data/told/domain/secret") == "mine", "a guest reads what it wrote");
    guests.check(guests.publish("hello", "from " + std::to_string(guests.own_domid())),
                 "a guest lets the other read a node");

    guests.check(guests.peer_says("hello") == "from " + std::to_string(guests.peer_domid()),
                 "a guest reads the node that the other let it read");
    // The other wrote it before its hello.
    const bool refused = !guests.read(guests.peer_path("secret")) && errno == EACCES;
    guests.check(refused, "a node without permission for this guest is refused with EACCES");
    return guests.finish();
}
