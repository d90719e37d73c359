// poll over ring sockets and kernel descriptors together.
//   plan     an array for the kernel: ring items masked out, a queue eventfd beside each listener, and behind
//            them one doorbell a peer domain and the session's hang-up
//   look     ring items by their state; the kernel's with a zero timeout, if there are any
//   spin     while only ring items could make it ready soon
//   sleep    by the recipe: name oneself in the slots of every ring item, look again, ppoll, withdraw
// An epoll set among them is asked in place, and watched by what wakes its own waiters (epoll_nested.cpp).
// Ring items and sets are held by reference meanwhile, so a close() in another thread does not pull them
// away.
#include "guest-lib/poll_wait.hpp"

#include <sys/resource.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/cancellation.hpp"
#include "guest-lib/interruption.hpp"
#include "guest-lib/poll_plan.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"
#include "guest-lib/spin_limit.hpp"
#include "vsock-transport/base/sandbox.hpp"
#include "vsock-transport/local/local_kick.hpp"

namespace xylem {
namespace {

constinit thread_local WaitPolicy poll_policy;
constexpr nfds_t kMostDescriptors = 1U << 20;  // the kernel's default ceiling (nr_open)
constexpr nfds_t kFewDescriptors = 64;         // less than any limit that a program can live with

// fs/select.c, do_sys_poll().
bool exceeds_limit(nfds_t count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return count > limit.rlim_cur;
}

long ppoll_kernel(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    timespec timeout = to_timespec(timeout_ns == kForever ? 0 : timeout_ns);
    return system_call(SYS_ppoll, word(items), static_cast<long>(count),
                       timeout_ns == kForever ? 0 : word(&timeout), word(mask), sizeof(std::uint64_t));
}

// One item at a time. Who sleeps in a sandbox for a peer in another guest has two doorbells, an event channel
// and, before it, one that is hardly ever rung: looked at so often only.
constexpr std::uint64_t kTurnNs = 10 * kNsPerMs;

long poll_in_turn(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    const std::uint64_t deadline_ns = timeout_ns == kForever ? kForever : deadline_after(timeout_ns);
    for (;;) {
        const std::uint64_t now = now_ns();
        const std::uint64_t left_ns = deadline_ns > now ? std::min(deadline_ns - now, kTurnNs) : 0;
        long ready = 0;
        for (nfds_t i = 0; i < count; ++i) {
            const bool is_last = i + 1 == count;
            const long result =
                ppoll_kernel(items + i, 1, is_last && ready == 0 ? left_ns : 0, is_last ? mask : nullptr);
            if (result < 0) return result;
            ready += result;
        }
        if (ready != 0 || left_ns == 0) return ready;
    }
}

// few: room for as many.
long poll_named(pollfd* few, pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    nfds_t used = 0;
    for (nfds_t i = 0; i < count; ++i) {
        items[i].revents = 0;
        if (items[i].fd >= 0) few[used++] = items[i];
    }
    long result = ppoll_kernel(few, used, timeout_ns, mask);
    if (result == -EINVAL && used > 1 && is_sandboxed()) result = poll_in_turn(few, used, timeout_ns, mask);
    used = 0;
    for (nfds_t i = 0; i < count; ++i) {
        if (items[i].fd >= 0) items[i].revents = few[used++].revents;
    }
    return result;
}

// Without the items that name no descriptor: the kernel takes no more items than RLIMIT_NOFILE. A program may
// poll as many as that, or have lowered the limit, for a sandbox, to what it polls itself.
long poll_few(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    pollfd few[kFewDescriptors];
    if (count <= kFewDescriptors) return poll_named(few, items, count, timeout_ns, mask);
    const auto memory = Mapping::anonymous(count * sizeof(pollfd));
    if (!memory) return -ENOMEM;
    return poll_named(memory->as<pollfd>(), items, count, timeout_ns, mask);
}

}  // namespace

long poll_raw(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    if (is_sandboxed()) return poll_few(items, count, timeout_ns, mask);
    const long result = ppoll_kernel(items, count, timeout_ns, mask);
    return result == -EINVAL && count > kFewDescriptors ? poll_few(items, count, timeout_ns, mask) : result;
}

bool needs_plan(const pollfd* items, nfds_t count) {
    if (count > kMostDescriptors) return false;  // the kernel refuses it without a look
    for (nfds_t i = 0; i < count; ++i) {
        const FdObject* object = peek(items[i].fd);
        if (object == nullptr) continue;
        if (object->kind() == ObjectKind::epoll_set) return true;
        const SocketState state = static_cast<const Socket*>(object)->state();
        if (state == SocketState::ring || state == SocketState::listening) return true;
    }
    return false;
}

namespace {

int wait_for_plan(PollPlan& plan, std::uint64_t timeout_ns, const sigset_t* mask) {
    const Interruption interruption;
    const std::uint64_t deadline_ns = timeout_ns == kForever ? kForever : deadline_after(timeout_ns);
    int ready = plan.look();
    if (ready != 0) return ready;
    // A signal that only the call's own mask lets through comes even if there is no time to wait.
    if (timeout_ns == 0)
        return mask != nullptr ? static_cast<int>(to_libc(poll_raw(nullptr, 0, 0, mask))) : 0;
    keep_to_longest_spin(poll_policy);
    if (plan.has_rings() && poll_policy.spin([&plan] { return plan.has_news(); })) {
        ready = plan.look();
        if (ready != 0) return ready;  // else others were faster
    }
    SleepBound bound;
    for (;;) {
        if (interruption.is_due()) return fail_errno_with(EINTR);
        const long slept = sleep_unless(
            1L, [&plan] { plan.arm(); }, [&plan] { return plan.has_news() || plan.has_ready_set(); },
            [&] {
                const std::uint64_t until_ns = std::min(deadline_ns, deadline_after(plan.bound_ns(bound)));
                const std::uint64_t now = now_ns();
                return poll_cancellable(plan.kernel_items(), plan.kernel_count(),
                                        until_ns > now ? until_ns - now : 0, mask);
            },
            [&plan] { plan.disarm(); });
        if (slept < 0) return static_cast<int>(to_libc(slept));
        plan.after_sleep();
        ready = plan.look();
        if (ready != 0 || now_ns() >= deadline_ns) return ready;
    }
}

// Of a thread that was cancelled in its sleep.
void give_up_plan(void* plan) {
    static_cast<PollPlan*>(plan)->disarm();
    static_cast<PollPlan*>(plan)->~PollPlan();
}

struct AcceptSleep {
    pollfd* items;
    std::uint64_t timeout_ns;
};

}  // namespace

int poll_mixed(pollfd* items, nfds_t count, std::uint64_t timeout_ns, const sigset_t* mask) {
    if (count > kFewDescriptors && exceeds_limit(count)) return fail_errno_with(EINVAL);
    may_be_cancelled();
    Session::self().settle();
    PollPlan plan(items, count);
    if (!plan.is_complete()) return fail_errno_with(ENOMEM);
    int result = 0;
    pthread_cleanup_push(give_up_plan, &plan);
    result = wait_for_plan(plan, timeout_ns, mask);
    pthread_cleanup_pop(0);
    return result;
}

bool wait_for_accept(Socket& listener, int fd, bool may_spin) {
    const Interruption interruption;
    const std::uint64_t timeout_ns = listener.receive_timeout_ns.load_relaxed();
    const std::uint64_t deadline_ns = timeout_ns == 0 ? kForever : deadline_after(timeout_ns);
    if (may_spin && listener.spin_for_caller()) return true;
    if (interruption.is_due()) return fail_errno_with(EINTR) == 0;
    for (;;) {
        Session& session = Session::self();
        session.settle();
        pollfd items[3] = {
            {fd, POLLIN, 0}, {listener.arrivals_fd(), POLLIN, 0}, {session.hang_up_fd(), 0, 0}};
        const std::uint64_t now = now_ns();
        if (now >= deadline_ns) return fail_errno_with(EAGAIN) == 0;
        // Without a session somebody has to look whether an agent is back.
        const std::uint64_t bound_ns = session.is_open() ? kForever : kRetryNs;
        const std::uint64_t left_ns = deadline_ns == kForever ? kForever : deadline_ns - now;
        AcceptSleep sleep{items, std::min(left_ns, bound_ns)};
        const long result = sleep_holding(
            listener, false,
            [](void* context) {
                const auto& how = *static_cast<AcceptSleep*>(context);
                return poll_cancellable(how.items, 3, how.timeout_ns);
            },
            &sleep);
        if (result == -EINTR) {
            if (timeout_ns == 0 && !interruption.is_due_after_sleep()) continue;
            return fail_errno_with(EINTR) == 0;
        }
        if (items[2].revents != 0 || !session.is_open()) session.check();
        if (items[0].revents != 0 || items[1].revents != 0) return true;
    }
}

}  // namespace xylem
