// Random ids: from the kernel, once it is ready.
#include "control/agent/random_id.hpp"

#include <sys/random.h>

#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {

std::uint64_t random_id() {
    std::uint64_t id = 0;
    if (::getrandom(&id, sizeof id, 0) != sizeof id) id = now_ns();  // a kernel without it: early boot only
    return id != 0 ? id : 1;
}

}  // namespace xylem::agent
