// Connections that ended in order and stay between two processes, for the next one between them
// (vsock-transport/stream/reuse.cpp). The caller keeps its ends in a table of its own (kept_end.cpp), the
// other process beside the listener that they came from (arrivals.cpp).
#pragma once

#include "control/protocol/map_table.hpp"
#include "control/protocol/socket_names.hpp"
#include "guest-lib/lock.hpp"
#include "vsock-transport/stream/stream.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem {

struct Socket;

// An end without a socket. Empty: no stream.
struct KeptEnd {
    Stream stream;
    std::uint64_t end_id = 0;
    bool is_unknown = false;  // to the agent, which was restarted

    // The agent ended the keeping: the memory may be another connection's, and nothing of it may be written.
    bool is_taken_back() const { return (stream.page().is_revoked.load_acquire() & kTakenBack) != 0; }
    // Gives it up for good, and tells the agent. A caller that waits in it goes to the listener's queue, if
    // there is still a listener.
    void release();
    void tell_release() const;
    void forget() { stream = Stream(); }

  private:
    bool has_caller_for_queue();
};

// All kept ends of the process. Taken before the session's locks, and held over fork().
Lock& kept_lock();

// Closes the socket's end, which nobody in this process uses any more, and keeps it where that may serve.
// False: it is for the caller to release.
bool keep_end(Socket& socket);

// Takes a kept end that leads from one name to the other and begins its next use. False: there is none, or,
// to another node, none whose far end heard of it in time. policy: how such a wait spins.
bool call_again(const MapTableHeader& map, const SocketName& local, const SocketName& peer,
                WaitPolicy& policy, KeptEnd& taken);

// At the end of the process: gives up all of them.
void release_kept_ends();
// To a restarted agent, which knows none of them: the same, but for those in which a caller waits.
void renew_kept_ends();

// fork: the child holds none. Before: what no caller waits in is given up. kept_lock is held.
void give_up_kept_ends();
void forget_kept_ends_of_parent();

}  // namespace xylem
