// This process's session with the agent of its domain: questions and answers, the shared map table, the page
// of socket records. Opened when a program first listens or connects; opened again, with everything told
// anew, after the agent was restarted. No thread of its own: an agent's absence is noticed by the next
// question or by a sleeping thread (hang-up of the session's descriptor), and asked about at most once a
// second.
#pragma once

#include "control/protocol/map_table.hpp"
#include "control/protocol/reason.hpp"
#include "control/protocol/seqpacket.hpp"
#include "control/protocol/session_page_layout.h"
#include "control/protocol/session_protocol.h"
#include "guest-lib/lock.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/base/mapping.hpp"
#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/stream/stream.hpp"

namespace xylem {

inline constexpr std::uint64_t kAnswerNs =
    3 * kNsPerSecond;  // an agent answers within its own bounds (links.hpp)
inline constexpr std::uint64_t kRetryNs = kNsPerSecond;

struct Socket;

class Session {
  public:
    // The one of this process.
    static Session& self();

    // Asks and waits for the answer (kAnswerNs at most). message.header is filled in here.
    // Errors: no_agent, would_block (no answer in time).
    template <class Message>
    [[nodiscard]] Result<std::size_t> ask(SessionMessage type, Message& message, Received& answer,
                                          const int* fds = nullptr, unsigned fd_count = 0) {
        fill(type, message, next_request());
        LockGuard guard(lock_);
        return exchange(&message, sizeof message, answer, fds, fd_count);
    }
    // Says without waiting for anything, and shows a descriptor, unless it is -1. False: there is no agent.
    template <class Message>
    bool tell(SessionMessage type, Message& message, int fd = -1) {
        fill(type, message, 0);
        LockGuard guard(lock_);
        return say(&message, sizeof message, fd);
    }

    // Gives up this process's hold of a ring socket's end; closes the end if it was the last one.
    void release_end(Socket& socket, ReleaseMode mode);
    // The same of one whose memory this process does not have, or has closed. Whether the agent was told.
    bool tell_release(std::uint64_t end_id, ReleaseMode mode);

    // Closes an end that this process alone holds so that it is kept; false: nothing was done, or it cannot
    // be kept.
    bool close_to_keep(Stream& stream);

    // The current map table, or null without an agent. Valid until the next call in any thread: old tables
    // stay mapped.
    const MapTableHeader* map();
    // The same without a look whether it is superseded or the agent is there.
    const MapTableHeader* map_in_force() const { return map_.load_acquire(); }
    // Which agent it is; 0 before the first.
    std::uint64_t agent_boot_id() const { return boot_id_; }
    std::uint32_t own_domain() const { return own_domain_; }
    bool is_open() const { return static_cast<bool>(socket_); }
    // The agent was there and is gone; another will be told of what this process has.
    bool is_lost() const { return !is_open() && boot_id_ != 0; }
    // At the end of the process: closes what perhaps no agent knows, because one was lost on the way.
    void close_unknown_ends();

    // For sleepers: the descriptor whose hang-up says that the agent is gone, or -1.
    // In a sandbox nobody looks for a new agent.
    int hang_up_fd() const { return is_sandboxed() ? -1 : socket_.get(); }
    // Looks whether the agent is gone and a new one is there; by threads that hold no lock of this library.
    void check();
    // The same, cheaply, by whoever is about to wait or has slept: other work may have met a new agent,
    // whoever is busy never hears the hang-up, and the agent may have given notice.
    void settle() {
        if (!is_open()) return check();
        if (page()->notices.load_acquire() != notices_heard_.load_relaxed()) hear_notice();
        rejoin_if_restarted();
    }

    // The page of socket records; null before the session was first opened.
    SessionPage* page() const { return page_.as<SessionPage>(); }

    // fork: a second session that holds all that this one holds is made before, and becomes the child's.
    void before_fork();
    void after_fork_in_parent();
    void after_fork_in_child();

  private:
    template <class Message>
    static void fill(SessionMessage type, Message& message, std::uint32_t request_id) {
        message.header = {kSessionMagic, kProtocolVersion, static_cast<std::uint16_t>(type),
                          static_cast<std::uint32_t>(sizeof message), request_id};
    }
    std::uint32_t next_request() { return requests_.fetch_add(1) + 1; }
    Result<std::size_t> exchange(const void* message, std::size_t size_bytes, Received& answer,
                                 const int* fds, unsigned fd_count);
    Result<std::size_t> exchange_on(int socket, const void* message, std::size_t size_bytes, Received& answer,
                                    const int* fds, unsigned fd_count);
    bool say(const void* message, std::size_t size_bytes, int fd = -1);
    bool say_in_sandbox(const void* message, std::size_t size_bytes) const;
    bool ensure_open();
    bool open_socket();
    bool clone_for_child();
    Result<UniqueFd> dial_and_greet(std::uint64_t clone_of, int page_fd, Received& welcome);
    bool take_map(Received& answer);
    void refresh_map();
    void close_socket();
    void rejoin_if_restarted();
    void hear_notice();
    void name_run();

    Lock holders_lock_;  // no fork adds holders while an end is being given up; taken before lock_
    Lock lock_;
    UniqueFd socket_;
    UniqueFd clone_;
    UniqueFd page_fd_;
    Mapping page_;
    Mapping clone_page_;
    UniqueFd clone_page_fd_;
    Atomic<const MapTableHeader*> map_{nullptr};
    std::uint64_t session_id_ = 0;
    std::uint64_t clone_id_ = 0;
    std::uint64_t boot_id_ = 0;
    std::uint64_t retry_after_ns_ = 0;
    std::uint32_t own_domain_ = 0;
    AtomicU32 requests_{0};
    AtomicU32 restarted_{0};
    AtomicU32 notices_heard_{0};
    bool was_lost_ = false;
};

// The agent's answer as T if it is one of that type.
template <class T>
const T* answer_as(const Received& answer, SessionMessage type) {
    const T* message = answer.as<T>();
    return message != nullptr && message->header.type == static_cast<std::uint16_t>(type) ? message : nullptr;
}
Reason failure_of(const Received& answer);

// Walks over the sockets of this process after the agent was restarted: listeners are offered again, ends
// are named to it (rejoin.cpp).
void rejoin_all();
// Names once more the ends of which the agent has no memory, to hear of them.
void rejoin_ends();
// Names one end, and the kernel socket that stands for it.
void rejoin_end(int fd, Socket& socket);
// Closes all ends that this process holds and no other.
void release_all();
// Before a fork: the child as one more holder of each end of which the agent does not count them. is_seen:
// the agent knows of the child.
void count_child_as_holder(bool is_seen);

}  // namespace xylem
