// Who listens at a path is asked of a connection made for it, which is closed at once; its far side sees a
// link that never said hello.
#include "control/protocol/link_owner.hpp"

#include "control/protocol/nonblocking_dial.hpp"

namespace xylem {

bool owns_link_socket(const char* path, int socket) {
    UniqueFd probe;
    if (dial_now(path, probe) != 0) return false;
    const ucred owner = peer_of(probe.get());
    const ucred dialler = peer_of(socket);
    return owner.uid != ~0U && owner.uid == dialler.uid && owner.pid == dialler.pid;
}

}  // namespace xylem
