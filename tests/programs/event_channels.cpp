// Event channels of a Xen guest, for tests of what happens when they are short.
//
//   event_channels left DOMAIN        prints how many can be offered to that domain, and gives them back
//   event_channels hold DOMAIN READY  takes all of them, writes their number to READY, and holds them until
//                                     it is killed
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>

#include "rendezvous.hpp"

using domid_t = std::uint16_t;  // evtchn.h leaves it to whoever includes it
#include <xen/evtchn.h>

namespace {

unsigned take_all(int device, domid_t domain) {
    unsigned taken = 0;
    ioctl_evtchn_bind_unbound_port request{domain};
    while (ioctl(device, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &request) >= 0) ++taken;
    if (errno != ENOSPC) fail("bind");
    return taken;
}

}  // namespace

int main(int argc, char** argv) {
    const bool holds = argc == 4 && strcmp(argv[1], "hold") == 0;
    if (!holds && !(argc == 3 && strcmp(argv[1], "left") == 0)) {
        fprintf(stderr, "usage: event_channels left DOMAIN | hold DOMAIN READY\n");
        return 2;
    }
    const int device = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
    if (device < 0) fail("/dev/xen/evtchn");
    const unsigned taken = take_all(device, static_cast<domid_t>(atoi(argv[2])));
    if (holds) {
        write_port(argv[3], taken);
        pause();
    }
    printf("%u\n", taken);
    return 0;
}
